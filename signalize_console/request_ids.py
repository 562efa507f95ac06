"""A name for each request: the caller's own, where it is fit to be one, or a new one. The answer tells it."""

import random
import re
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-Id"
# Also what proxies and tracing make; nothing that a line of a log could be forged with.
FIT = re.compile(r"[A-Za-z0-9._=-]{8,64}")
# Of the request that this thread is at work on.
current: ContextVar[str] = ContextVar("request_id", default="")


class RequestId:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        request_id = given if FIT.fullmatch(given) else new()
        # What Django logs of it when this is over finds it there.
        request.request_id = request_id  # type: ignore[attr-defined]
        token = current.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            current.reset(token)
        response.headers[HEADER] = request_id
        return response


def new() -> str:
    """Unique, and no secret."""
    return f"req_{random.getrandbits(80):020x}"
