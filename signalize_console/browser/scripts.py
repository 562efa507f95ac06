"""The two scripts that a site loads: the snippet, and the service worker for its root."""

import functools
import hashlib
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import condition, require_safe

SCRIPTS = Path(settings.BASE_DIR) / "static" / "browser"
JAVASCRIPT = "text/javascript; charset=utf-8"


@functools.cache
def _script(name: str) -> str:
    return (SCRIPTS / name).read_text()


def _etag(_request: HttpRequest) -> str:
    return f'"{hashlib.sha256(_script("signalize.js").encode()).hexdigest()[:16]}"'


@require_safe
@condition(etag_func=_etag)
def snippet(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        _script("signalize.js"),
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
        _script("service-worker.js").replace("SIGNALIZE_SERVER", server),
        content_type=JAVASCRIPT,
        headers={
            "Cache-Control": "no-cache",
            "Service-Worker-Allowed": "/",
            "Access-Control-Allow-Origin": "*",
        },
    )
