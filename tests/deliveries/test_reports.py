"""What browsers report: once each, and only with our own token."""

import datetime

import pytest
from django.utils import timezone

from signalize_console.activity.models import Event
from signalize_console.deliveries import outbox, reports, sending, tokens
from signalize_console.deliveries.models import Delivery
from tests.makers import make_message, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery() -> Delivery:
    website = make_website()
    recipient = make_subscription(website).recipient
    outbox.send(make_message(website), [make_text()], [recipient])
    return Delivery.objects.get()


def test_it_stores_what_was_shown_and_clicked(delivery: Delivery) -> None:
    token = tokens.make(delivery.pk, delivery.day)

    assert reports.report(token, "shown")
    assert reports.report(token, "clicked", "button-1")

    events = Event.objects.order_by("kind")
    assert [event.kind for event in events] == ["clicked", "shown"]
    assert events[0].properties == {"button": "button-1"}
    assert {event.recipient_id for event in events} == {delivery.recipient_id}
    assert {event.push_message_id for event in events} == {delivery.push_message_id}


def test_it_counts_a_repeated_report_once(delivery: Delivery) -> None:
    token = tokens.make(delivery.pk, delivery.day)

    assert [reports.report(token, "shown") for _ in range(3)] == [True, False, False]
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: "9" + t, lambda t: t + "A", lambda _t: "", lambda _t: "1.2.ü"]
)
def test_it_refuses_a_changed_token(delivery: Delivery, change: object) -> None:
    with pytest.raises(tokens.BadToken):
        reports.report(change(tokens.make(delivery.pk, delivery.day)), "shown")  # type: ignore[operator]
    assert not Event.objects.exists()


def test_it_refuses_a_kind_that_is_no_report(delivery: Delivery) -> None:
    with pytest.raises(ValueError, match="subscribed"):
        reports.report(tokens.make(delivery.pk, delivery.day), "subscribed")


def test_it_forgets_an_erased_delivery(delivery: Delivery) -> None:
    token = tokens.make(delivery.pk, delivery.day)
    Delivery.objects.all().delete()

    assert reports.report(token, "shown") is False


@pytest.mark.parametrize(("audience", "seconds"), [(1, 0), (499, 0), (5_000, 10), (1_000_000, 25)])
def test_the_larger_the_audience_the_longer_its_reports_spread(audience: int, seconds: int) -> None:
    message = make_message(make_website(), total=audience, valid_until=timezone.now())
    message.save()
    make_text(push_message=message).save()
    assert sending.prepared(message.pk).spread == seconds


def test_it_reads_back_what_it_made() -> None:
    assert tokens.read(tokens.make(42, datetime.date(2026, 11, 23))) == (42, datetime.date(2026, 11, 23))
