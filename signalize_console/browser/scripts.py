"""The scripts that a site loads, without their comments: the snippet, and the service worker for its root."""

import base64
import functools
import hashlib
from pathlib import Path

import rjsmin
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, require_safe

SCRIPTS = Path(settings.BASE_DIR) / "static" / "browser"
JAVASCRIPT = "text/javascript; charset=utf-8"


@functools.cache
def script(name: str) -> str:
    """A script as it is served."""
    return str(rjsmin.jsmin((SCRIPTS / name).read_text()))


@functools.cache
def etag(name: str) -> str:
    return f'"{hashlib.sha256(script(name).encode()).hexdigest()[:16]}"'


@functools.cache
def integrity(name: str) -> str:
    """For a script tag that takes this version and no other (Subresource Integrity)."""
    digest = hashlib.sha384(script(name).encode()).digest()
    return f"sha384-{base64.b64encode(digest).decode()}"


@require_safe
@condition(etag_func=lambda _request, name="signalize.js": etag(name))
def snippet(_request: HttpRequest, name: str = "signalize.js") -> HttpResponse:
    """The snippet itself, or a module that it loads when it is needed."""
    return HttpResponse(
        script(name),
        content_type=JAVASCRIPT,
        headers={"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"},
    )


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """For the site's root: as a file, or by one line, ``importScripts("https://our.host/sw.js")``.

    It is told where this server is, because on another site it can't know.
    """
    server = f"{request.scheme}://{request.get_host()}"
    return HttpResponse(
        script("service-worker.js").replace("SIGNALIZE_SERVER", server),
        content_type=JAVASCRIPT,
        headers={
            "Cache-Control": "no-cache",
            "Service-Worker-Allowed": "/",
            "Access-Control-Allow-Origin": "*",
        },
    )
