"""What happened to one recipient, the newest first: consents, visits and events, messages.

Pages follow one another by the place where the last one ended, however long the life of a recipient is.
"""

import datetime
from collections.abc import Collection
from typing import Any, NamedTuple, Self

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from signalize_console.activity.models import Event
from signalize_console.deliveries.models import Delivery
from signalize_console.recipients.consent import client_id_hash
from signalize_console.recipients.models import Consent, Recipient

# In this order, where several happened at the same moment.
SOURCES = ("event", "delivery", "consent")
A_PAGE = 100


class Place(NamedTuple):
    """Where an entry stands."""

    at: datetime.datetime
    source: str
    id: int

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """What ``str`` made; None for anything else."""
        at, _tilde, rest = text.partition("~")
        source, _tilde, number = rest.partition("~")
        try:
            moment = parse_datetime(at)
        except ValueError:
            return None
        is_number = number.isascii() and number.isdigit() and len(number) < 19
        if moment is None or moment.tzinfo is None or source not in SOURCES or not is_number:
            return None
        return cls(moment, source, int(number))

    def __str__(self) -> str:
        return f"{self.at.astimezone(datetime.UTC).isoformat()}~{self.source}~{self.id}"

    @property
    def order(self) -> tuple[datetime.datetime, int, int]:
        return self.at, SOURCES.index(self.source), self.id


class Entry(NamedTuple):
    """``what`` is the Consent, Event or Delivery."""

    place: Place
    what: Any


def timeline(
    recipient: Recipient, sources: Collection[str], after: Place | None = None, size: int = A_PAGE
) -> tuple[list[Entry], bool]:
    """The next entries after that place, of these sources, and whether there are more.

    What a browser reported on a notification isn't among them: it belongs to its delivery.
    """
    entries = []
    for source in sources:
        rows, time = _rows(recipient, source)
        found = rows.filter(_after(after, source, time)).order_by(f"-{time}", "-id")[: size + 1]
        entries += [Entry(Place(getattr(one, time), source, one.pk), one) for one in found]
    entries.sort(key=lambda entry: entry.place.order, reverse=True)
    return entries[:size], len(entries) > size


def _rows(recipient: Recipient, source: str) -> tuple[QuerySet[Any], str]:
    """All rows of this source, and the name of their time."""
    if source == "consent":
        digest = client_id_hash(recipient.client_id)
        return Consent.objects.filter(client_id_hash=digest, website=recipient.website_id), "occurred_at"
    if source == "event":
        return Event.objects.filter(recipient=recipient, delivery_id=None), "occurred_at"
    return Delivery.objects.filter(recipient=recipient), "created_at"


def _after(place: Place | None, source: str, time: str) -> Q:
    if place is None:
        return Q()
    earlier = Q(**{f"{time}__lt": place.at})
    if source == place.source:
        return earlier | Q(**{time: place.at}, id__lt=place.id)
    comes_later = SOURCES.index(source) < SOURCES.index(place.source)
    return earlier | Q(**{time: place.at}) if comes_later else earlier
