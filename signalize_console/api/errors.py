"""Every error of the API: its code, its status, and one body for all."""

import logging
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, TypedDict

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from signalize_console import request_ids
from signalize_console.errors import SixFields, six_fields

log = logging.getLogger(__name__)
MOST_ERRORS = 100


class ErrorCode(StrEnum):
    """Stable: clients may compare them. Each is explained in docs/errors.md."""

    INVALID_REQUEST = "invalid_request"
    MALFORMED_JSON = "malformed_json"
    API_KEY_MISSING = "api_key_missing"
    API_KEY_UNKNOWN = "api_key_unknown"
    SCOPE_MISSING = "scope_missing"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    STATE_CONFLICT = "state_conflict"
    NAME_TAKEN = "name_taken"
    IDEMPOTENCY_KEY_IN_FLIGHT = "idempotency_key_in_flight"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    BODY_TOO_LARGE = "body_too_large"
    NOBODY_REACHABLE = "nobody_reachable"
    NOT_ACCEPTED = "not_accepted"
    TEMPLATE_UNKNOWN = "template_unknown"
    SEGMENT_UNKNOWN = "segment_unknown"
    VALUE_MISSING = "value_missing"
    VALUE_INVALID = "value_invalid"
    VALUE_UNKNOWN = "value_unknown"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    RATE_LIMITED = "rate_limited"
    INTERNAL_ERROR = "internal_error"
    UNAVAILABLE = "unavailable"


class FieldError(TypedDict):
    """``field`` is a path such as ``recipients[3].data.order``; None for the request as a whole."""

    field: str | None
    code: str
    message: str


class ErrorBody(SixFields):
    requestId: str  # noqa: N815
    errors: list[FieldError]


class Refusal(exceptions.APIException):
    """Says no with a code of ours; ``errors`` names the fields, where it is about some."""

    def __init__(self, message: str, code: ErrorCode, errors: list[FieldError] | None = None) -> None:
        super().__init__(message, code)
        self.error_code = code
        self.errors = errors or []


class Unprocessable(Refusal):
    """Well formed, and yet it can't be done."""

    status_code = 422


class Conflict(Refusal):
    status_code = 409

    def __init__(self, message: str, code: ErrorCode, *, retry_after: int | None = None) -> None:
        super().__init__(message, code)
        self.wait = retry_after


class Forbidden(Refusal):
    status_code = 403


class Unauthorized(Refusal, exceptions.AuthenticationFailed):
    status_code = 401


CODES: list[tuple[type[Exception], ErrorCode]] = [
    (exceptions.ParseError, ErrorCode.MALFORMED_JSON),
    (exceptions.ValidationError, ErrorCode.INVALID_REQUEST),
    (exceptions.NotAuthenticated, ErrorCode.API_KEY_MISSING),
    (exceptions.MethodNotAllowed, ErrorCode.METHOD_NOT_ALLOWED),
    (exceptions.NotAcceptable, ErrorCode.NOT_ACCEPTABLE),
    (exceptions.UnsupportedMediaType, ErrorCode.UNSUPPORTED_MEDIA_TYPE),
    (exceptions.NotFound, ErrorCode.NOT_FOUND),
    (exceptions.Throttled, ErrorCode.RATE_LIMITED),
]
# Where Django REST framework's own words give no remedy.
PLAIN_WORDS = {
    ErrorCode.API_KEY_MISSING: "Send your API key in the header X-API-Key. The console makes one.",
    ErrorCode.METHOD_NOT_ALLOWED: "This address does not take this method. The documentation is at /v3/docs.",
    ErrorCode.NOT_ACCEPTABLE: "Every answer is JSON. Send Accept: application/json, or leave it out.",
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: "Send the body as JSON, and say so: Content-Type: application/json.",
    ErrorCode.RATE_LIMITED: "This key has made all requests that it may make in a minute. Obey Retry-After.",
}


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """Django REST framework's exception handler: whatever happened, the caller gets one body."""
    request_id = request_ids.current.get()
    headers: dict[str, str] = {}
    errors: list[FieldError] = []
    if isinstance(error, Http404):
        status, message, code = 404, "There is no such thing here.", ErrorCode.NOT_FOUND
    elif isinstance(error, RequestDataTooBig):
        status, code = 413, ErrorCode.BODY_TOO_LARGE
        message = "The body is larger than 1 MB. Send fewer at once."
    elif isinstance(error, OperationalError):
        log.error("The database does not answer (request %s): %s", request_id, type(error).__name__)
        status, message, code = 503, "The database is away. Try again in a moment.", ErrorCode.UNAVAILABLE
        headers["Retry-After"] = "5"
    elif isinstance(error, exceptions.APIException):
        status, code = error.status_code, _code_of(error)
        errors = error.errors if isinstance(error, Refusal) else [*field_errors(error.detail)][:MOST_ERRORS]
        message = PLAIN_WORDS.get(code) or _first(errors) or str(error.detail)
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
        if wait := getattr(error, "wait", None):
            headers["Retry-After"] = str(int(wait))
    else:
        log.error("Request %s failed.", request_id, exc_info=error)
        status, code = 500, ErrorCode.INTERNAL_ERROR
        message = (
            f"This is our fault. The log says why, at request {request_id}. Repeat it with the same key."
        )
    if not isinstance(error, exceptions.ValidationError | Refusal):
        errors = []
    six = six_fields(status, message, context["request"].path, code)
    return Response(error_body(six, code, request_id, errors), status, headers=headers)


def error_body(
    six: SixFields, code: ErrorCode, request_id: str, errors: list[FieldError] | None = None
) -> ErrorBody:
    message = six["message"]
    named = errors or [FieldError(field=None, code=code, message=message)]
    return {
        **six,
        "message": _encodable(message),
        "requestId": request_id,
        "errors": [
            {
                "field": None if one["field"] is None else _encodable(one["field"]),
                "code": one["code"],
                "message": _encodable(one["message"]),
            }
            for one in named
        ],
    }


def _encodable(text: str) -> str:
    """A message may quote what was sent, and JSON can spell what UTF-8 can't."""
    return text.encode(errors="replace").decode()


def _code_of(error: exceptions.APIException) -> ErrorCode:
    if isinstance(error, Refusal):
        return error.error_code
    return next((code for kind, code in CODES if isinstance(error, kind)), ErrorCode.INVALID_REQUEST)


def _first(errors: list[FieldError]) -> str:
    if not errors:
        return ""
    first = errors[0]
    return f"{first['field']}: {first['message']}" if first["field"] else first["message"]


def field_errors(detail: Any, path: str = "") -> Iterator[FieldError]:
    """Each error of a nested detail, with its field's path: ``webPush.texts[0].title``."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            if name == "non_field_errors":
                yield from field_errors(inner, path)
            elif isinstance(name, int):
                yield from field_errors(inner, f"{path}[{name}]")
            else:
                yield from field_errors(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            is_element = isinstance(inner, dict | list)
            yield from field_errors(inner, f"{path}[{number}]" if is_element else path)
    else:
        code = getattr(detail, "code", None) or "invalid"
        yield FieldError(field=path or None, code=str(code), message=str(detail))


@csrf_exempt
def not_found(request: HttpRequest) -> JsonResponse:
    """For every address below /v3/ that nothing else answers."""
    message = "There is no such address. The documentation is at /v3/docs."
    six = six_fields(404, message, request.path, ErrorCode.NOT_FOUND)
    body = error_body(six, ErrorCode.NOT_FOUND, request_ids.current.get())
    return JsonResponse(body, status=404)
