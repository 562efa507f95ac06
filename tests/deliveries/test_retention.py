"""Whole months go when nobody needs them any more, and what is left says so and counts as before."""

import datetime
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from signalize_console.activity import cursors, horizons, partitions
from signalize_console.activity.cursors import Cursor
from signalize_console.activity.models import Event, EventKind
from signalize_console.deliveries import (
    invariants,
    outbox,
    reports,
    retention,
    rolling_up,
    statistics,
    tokens,
)
from signalize_console.deliveries.causes import Cause, what_became
from signalize_console.deliveries.explaining import explain
from signalize_console.deliveries.funnels import report_of
from signalize_console.deliveries.models import Attempt, DailyCount, Delivery, HourlyCount, IdempotencyKey
from signalize_console.messaging.models import PushMessage, PushMessageText
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.deliveries.test_rolling_up import end, happen, make_audience, roll_up, send_to_all
from tests.makers import make_message, make_text, make_website

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = ("deliveries_attempt", "deliveries_delivery", "activity_event")
# Two months with partitions, long ago; and a day of the second.
OLD, NEXT = datetime.date(2024, 3, 11), datetime.date(2024, 4, 2)
# Long ago, and in no month's partition.
STRAY = datetime.date(2024, 1, 20)


@pytest.fixture(autouse=True)
def months() -> Iterator[None]:
    """Of each table: March to June 2024."""
    for table in TABLES:
        partitions.make(table, OLD)
    yield
    with connection.cursor() as cursor:
        for table, first in partitions.months(dict.fromkeys(TABLES, datetime.date(2025, 1, 1))):
            cursor.execute(f"DROP TABLE IF EXISTS {table}_{first:%Y_%m}")


@pytest.fixture
def website() -> Website:
    return make_website()


@pytest.fixture
def audience(website: Website) -> list[Subscription]:
    return make_audience(website, 4)


def send_then(day: datetime.date, website: Website, audience: list[Subscription]) -> PushMessage:
    """A message to everyone, as it ended on that day: three accepted, one too large; shown and clicked."""
    message = send_to_all(website, audience)
    first, *others = Delivery.objects.of(message).order_by("pk")
    end(Delivery.objects.filter(pk=first.pk), "failed", "too_large")
    end(Delivery.objects.filter(pk__in=[one.pk for one in others]))
    Attempt.objects.create(day=message.day, delivery=first, number=1, outcome="rejected", milliseconds=9)
    Delivery.objects.of(message).update(attempts=1)
    for delivery in others:
        reports.report(tokens.make(delivery.pk, delivery.day), "shown")
    reports.report(tokens.make(others[0].pk, others[0].day), "clicked", "button-1")
    PushMessage.objects.filter(pk=message.pk).update(state="finished", due_at=None, total=len(audience))
    return put_back(message, day)


def put_back(message: PushMessage, day: datetime.date) -> PushMessage:
    """All of it happened on that day."""
    at = datetime.datetime.combine(day, datetime.time(12), datetime.UTC)
    Delivery.objects.of(message).update(day=day, created_at=at, due_at=at)
    Delivery.objects.filter(push_message=message).exclude(answered_at=None).update(answered_at=at)
    Attempt.objects.filter(delivery_id__in=Delivery.objects.filter(push_message=message).values("pk")).update(
        day=day
    )
    Event.objects.filter(push_message_id=message.pk).update(day=day, occurred_at=at)
    PushMessage.objects.filter(pk=message.pk).update(
        day=day, created_at=at, started_at=at, valid_until=at + datetime.timedelta(hours=1)
    )
    PushMessage.objects.filter(pk=message.pk, state="finished").update(finished_at=at)
    return PushMessage.objects.get(pk=message.pk)


def exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        return bool(cursor.fetchone()[0])


def left() -> tuple[int, int, int]:
    return Attempt.objects.count(), Delivery.objects.count(), Event.objects.count()


def broken() -> list[str]:
    return [str(one) for one in invariants.violations()]


def test_whole_months_are_detached_and_dropped(website: Website, audience: list[Subscription]) -> None:
    for day in (OLD, NEXT):
        send_then(day, website, audience)
    young = send_then(timezone.now().date(), website, audience)
    roll_up()

    with CaptureQueriesContext(connection) as queries:
        retention.let_go()

    assert left() == (1, 4, 4)
    assert Delivery.objects.of(young).count() == 4
    assert [exists(f"{table}_2024_{month}") for table in TABLES for month in ("03", "06")] == [False] * 6
    assert horizons.kept() == (datetime.date(2024, 7, 1), datetime.date(2024, 7, 1))
    deleted_from = [one["sql"].split()[2] for one in queries if one["sql"].startswith("DELETE")]
    assert set(deleted_from) == {f"{table}_default" for table in TABLES}
    assert broken() == []


