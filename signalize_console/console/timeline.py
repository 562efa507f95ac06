"""A recipient's timeline as it is read: one line for a visit, a consent, an event, a message."""

import datetime
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from signalize_console.activity.models import Event, EventKind
from signalize_console.console.outcomes import said
from signalize_console.console.reasons import SERVICES, service_name
from signalize_console.deliveries.causes import Explanation, what_became
from signalize_console.deliveries.models import Delivery
from signalize_console.deliveries.timeline import Entry, Place, timeline
from signalize_console.messaging.rendering import text_read
from signalize_console.recipients.models import Consent, ConsentKind, Recipient

# Each source, what it is called, and the permission that it takes to see it.
SOURCES = {
    "delivery": (gettext_lazy("Messages"), "deliveries.view_delivery"),
    "event": (gettext_lazy("On the site"), "activity.view_event"),
    "consent": (gettext_lazy("Consent"), "recipients.view_consent"),
}
# A visit ends when no page was viewed for this long, as segments count them.
VISIT_GAP = datetime.timedelta(minutes=30)
MOST_PAGES, LONGEST_PROPERTIES = 5, 300


@dataclass
class Line:
    """``tone`` and ``kind`` are its badge; ``delivery`` is there for a message."""

    at: datetime.datetime
    tone: str
    kind: str
    what: str
    more: str = ""
    delivery: Delivery | None = None
    views: list[Event] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """``next`` is where the following one begins; empty at the end."""

    lines: list[Line]
    next: str


def page(recipient: Recipient, sources: Collection[str], after: Place | None) -> Page:
    entries, has_more = timeline(recipient, sources, after)
    explanations = what_became([entry.what for entry in entries if entry.place.source == "delivery"])
    lines: list[Line] = []
    for entry in entries:
        if _joins(lines, entry):
            lines[-1].views.append(entry.what)
        else:
            lines.append(_line(entry, explanations, recipient.language))
    for line in lines:
        if line.views:
            _tell_visit(line)
    return Page(lines, str(entries[-1].place) if has_more else "")


def _joins(lines: Sequence[Line], entry: Entry) -> bool:
    """Whether this page view belongs to the visit of the line before, which came later."""
    views = lines[-1].views if lines else []
    is_view = entry.place.source == "event" and entry.what.kind == EventKind.PAGE_VIEW
    return is_view and bool(views) and views[-1].occurred_at - entry.place.at <= VISIT_GAP


def _line(entry: Entry, explanations: dict[int, Explanation], language: str) -> Line:
    if entry.place.source == "consent":
        return _of_consent(entry.what)
    if entry.place.source == "event":
        return _of_event(entry.what)
    return _of_delivery(entry.what, explanations.get(entry.what.pk), language)


def _of_consent(consent: Consent) -> Line:
    is_given = consent.kind == ConsentKind.GIVEN
    what = _("Consent given") if is_given else _("Consent withdrawn")
    said_where = _("on %s") % consent.origin if consent.origin else ""
    version = _("text %s") % consent.text_version if consent.text_version else ""
    more = ", ".join(part for part in (said_where, version) if part)
    return Line(consent.occurred_at, "active" if is_given else "gone", _("consent"), what, more)


def _of_event(event: Event) -> Line:
    label = event.get_kind_display()
    if event.kind == EventKind.PAGE_VIEW:
        return Line(event.occurred_at, "quiet", _("visit"), "", views=[event])
    what = event.name if event.kind == EventKind.EVENT else label[:1].upper() + label[1:]
    service = event.properties.get("push_service")
    more = service_name(service) if service in SERVICES else _properties(event.properties)
    return Line(event.occurred_at, event.kind, _("event"), what, more)


def _properties(properties: dict[str, Any]) -> str:
    """What the site told with an event, cut."""
    written = json.dumps(properties, ensure_ascii=False) if properties else ""
    return written if len(written) <= LONGEST_PROPERTIES else f"{written[:LONGEST_PROPERTIES]}…"


def _tell_visit(line: Line) -> None:
    """Its pages, in the order in which they were looked at."""
    views = line.views[::-1]
    line.what = ngettext("Visit: %d page", "Visit: %d pages", len(views)) % len(views)
    pages = list(dict.fromkeys(str(one.properties.get("page") or "") for one in views))
    shown = [page for page in pages if page][:MOST_PAGES]
    line.more = ", ".join([*shown, *(["…"] if len(pages) > MOST_PAGES else [])])


def _of_delivery(delivery: Delivery, explanation: Explanation | None, language: str) -> Line:
    if explanation is None:
        return Line(delivery.created_at, delivery.state, delivery.get_state_display(), "–", delivery=delivery)
    text = text_read(explanation.message, language, delivery.variant)
    told = said(explanation)
    title = text.title if text else "–"
    return Line(delivery.created_at, told.tone, _("message"), title, told.line, delivery)
