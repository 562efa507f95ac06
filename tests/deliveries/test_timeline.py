"""One recipient's life in pages: everything once, the newest first, however the pages are cut."""

import datetime

import pytest
from django.utils import timezone

from signalize_console.activity.models import Event, EventKind
from signalize_console.deliveries import outbox
from signalize_console.deliveries.models import Delivery
from signalize_console.deliveries.timeline import SOURCES, Place, timeline
from signalize_console.recipients import consent
from signalize_console.recipients.models import Consent, ConsentKind, Recipient
from tests.makers import make_message, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def happen(recipient: Recipient, *, minutes: int) -> None:
    """One of each, at the same moment."""
    at = NOW - datetime.timedelta(minutes=minutes)
    event = Event.objects.create(
        day=at.date(),
        website=recipient.website,
        recipient=recipient,
        kind=EventKind.PAGE_VIEW,
        occurred_at=at,
    )
    assert event.pk
    outbox.send(make_message(recipient.website), [make_text()], [recipient])
    Delivery.objects.filter(pk=Delivery.objects.latest("pk").pk).update(created_at=at)
    logged = consent.log(recipient, ConsentKind.GIVEN)
    Consent.objects.filter(pk=logged.pk).update(occurred_at=at)


@pytest.fixture
def recipient() -> Recipient:
    website = make_website()
    recipient, other = (make_subscription(website).recipient for _ in range(2))
    for minutes in (3, 1, 2, 2, 1):
        happen(recipient, minutes=minutes)
        happen(other, minutes=minutes)
    return recipient


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 15, 100])
def test_pages_hold_everything_once_the_newest_first(recipient: Recipient, size: int) -> None:
    seen, place, more = [], None, True
    while more:
        entries, more = timeline(recipient, SOURCES, place, size)
        assert 0 < len(entries) <= size
        seen += entries
        place = Place.from_text(str(entries[-1].place))

    assert len(seen) == 15
    assert len({(one.place.source, one.place.id) for one in seen}) == 15
    orders = [one.place.order for one in seen]
    assert orders == sorted(orders, reverse=True)
    assert {one.what.recipient_id for one in seen if one.place.source != "consent"} == {recipient.pk}


def test_only_the_asked_sources_and_no_reports(recipient: Recipient) -> None:
    delivery = Delivery.objects.filter(recipient=recipient).latest("pk")
    Event.objects.create(
        day=delivery.day, website=recipient.website, recipient=recipient, kind="shown",
        delivery_id=delivery.pk, push_message_id=delivery.push_message_id,
    )  # fmt: skip
    entries, _more = timeline(recipient, ["event"])
    assert [one.what.kind for one in entries] == ["page_view"] * 5


@pytest.mark.parametrize(
    "text",
    ["", "~", "x~event~1", "2026-01-01T00:00:00Z~users~1", "2026-01-01T00:00:00Z~event~-1", "2026-01-01T00:00:00~event~1",
     "2026-13-01T00:00:00Z~event~1", f"2026-01-01T00:00:00Z~event~{'9' * 30}", "2026-01-01T00:00:00Z~event~²"],
)  # fmt: skip
def test_a_place_that_nobody_gave_is_none(text: str) -> None:
    assert Place.from_text(text) is None
