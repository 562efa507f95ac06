"""The pictures that notifications load."""

from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from signalize_console.messaging.media import TYPES, media_file

# The name is the hash of the content, so it may be kept for good; and it is a picture, whatever it may say.
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}


@require_safe
def media(_request: HttpRequest, file_name: str) -> HttpResponse:
    """``file_name`` has the form of our own names: the address lets nothing else in."""
    try:
        content = media_file(file_name).read_bytes()
    except FileNotFoundError:
        raise Http404("There is no such picture.") from None
    return HttpResponse(content, content_type=TYPES[Path(file_name).suffix[1:]], headers=HEADERS)
