"""Every error of the API: its code, its status, and one body for all."""

import logging
from enum import StrEnum
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from signalize_console.errors import six_fields

log = logging.getLogger(__name__)


class ErrorCode(StrEnum):
    """Stable: clients may compare them. Each is explained in docs/api.md."""

    INVALID_REQUEST = "invalid_request"
    MALFORMED_JSON = "malformed_json"
    API_KEY_MISSING = "api_key_missing"
    API_KEY_UNKNOWN = "api_key_unknown"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    BODY_TOO_LARGE = "body_too_large"
    NOBODY_REACHABLE = "nobody_reachable"
    NOT_ACCEPTED = "not_accepted"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    UNAVAILABLE = "unavailable"


class Unprocessable(exceptions.APIException):
    """Well formed, and yet it can't be done."""

    status_code = 422

    def __init__(self, message: str, code: ErrorCode) -> None:
        super().__init__(message, code)
        self.error_code = code


CODES: list[tuple[type[Exception], ErrorCode]] = [
    (exceptions.ParseError, ErrorCode.MALFORMED_JSON),
    (exceptions.ValidationError, ErrorCode.INVALID_REQUEST),
    (exceptions.AuthenticationFailed, ErrorCode.API_KEY_UNKNOWN),
    (exceptions.NotAuthenticated, ErrorCode.API_KEY_MISSING),
    (exceptions.MethodNotAllowed, ErrorCode.METHOD_NOT_ALLOWED),
    (exceptions.NotAcceptable, ErrorCode.NOT_ACCEPTABLE),
    (exceptions.UnsupportedMediaType, ErrorCode.UNSUPPORTED_MEDIA_TYPE),
    (exceptions.NotFound, ErrorCode.NOT_FOUND),
]
# Where Django REST framework's own words give no remedy.
PLAIN_WORDS = {
    ErrorCode.API_KEY_MISSING: "Send your API key in the header X-API-Key. The console makes one.",
    ErrorCode.METHOD_NOT_ALLOWED: "This address does not take this method. The documentation is at /v3/docs.",
    ErrorCode.NOT_ACCEPTABLE: "Every answer is JSON. Send Accept: application/json, or leave it out.",
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: "Send the body as JSON, and say so: Content-Type: application/json.",
}


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler. None lets an unforeseen error be one (500, in the log)."""
    path = context["request"].path
    headers: dict[str, str] = {}
    if isinstance(error, Http404):
        status, message, code = 404, "There is no such thing here.", ErrorCode.NOT_FOUND
    elif isinstance(error, RequestDataTooBig):
        status, message, code = (
            413,
            "The body is larger than 1 MB. Send fewer at once.",
            ErrorCode.BODY_TOO_LARGE,
        )
    elif isinstance(error, OperationalError):
        log.error("The database does not answer: %s", type(error).__name__)
        status, message, code = 503, "The database is away. Try again in a moment.", ErrorCode.UNAVAILABLE
        headers["Retry-After"] = "5"
    elif isinstance(error, exceptions.APIException):
        status, code = error.status_code, _code_of(error)
        message = PLAIN_WORDS.get(code) or first_message(error.detail)
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
    else:
        return None
    # A message may quote what was sent, and JSON can spell what UTF-8 can't.
    encodable = message.encode(errors="replace").decode()
    return Response(six_fields(status, encodable, path, code), status=status, headers=headers)


def _code_of(error: exceptions.APIException) -> ErrorCode:
    if isinstance(error, Unprocessable):
        return error.error_code
    return next((code for kind, code in CODES if isinstance(error, kind)), ErrorCode.INVALID_REQUEST)


def first_message(detail: Any, path: str = "") -> str:
    """The first error of a nested detail, with the field's path: ``webPush.texts[0].title: …``."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        if name == "non_field_errors":
            return first_message(inner, path)
        if isinstance(name, int):
            return first_message(inner, f"{path}[{name}]")
        return first_message(inner, f"{path}.{name}" if path else str(name))
    if isinstance(detail, list):
        number, inner = next((n, one) for n, one in enumerate(detail) if one)
        is_element = isinstance(inner, dict | list)
        return first_message(inner, f"{path}[{number}]" if is_element else path)
    return f"{path}: {detail}" if path else str(detail)


@csrf_exempt
def not_found(request: HttpRequest) -> JsonResponse:
    """For every address below /v3/ that nothing else answers."""
    message = "There is no such address. The documentation is at /v3/docs."
    return JsonResponse(six_fields(404, message, request.path, ErrorCode.NOT_FOUND), status=404)
