"""Reading a body from a browser, and answering it: everything a stranger sends is checked here first."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse

from signalize_console.errors import six_fields

LARGEST_BODY = 8_192


class Refused(Exception):
    """A request that we don't serve: status, stable code, and why in plain words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def error(request: HttpRequest, refused: Refused, headers: Mapping[str, str] | None = None) -> JsonResponse:
    body = six_fields(refused.status, refused.message, request.path, refused.code)
    return JsonResponse(body, status=refused.status, headers=dict(headers or {}))


def invalid(message: str) -> Refused:
    return Refused(400, "invalid_request", message)


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The object in the body. Whatever its Content-Type says: a beacon can't choose it freely."""
    too_large = Refused(413, "body_too_large", f"The body is larger than {LARGEST_BODY} bytes.")
    try:
        if int(request.headers.get("Content-Length") or 0) > LARGEST_BODY:
            raise too_large
        body = request.body
    except (RequestDataTooBig, ValueError) as cause:
        raise too_large from cause
    if len(body) > LARGEST_BODY:
        raise too_large
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise invalid("The body is not JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise invalid("The body is not a JSON object.")
    return value


def text(body: dict[str, Any], name: str, longest: int, *, required: bool = True) -> str:
    """A text field: a string without control characters, not longer than ``longest``."""
    value = body.get(name, "" if not required else None)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value):
        raise invalid(f"{name} must be a text.")
    if len(value) > longest:
        raise invalid(f"{name} is longer than {longest} characters.")
    if not value.isprintable():
        raise invalid(f"{name} has characters that can't be printed.")
    return value


def part(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise invalid(f"{name} must be an object.")
    return value