def test_months_are_kept_for_as_long_as_is_said(
    website: Website, audience: list[Subscription], settings: Any
) -> None:
    send_then(OLD, website, audience)
    roll_up()
    age = (timezone.now().date() - datetime.date(2024, 4, 1)).days

    settings.KEEP_DELIVERIES_DAYS, settings.KEEP_EVENTS_DAYS = age + 1, 0
    retention.let_go()
    assert left() == (1, 4, 4)

    settings.KEEP_DELIVERIES_DAYS = age
    retention.let_go()
    assert left() == (0, 0, 4)
    assert exists("deliveries_delivery_2024_04")
    assert exists("activity_event_2024_03")


@pytest.mark.parametrize(
    ("holds", "sql"),
    [
        (True, "UPDATE deliveries_delivery SET state = 'pending' WHERE state = 'failed'"),
        (True, "UPDATE deliveries_delivery SET state = 'sending' WHERE state = 'failed'"),
        *((True, f"UPDATE messaging_pushmessage SET state = '{state}', finished_at = NULL")
          for state in ("scheduled", "expanding", "sending", "paused", "held")),
        (True, "UPDATE messaging_pushmessage SET finished_at = now() - interval '30 days'"),
        (True, "UPDATE messaging_pushmessage SET state = 'cancelled', due_at = now()"),
        (False, "UPDATE messaging_pushmessage SET state = 'cancelled'"),
        (False, "UPDATE messaging_pushmessage SET state = 'repeating', due_at = now(), finished_at = NULL"),
    ],
)  # fmt: skip
def test_a_month_stays_while_a_message_of_it_is_not_over(
    website: Website, audience: list[Subscription], holds: bool, sql: str
) -> None:
    send_then(OLD, website, audience)
    roll_up()
    with connection.cursor() as cursor:
        cursor.execute(sql)

    retention.let_go()

    assert (left() == (1, 4, 4)) == holds
    assert exists("deliveries_delivery_2024_03") == exists("activity_event_2024_03") == holds


def test_what_became_open_while_it_was_looked_at_is_seen_under_the_lock(
    website: Website, audience: list[Subscription], monkeypatch: pytest.MonkeyPatch
) -> None:
    send_then(OLD, website, audience)
    roll_up()
    look = retention._obstacle

    def then_one_opens(name: str, first: datetime.date) -> str:
        found = look(name, first)
        Delivery.objects.filter(state="failed").update(state="pending")
        return found

    monkeypatch.setattr(retention, "_obstacle", then_one_opens)
    retention.let_go()

    assert left()[:2] == (1, 4)
    assert horizons.kept().deliveries == datetime.date.min


def test_nothing_goes_before_every_reader_has_read_it(website: Website, audience: list[Subscription]) -> None:
    send_then(OLD, website, audience)
    retention.let_go()
    assert left() == (1, 4, 4)  # never summed up

    roll_up()
    behind = Cursor.objects.create(name="webhooks", position=1)
    retention.let_go()
    assert left() == (1, 4, 4)

    Cursor.objects.filter(pk=behind.pk).update(position=10**12)
    retention.let_go()
    assert left() == (1, 4, 4)  # a cursor of another cluster

    Cursor.objects.filter(pk=behind.pk).update(position=cursors.position_of(rolling_up.READER))
    retention.let_go()
    assert left() == (0, 0, 0)


def test_it_waits_for_nobody_who_holds_the_table(website: Website, audience: list[Subscription]) -> None:
    send_then(OLD, website, audience)
    roll_up()
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Delivery.objects.of(send_to_all(website, audience)).count()
            held.set()
            let_go.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(20)
    started = time.monotonic()
    retention.let_go()
    took = time.monotonic() - started
    let_go.set()
    thread.join()

    assert took < 5
    assert left()[:2] == (1, 8)
    assert horizons.kept().deliveries == datetime.date.min
    retention.let_go()
    assert left()[:2] == (0, 4)


def test_a_worker_that_died_in_between_leaves_nothing_behind(
    website: Website, audience: list[Subscription]
) -> None:
    send_then(OLD, website, audience)
    roll_up()
    with transaction.atomic():
        partitions.detach("activity_event", OLD.replace(day=1))
    assert exists("activity_event_2024_03")

    retention.let_go()

    assert not exists("activity_event_2024_03")
    assert left() == (0, 0, 0)


def test_rows_of_the_default_partition_go_in_chunks(
    website: Website, audience: list[Subscription], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 3)
    message = send_then(STRAY, website, audience)
    roll_up()
    Delivery.objects.filter(state="failed").update(state="pending")
    retention.let_go()
    assert left() == (1, 4, 4)

    Delivery.objects.filter(state="pending").update(state="failed")
    retention.let_go()
    assert left() == (0, 0, 0)
    assert report_of(message).funnel.accepted == 3
    assert broken() == []


