"""What browsers report without waiting for an answer: on a notification, and on what happened on a page."""

import contextlib
from typing import Any

from django.http import HttpRequest, HttpResponse

from signalize_console.activity import events
from signalize_console.activity.events import Happened
from signalize_console.activity.models import LONGEST_NAME, OPT_IN, REPORTS, EventKind
from signalize_console.browser.answers import invalid, optional_part, plain, read_json, text
from signalize_console.browser.cors import for_website, from_anywhere
from signalize_console.browser.limits import EVENTS
from signalize_console.browser.limits import REPORTS as REPORTING
from signalize_console.browser.subscriptions import client_id
from signalize_console.deliveries import reports, tokens
from signalize_console.websites.models import Website

LARGEST_REPORT, LARGEST_BATCH = 2_048, 32_768
MOST_EVENTS, LONGEST_TEXT, OLDEST = 50, 300, 86_400
# The kinds that a page may name; every other name is the site's own.
OF_A_PAGE = {EventKind.PAGE_VIEW, *OPT_IN}


@from_anywhere(limit=REPORTING)
def report(request: HttpRequest) -> HttpResponse:
    """What became of a notification. A token that isn't ours is answered like one that is."""
    body = read_json(request, LARGEST_REPORT)
    kind = text(body, "event", 16)
    if kind not in REPORTS:
        raise invalid("event must be shown, clicked or closed.")
    token, button = text(body, "token", 100), text(body, "button", 32, required=False)
    with contextlib.suppress(tokens.BadToken):
        reports.report(token, kind, button)
    return HttpResponse(status=204)


@for_website("POST", limit=EVENTS)
def page_events(request: HttpRequest, website: Website) -> HttpResponse:
    """A batch of what happened on a page. The answer is the same whoever the recipient id belongs to."""
    body = read_json(request, LARGEST_BATCH)
    batch = body.get("events")
    if not isinstance(batch, list) or len(batch) > MOST_EVENTS:
        raise invalid(f"events must be a list of at most {MOST_EVENTS} events.")
    events.record_of_page(website, client_id(body), [_happened(one) for one in batch])
    return HttpResponse(status=204)


def _happened(said: Any) -> Happened:
    if not isinstance(said, dict):
        raise invalid("An event must be an object.")
    name, age = text(said, "name", LONGEST_NAME), said.get("age", 0)
    if isinstance(age, bool) or not isinstance(age, int | float):
        raise invalid("age must be a number of milliseconds.")
    properties = plain(optional_part(said, "properties") or {}, LONGEST_TEXT)
    kind = EventKind(name) if name in OF_A_PAGE else EventKind.EVENT
    # A comparison with NaN is false: it counts as now.
    seconds = min(age, 1000 * OLDEST) / 1000 if age > 0 else 0.0
    return Happened(kind, "" if kind in OF_A_PAGE else name, properties, seconds)
