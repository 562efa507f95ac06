"""Requests from a page of another origin: allowed for the website's own origins, compared exactly."""

import functools
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from signalize_console.browser.answers import Refused, error
from signalize_console.browser.limits import READING, Limit, TooOften
from signalize_console.websites.models import SECURE_CODE, Website

View = Callable[..., HttpResponse]
Guarded = Callable[..., HttpResponseBase]
PREFLIGHT_SECONDS = "7200"


def for_website(*methods: str, limit: Limit) -> Callable[[View], Guarded]:
    """The view gets the website that the secure code names, and only from that website's pages.

    No cookie is read, so there is nothing that a foreign page could ride on; hence no CSRF token.
    What is over the limit is refused before anything is looked up.
    """

    def decorate(view: View) -> Guarded:
        @csrf_exempt
        @functools.wraps(view)
        def guarded(request: HttpRequest, secure_code: str) -> HttpResponseBase:
            website = None
            if re.fullmatch(SECURE_CODE, secure_code):
                try:
                    (READING if request.method == "OPTIONS" else limit).check(request, secure_code)
                except TooOften as refused:
                    return error(request, refused, {"Retry-After": str(refused.seconds)})
                website = Website.objects.filter(secure_code=secure_code).first()
            if website is None:
                return error(request, Refused(404, "unknown_website", "No website has this secure code."))
            origin = request.headers.get("Origin")
            if not website.allows(origin) and (origin is not None or request.method == "POST"):
                response: HttpResponse = error(request, Refused(403, "origin_not_allowed", _explain(origin)))
            elif request.method == "OPTIONS":
                response = HttpResponse(status=204)
            else:
                response = answered(view, methods, request, website)
            if origin is not None and website.allows(origin):
                allow(response, origin, methods)
            response["Vary"] = "Origin"
            return response

        return guarded

    return decorate


def from_anywhere(*, limit: Limit) -> Callable[[View], Guarded]:
    """For reports: the token in the body is the proof, wherever the service worker lives."""

    def decorate(view: View) -> Guarded:
        @csrf_exempt
        @functools.wraps(view)
        def guarded(request: HttpRequest) -> HttpResponseBase:
            try:
                limit.check(request)
            except TooOften as refused:
                return error(request, refused, {"Retry-After": str(refused.seconds)})
            if request.method == "OPTIONS":
                response: HttpResponse = HttpResponse(status=204)
            else:
                response = answered(view, ("POST",), request)
            return allow(response, "*", ("POST",))

        return guarded

    return decorate


def answered(view: View, methods: tuple[str, ...], request: HttpRequest, *arguments: Any) -> HttpResponse:
    """The view's answer, or the refusal in six fields."""
    if request.method not in methods:
        wrong = Refused(405, "method_not_allowed", f"Use {' or '.join(methods)} here.")
        return error(request, wrong, {"Allow": ", ".join(methods)})
    try:
        return view(request, *arguments)
    except Refused as refused:
        return error(request, refused)


def allow(response: HttpResponse, origin: str, methods: tuple[str, ...]) -> HttpResponse:
    response["Access-Control-Allow-Origin"] = origin
    response["Access-Control-Allow-Methods"] = ", ".join(methods)
    response["Access-Control-Allow-Headers"] = "Content-Type"
    response["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
    return response


def _explain(origin: str | None) -> str:
    if origin is None:
        return "The request has no Origin header: it doesn't come from a page of this website."
    return (
        f"{origin[:200]} is not among this website's allowed origins. Add it in the console, under Websites."
    )
