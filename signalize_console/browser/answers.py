"""Reading a body from a browser, and answering it: everything a stranger sends is checked here first."""

import json
import math
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse

from signalize_console.errors import six_fields

LARGEST_BODY = 8_192
# An order as etCommerce tells it has seven: its basket's products with their variants.
DEEPEST = 8


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


def read_json(request: HttpRequest, largest: int = LARGEST_BODY) -> dict[str, Any]:
    """The object in the body. Whatever its Content-Type says: a beacon can't choose it freely."""
    too_large = Refused(413, "body_too_large", f"The body is larger than {largest} bytes.")
    try:
        if int(request.headers.get("Content-Length") or 0) > largest:
            raise too_large
        body = request.body
    except (RequestDataTooBig, ValueError) as cause:
        raise too_large from cause
    if len(body) > largest:
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


def optional_part(body: dict[str, Any], name: str) -> dict[str, Any] | None:
    return part(body, name) if body.get(name) is not None else None


def plain(value: Any, longest: int, depth: int = DEEPEST) -> Any:
    """A stranger's JSON as PostgreSQL takes it: texts printable and cut at ``longest``, nothing deeper.

    Raises Refused for what is nested deeper, and for numbers that JSON doesn't have.
    """
    if isinstance(value, str):
        return printable(value, longest)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not math.isfinite(value) or abs(value) >= 1e15:
            raise invalid("A number is too large.")
        return value
    if depth == 0:
        raise invalid(f"A value is nested deeper than {DEEPEST} levels.")
    if isinstance(value, list):
        return [plain(one, longest, depth - 1) for one in value]
    return {printable(name, 64): plain(one, longest, depth - 1) for name, one in value.items()}


def printable(value: str, longest: int) -> str:
    """The text with a space for each character that a terminal or a page could take for a command."""
    return "".join(one if one.isprintable() else " " for one in value[:longest])
