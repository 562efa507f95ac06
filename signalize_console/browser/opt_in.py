"""The opt-in's door: all that the dialog shows, and the manifest that makes a page an app on an iPhone."""

import re

from django.http import HttpRequest, HttpResponse, JsonResponse

from signalize_console.browser.cors import for_website
from signalize_console.browser.limits import READING
from signalize_console.browser.words import OPT_IN, words
from signalize_console.websites import asking
from signalize_console.websites.models import Website
from signalize_console.websites.opt_in_texts import LANGUAGE


@for_website("GET", limit=READING)
def opt_in(request: HttpRequest, website: Website) -> HttpResponse:
    """Asked for when the dialog is to be shown; the texts are in ``?language=…``, as far as there are any."""
    language = request.GET.get("language", "")
    asked = asking.asked(website, language if re.fullmatch(LANGUAGE, language) else "")
    answer = JsonResponse({**asked, "help": words(OPT_IN, asked["language"])})
    answer["Cache-Control"] = "public, max-age=60"
    return answer


@for_website("GET", limit=READING)
def manifest(request: HttpRequest, website: Website) -> HttpResponse:
    """A web app manifest for the page that asks for it, with the opt-in's logo as the icon."""
    origin = request.headers.get("Origin") or website.origins[0]
    opt_in = asking.opt_in_of(website)
    icons = [{"src": opt_in.logo, "sizes": "any"}] if opt_in.logo else []
    said = {
        "name": website.name,
        "short_name": website.name[:12],
        "id": f"{origin}/",
        "start_url": f"{origin}/",
        "scope": f"{origin}/",
        "display": "standalone",
        "theme_color": opt_in.accent,
        "background_color": opt_in.background,
        "icons": icons,
    }
    return JsonResponse(
        said, content_type="application/manifest+json", headers={"Cache-Control": "public, max-age=300"}
    )