def test_reports_say_what_they_said_before(website: Website, audience: list[Subscription]) -> None:
    message = send_then(OLD, website, audience)
    happen(audience[1].recipient, EventKind.UNSUBSCRIBED)
    roll_up()

    def told() -> list[Any]:
        report = report_of(message)
        days = (
            statistics.per_day(website.pk, OLD, OLD),
            statistics.per_day(website.pk, timezone.now().date(), timezone.now().date()),
        )
        counts = DailyCount.objects.order_by("pk").values_list("name", "day", "count")
        hours = HourlyCount.objects.order_by("hour", "name").values_list("hour", "name", "count")
        return [report, statistics.breakdown(message), days, sorted(counts), list(hours)]

    before = told()
    assert before[0].funnel.counts["accepted"] == 3
    retention.let_go()
    assert left() == (0, 0, 1)
    assert told() == before

    rolling_up.rebuild()
    assert told() == before


def test_the_month_after_the_horizon_keeps_its_sums_and_later_ones_are_counted_anew(
    website: Website, audience: list[Subscription]
) -> None:
    """An order of April may belong to a click of March, which nobody can find any more."""
    send_then(OLD, website, audience)
    old, later = (send_then(day, website, audience) for day in (NEXT, datetime.date(2024, 5, 3)))
    roll_up()
    DailyCount.objects.filter(name="accepted").update(count=100)
    horizons.move(horizons.DELIVERIES, datetime.date(2024, 4, 1))

    rolling_up.rebuild()

    assert {one.pk: report_of(one).funnel.accepted for one in (old, later)} == {old.pk: 300, later.pk: 3}


def test_messages_to_named_recipients_go_with_their_deliveries(
    website: Website, audience: list[Subscription]
) -> None:
    """Nobody could find whose words they are, to erase them."""
    to_all = send_then(OLD, website, audience)
    accepted = outbox.send(make_message(website), [make_text(title="For Ann")], [audience[0].recipient])
    end(Delivery.objects.filter(push_message=accepted.message_id))
    PushMessage.objects.filter(pk=accepted.message_id).update(state="finished", due_at=None)
    put_back(PushMessage.objects.get(pk=accepted.message_id), OLD)
    roll_up()
    (day,) = statistics.per_day(website.pk, OLD, OLD)
    assert (day["messages"], day["accepted"]) == (2, 4)

    retention.let_go()

    assert list(PushMessage.objects.all()) == [to_all]
    assert not PushMessageText.objects.filter(title="For Ann").exists()
    assert statistics.per_day(website.pk, OLD, OLD) == [day]
    assert broken() == []


def test_a_message_stays_as_long_as_its_idempotency_key(
    website: Website, audience: list[Subscription]
) -> None:
    accepted = outbox.send(make_message(website), [make_text()], [audience[0].recipient], idempotency_key="k")
    end(Delivery.objects.all())
    PushMessage.objects.update(state="finished", due_at=None)
    put_back(PushMessage.objects.get(pk=accepted.message_id), OLD)
    roll_up()
    retention.let_go()
    assert (Delivery.objects.count(), PushMessage.objects.count()) == (0, 1)

    IdempotencyKey.objects.all().delete()
    retention.let_go()
    assert not PushMessage.objects.exists()


def test_a_subscription_that_ended_long_ago_needs_no_proof(
    website: Website, audience: list[Subscription]
) -> None:
    message = send_then(OLD, website, audience)
    gone = Delivery.objects.filter(state="failed").get()
    Delivery.objects.filter(pk=gone.pk).update(state="gone", reason="expired")
    ended = Subscription.objects.filter(pk=gone.subscription_id)
    ended.update(state="expired", ended_reason="push service: expired", ended_at=message.finished_at)
    roll_up()
    retention.let_go()
    assert left() == (0, 0, 0)
    assert broken() == []

    ended.update(ended_at=timezone.now())
    assert broken() == [
        f"Subscription {gone.subscription_id} was ended by the push service, but no delivery of it is gone."
    ]


def test_it_says_that_nobody_knows_any_more_who_got_it(
    website: Website, audience: list[Subscription]
) -> None:
    old = send_then(OLD, website, audience)
    young = send_then(timezone.now().date(), website, audience)
    roll_up()
    recipient = audience[1].recipient

    def causes() -> list[Cause]:
        told = explain(recipient, [old, young])
        return [one.cause for message in (old, young) for one in told[message.pk]]

    assert causes() == [Cause.CLICKED, Cause.CLICKED]
    retention.let_go()
    assert causes() == [Cause.NOT_KEPT, Cause.CLICKED]


def test_it_does_not_call_a_browser_silent_whose_reports_are_gone(
    website: Website, audience: list[Subscription], settings: Any
) -> None:
    settings.KEEP_DELIVERIES_DAYS = 0
    send_then(OLD, website, audience)
    roll_up()
    delivery = Delivery.objects.filter(state="accepted").order_by("-pk")[0]
    Event.objects.filter(delivery_id=delivery.pk).delete()
    assert what_became([delivery])[delivery.pk].cause == Cause.UNREPORTED

    retention.let_go()

    assert left() == (1, 4, 0)
    assert what_became([delivery])[delivery.pk].cause == Cause.REPORTS_NOT_KEPT
