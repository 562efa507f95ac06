"""What all addresses of the API share: a scope for each method, a request id, the key's rate limit."""

import functools
import time
from typing import Any, ClassVar

from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer, ValidationError
from rest_framework.views import APIView

from signalize_console.api.authentication import Caller
from signalize_console.api.scopes import Scope


class Endpoint(APIView):
    """``scopes`` says which scope each method asks for; a method without one is closed."""

    scopes: ClassVar[dict[str, Scope]] = {}

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        self.began_at = time.monotonic()
        return super().initialize_request(request, *args, **kwargs)

    def check_throttles(self, request: Request) -> None:
        if isinstance(request.auth, Caller) and request.auth.is_over_limit:
            raise exceptions.Throttled(request.auth.seconds_left)

    def finalize_response(self, request: Any, response: Response, *args: Any, **kwargs: Any) -> Response:
        # Asking the request itself would authenticate anew where that has failed.
        caller = getattr(request, "_auth", None)
        if isinstance(caller, Caller):
            response["RateLimit-Limit"] = str(caller.limit)
            response["RateLimit-Remaining"] = str(max(0, caller.limit - caller.requests))
            response["RateLimit-Reset"] = str(caller.seconds_left)
        return super().finalize_response(request, response, *args, **kwargs)


@functools.cache
def _door(serializer: type[Serializer]) -> Serializer:
    """A serializer that only parses keeps nothing of what it has parsed: one does for all requests."""
    return serializer()


def parsed(serializer: type[Serializer], data: Any) -> dict[str, Any]:
    """What was sent, as this serializer understands it; raises ValidationError."""
    return _door(serializer).run_validation(data)


def sent(serializer: type[Serializer], request: Request) -> dict[str, Any]:
    """The body. None at all is not an empty one."""
    if not request.META.get("CONTENT_LENGTH", "").strip("0"):
        raise ValidationError("Send a JSON object in the body, with its Content-Length.")
    return parsed(serializer, request.data)


def asked(serializer: type[Serializer], request: Request) -> dict[str, Any]:
    """The parameters of the address."""
    return parsed(serializer, {name: request.query_params[name] for name in request.query_params})
