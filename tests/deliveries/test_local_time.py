"""When each recipient's own clock shows the time that was meant."""

import datetime

import pytest
from django.utils import timezone

from signalize_console.deliveries import expanding, invariants, outbox, progress
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import MessageState
from signalize_console.websites.models import Website
from tests.deliveries.test_pacing import advance
from tests.makers import make_message, make_recipient, make_subscription, make_text

pytestmark = pytest.mark.django_db(transaction=True)
UTC, DAY = datetime.UTC, datetime.timedelta(days=1)


def tomorrow_at(hour: int) -> datetime.datetime:
    return (timezone.now() + DAY).replace(hour=hour, minute=0, second=0, microsecond=0)


def subscribe_in(website: Website, *zones: str) -> list[int]:
    return [
        make_subscription(website, recipient=make_recipient(website, time_zone=zone)).pk for zone in zones
    ]


def start_now(website: Website, at: datetime.datetime, zone: str = "UTC", **fields: object) -> PushMessage:
    """As if the eastmost clocks showed it now."""
    message = make_message(website, scheduled_at=at, time_zone=zone, in_local_time=True, **fields)
    outbox.send(message, [make_text()])
    PushMessage.objects.filter(pk=message.pk).update(due_at=timezone.now())
    advance()
    return PushMessage.objects.get(pk=message.pk)


def due() -> dict[int, datetime.datetime]:
    return dict(Delivery.objects.values_list("subscription_id", "due_at"))


def test_each_delivery_is_due_by_its_recipients_clock(website: Website) -> None:
    ids = subscribe_in(website, "Asia/Tokyo", "Asia/Kathmandu", "Etc/GMT+3")
    at = tomorrow_at(23)

    message = start_now(website, at)

    hours = [9, 5.75, -3]
    assert [due()[one] for one in ids] == [at - datetime.timedelta(hours=hour) for hour in hours]
    assert message.state == MessageState.SENDING
    assert message.due_at == min(due().values())
    assert message.valid_until == at + datetime.timedelta(hours=12, seconds=message.ttl)
    assert [str(one) for one in invariants.violations()] == []


def test_an_unknown_zone_has_the_senders_clock(website: Website) -> None:
    ids = subscribe_in(website, "", "Mars/Olympus", "'; DROP TABLE x; --", "europe/berlin")
    at = tomorrow_at(23)
    start_now(website, at, "Asia/Tokyo")
    assert {due()[one] for one in ids} == {at}


def test_it_starts_when_the_first_clock_shows_it(website: Website) -> None:
    at = tomorrow_at(23)
    message = make_message(website, scheduled_at=at, in_local_time=True)
    outbox.send(message, [make_text()])
    assert message.due_at == at - datetime.timedelta(hours=14)
    advance()
    message.refresh_from_db()
    assert message.state == MessageState.SCHEDULED


def test_a_clock_that_showed_it_hours_ago_shows_it_again_tomorrow(website: Website) -> None:
    ids = subscribe_in(website, "Etc/GMT-3", "UTC", "Etc/GMT+3")
    at = timezone.now().replace(microsecond=0) + datetime.timedelta(minutes=30)

    start_now(website, at)

    three = datetime.timedelta(hours=3)
    assert [due()[one] for one in ids] == [at - three + DAY, at, at + three]


def test_less_than_an_hour_late_is_in_time(website: Website) -> None:
    ids = subscribe_in(website, "UTC")
    at = timezone.now().replace(microsecond=0) - datetime.timedelta(minutes=30)
    message = start_now(website, at)
    assert due()[ids[0]] == at
    assert message.state == MessageState.SENDING


def test_what_has_passed_everywhere_is_not_accepted(website: Website) -> None:
    at = timezone.now() - datetime.timedelta(hours=13)
    with pytest.raises(outbox.NotAccepted, match="everywhere"):
        outbox.send(make_message(website, scheduled_at=at, in_local_time=True), [make_text()])


def test_all_parts_agree_whenever_they_are_made(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tomorrow or today is judged by when the message started."""
    monkeypatch.setattr(expanding, "CHUNK", 1)
    ids = subscribe_in(website, "UTC", "UTC")
    at = timezone.now().replace(microsecond=0) - datetime.timedelta(minutes=50)
    message = make_message(website, scheduled_at=at, in_local_time=True)
    outbox.send(message, [make_text()])
    progress.advance(False)
    earlier = timezone.now() - datetime.timedelta(minutes=5)
    PushMessage.objects.update(started_at=earlier)
    advance()
    assert {due()[one] for one in ids} == {at}


def test_it_can_be_undone_until_it_starts(website: Website) -> None:
    message = make_message(website, scheduled_at=tomorrow_at(23), in_local_time=True)
    outbox.send(message, [make_text()])
    assert message.withdraw_to_draft()
    message.refresh_from_db()
    assert (message.state, message.valid_until, message.in_local_time) == (MessageState.DRAFT, None, True)


def test_a_held_one_that_is_released_goes_to_all_at_once(website: Website) -> None:
    ids = subscribe_in(website, "Asia/Tokyo", "UTC")
    message = make_message(website, scheduled_at=tomorrow_at(23), in_local_time=True)
    outbox.send(message, [make_text()])
    PushMessage.objects.update(due_at=timezone.now() - datetime.timedelta(hours=2))
    advance()
    message.refresh_from_db()
    assert message.state == MessageState.HELD
    assert message.release()
    advance()
    assert len({due()[one] for one in ids}) == 1
    assert max(due().values()) <= timezone.now()
