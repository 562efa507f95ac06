"""What reports read is what happened: each row counted once, in whatever order and by however many at once."""

import datetime
import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from signalize_console.activity.cursors import CurrentTransaction, Cursor
from signalize_console.activity.models import Event, EventKind
from signalize_console.deliveries import outbox, readdressing, reports, rolling_up, statistics, tokens
from signalize_console.deliveries.models import DailyCount, Delivery, HourlyCount, SubscriberCount
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db(transaction=True)
SERVICES = ("fcm", "mozilla", "apple")
ENDS = (("accepted", ""), ("accepted", ""), ("failed", "too_large"), ("gone", "expired"))


@pytest.fixture
def website() -> Website:
    return make_website()


def make_audience(website: Website, count: int) -> list[Subscription]:
    return [
        make_subscription(
            website,
            recipient=make_recipient(website, language=("de-AT", "en", "")[number % 3]),
            push_service=SERVICES[number % 3],
            platform=("windows", "android")[number % 2],
        )
        for number in range(count)
    ]


def send_to_all(website: Website, subscriptions: list[Subscription], **fields: Any) -> PushMessage:
    """A message to everyone, expanded: its deliveries wait."""
    message_id = outbox.send(make_message(website, **fields), [make_text()]).message_id
    message = PushMessage.objects.get(pk=message_id)
    Delivery.objects.bulk_create(
        Delivery(
            day=message.day,
            push_message=message,
            subscription=one,
            recipient_id=one.recipient_id,
            push_service=one.push_service,
        )
        for one in subscriptions
    )
    return message


def end(deliveries: Any, state: str = "accepted", reason: str = "") -> None:
    """As the engine writes it."""
    deliveries.update(state=state, reason=reason, answered_at=timezone.now(), ended_in=CurrentTransaction())


def report(delivery: Delivery, kind: str, button: str = "") -> bool:
    return reports.report(tokens.make(delivery.pk, delivery.day), kind, button)


def happen(recipient: Recipient, kind: str, **fields: Any) -> Event:
    return Event.objects.create(
        day=timezone.now().date(), website_id=recipient.website_id, recipient=recipient, kind=kind, **fields
    )


def roll_up() -> None:
    while rolling_up.roll_up():
        pass


def counted(*by: str, **of: Any) -> dict[Any, int]:
    """The sums by these columns."""
    sums: Counter[Any] = Counter()
    for row in DailyCount.objects.filter(**of):
        key = tuple(getattr(row, name) for name in by)
        sums[key if len(by) > 1 else key[0]] += row.count
    return dict(sums)


def recounted() -> Counter[Any]:
    """All that ended or was reported, counted from the rows themselves, in Python."""
    languages = {one.pk: one.language.split("-")[0] for one in Recipient.objects.all()}
    platforms = dict(Subscription.objects.values_list("pk", "platform"))
    deliveries = {one.pk: one for one in Delivery.objects.select_related("push_message")}
    rows: Counter[Any] = Counter()

    def add(one: Delivery, name: str, detail: str) -> None:
        message = one.push_message
        rows[
            one.day, message.website_id, 0 if message.audience == "recipients" else message.pk,
            one.push_service, languages[one.recipient_id], platforms[one.subscription_id], name, detail,
        ] += 1  # fmt: skip

    for one in deliveries.values():
        if one.state not in {"pending", "sending"}:
            add(one, one.state, "" if one.state == "accepted" else one.reason)
    for event in Event.objects.exclude(delivery_id=None):
        add(deliveries[event.delivery_id or 0], event.kind, event.properties.get("button", ""))
    return rows


def rolled() -> Counter[Any]:
    columns = (
        "day",
        "website_id",
        "push_message_id",
        "push_service",
        "language",
        "platform",
        "name",
        "detail",
    )
    return Counter(
        {tuple(getattr(row, one) for one in columns): row.count for row in DailyCount.objects.all()}
    )


def test_what_ended_and_what_was_reported_counts_once(website: Website) -> None:
    subscriptions = make_audience(website, 12)
    message = send_to_all(website, subscriptions)
    named = outbox.send(make_message(website), [make_text()], [subscriptions[0].recipient]).message_id
    for (state, reason), delivery in zip(
        itertools.cycle(ENDS), Delivery.objects.order_by("pk")[:9], strict=False
    ):
        end(Delivery.objects.filter(pk=delivery.pk), state, reason)
    end(Delivery.objects.filter(push_message=named))
    for delivery in Delivery.objects.filter(state="accepted"):
        report(delivery, "shown")
        report(delivery, "shown")
        report(delivery, "clicked", "button-2")

    for _time in range(2):
        roll_up()
        assert rolled() == recounted()
    assert sum(counted("name", push_message_id=message.pk, name="accepted").values()) == 5
    assert set(HourlyCount.objects.values_list("push_message_id", "name", "count")) == {
        (message.pk, "accepted", 5), (message.pk, "shown", 5), (message.pk, "clicked", 5),
    }  # fmt: skip

    end(Delivery.objects.filter(state="pending"))
    roll_up()
    assert rolled() == recounted()


def test_whoever_commits_late_counts_all_the_same(website: Website) -> None:
    """Transactions that began before a roll-up and commit after it, as a slow worker's do."""
    subscriptions = make_audience(website, 4)
    send_to_all(website, subscriptions)
    first, *others = Delivery.objects.order_by("pk")
    wrote, may_commit = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            end(Delivery.objects.filter(pk=first.pk))
            wrote.set()
            may_commit.wait(20)
        connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    assert wrote.wait(20)
    end(Delivery.objects.filter(pk__in=[one.pk for one in others]))
    roll_up()
    before = sum(counted("name").values())
    may_commit.set()
    thread.join()
    roll_up()
    assert (before, rolled()) == (0, recounted())


def test_many_write_while_many_roll_up_and_one_rebuilds(website: Website) -> None:
    subscriptions = make_audience(website, 60)
    for _message in range(3):
        send_to_all(website, subscriptions)
    deliveries = list(Delivery.objects.all())
    random.Random(7).shuffle(deliveries)
    done = threading.Event()
    failures: list[BaseException] = []

    def write(mine: list[Delivery]) -> None:
        for number, delivery in enumerate(mine):
            state, reason = ENDS[number % 4]
            with transaction.atomic():
                end(Delivery.objects.filter(pk=delivery.pk), state, reason)
                if state == "accepted":
                    report(delivery, "shown")
            if state == "accepted" and number % 2:
                report(delivery, "clicked", "button-1")

    def again_and_again(do: Callable[[], object]) -> None:
        while not done.is_set():
            do()

    def run(do: Callable[..., None], *args: Any) -> threading.Thread:
        def guarded() -> None:
            try:
                do(*args)
            except BaseException as error:
                failures.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=guarded)
        thread.start()
        return thread

    readers = [
        run(again_and_again, do) for do in (rolling_up.roll_up, rolling_up.roll_up, rolling_up.rebuild)
    ]
    for writer in [run(write, deliveries[start::4]) for start in range(4)]:
        writer.join()
    done.set()
    for reader in readers:
        reader.join()
    roll_up()
    assert failures == []
    assert rolled() == recounted()
    assert len(recounted()) > 20
    incremental = rolled()
    call_command("rebuild_rollups", verbosity=0)
    assert rolled() == incremental


def test_a_conversion_belongs_to_the_last_click_within_its_window(website: Website, settings: Any) -> None:
    subscriptions = make_audience(website, 3)
    messages = [send_to_all(website, subscriptions) for _time in range(2)]
    end(Delivery.objects.all())
    now = timezone.now()
    clicks = [Delivery.objects.get(push_message=one, subscription=subscriptions[0]) for one in messages]
    for delivery, hours in zip(clicks, (5, 2), strict=True):
        report(delivery, "clicked")
        at = now - datetime.timedelta(hours=hours)
        Event.objects.filter(delivery_id=delivery.pk, kind="clicked").update(occurred_at=at)
    buyer, other = subscriptions[0].recipient, subscriptions[1].recipient
    order = {"kind": EventKind.EVENT, "name": "order"}
    for hours, worth in ((1, "19.90"), (3, 5), (6, 100)):
        happen(buyer, **order, properties={"value": worth}, occurred_at=now - datetime.timedelta(hours=hours))
    happen(other, **order, properties={"orderPrice": 7})
    happen(buyer, kind=EventKind.EVENT, name="insertToBasket", properties={"value": 1000})

    def worth() -> dict[int, float]:
        found = DailyCount.objects.filter(name="converted")
        return {row.push_message_id: float(row.value) for row in found if row.detail == "order"}

    roll_up()
    nobody = sum(float(row.value) for row in DailyCount.objects.filter(name="converted", push_message_id=0))
    assert (worth()[messages[0].pk], worth()[messages[1].pk], nobody) == (5.0, 19.9, 107.0)

    settings.CONVERSION_HOURS, settings.CONVERSION_EVENTS = 1, ["order", "insertToBasket"]
    # With the cursor that DEBUG has.
    with CaptureQueriesContext(connection):
        rolling_up.rebuild()
    assert counted("detail", name="converted") == {"order": 4, "insertToBasket": 1}
    assert counted("push_message_id", name="converted", detail="order").get(messages[0].pk) is None


def test_unsubscribing_is_charged_to_the_last_message_of_the_day_before(website: Website) -> None:
    subscriptions = make_audience(website, 3)
    first, second = (send_to_all(website, subscriptions) for _time in range(2))
    end(Delivery.objects.all())
    now = timezone.now()
    Delivery.objects.filter(push_message=first).update(answered_at=now - datetime.timedelta(hours=1))
    Delivery.objects.filter(push_message=second, subscription=subscriptions[1]).update(state="failed")
    Delivery.objects.filter(subscription=subscriptions[2]).update(
        answered_at=now - datetime.timedelta(days=2)
    )
    for subscription in subscriptions:
        happen(subscription.recipient, EventKind.UNSUBSCRIBED, properties={"push_service": "fcm"})
    roll_up()
    assert counted("push_message_id", name="unsubscribed") == {second.pk: 1, first.pk: 1, 0: 1}


def test_a_test_is_charged_with_nothing(website: Website) -> None:
    (subscription,) = make_audience(website, 1)
    earlier, trial = (send_to_all(website, [subscription]) for _time in range(2))
    PushMessage.objects.filter(pk=trial.pk).update(test=True)
    end(Delivery.objects.all())
    for message in (earlier, trial):
        delivery = Delivery.objects.get(push_message=message)
        report(delivery, "clicked")
    happen(subscription.recipient, EventKind.EVENT, name="order", properties={"value": 5})
    happen(subscription.recipient, EventKind.UNSUBSCRIBED)
    roll_up()
    assert counted("push_message_id", name="converted") == {earlier.pk: 1}
    assert counted("push_message_id", name="unsubscribed") == {earlier.pk: 1}


def test_visits_opt_ins_and_strange_names_count_without_growing(website: Website) -> None:
    recipient = make_subscription(website, platform="android").recipient
    happen(recipient, EventKind.SUBSCRIBED, properties={"push_service": "fcm"})
    for number in range(5):
        happen(recipient, EventKind.PAGE_VIEW, properties={"push_service": f"strange {number}"})
        happen(recipient, EventKind.EVENT, name=f"strange {number}")
        happen(recipient, EventKind.OPTIN_SHOWN)
    roll_up()
    assert counted("name") == {"subscribed": 1, "visit": 1, "optin_shown": 5}
    assert DailyCount.objects.count() == 3
    assert DailyCount.objects.get(name="subscribed").platform == "android"


def test_a_visit_begins_where_no_page_was_viewed_for_half_an_hour(website: Website) -> None:
    chrome, firefox = (make_subscription(website, push_service=one).recipient for one in ("fcm", "mozilla"))
    now = timezone.now()
    for recipient, minutes in (
        *((chrome, minutes) for minutes in (200, 200, 190, 161, 130, 60, 29.5, 0, 0)),
        *((firefox, minutes) for minutes in (190, 185)),
    ):
        at = now - datetime.timedelta(minutes=minutes)
        happen(recipient, EventKind.PAGE_VIEW, occurred_at=at)
        roll_up()
    assert counted("push_service", name="visit") == {"fcm": 4, "mozilla": 1}
    call_command("rebuild_rollups", verbosity=0)
    assert counted("push_service", name="visit") == {"fcm": 4, "mozilla": 1}


def test_a_page_view_that_is_told_late_changes_no_visit(website: Website) -> None:
    recipient = make_subscription(website).recipient
    now = timezone.now()
    for minutes in (0, 20):
        happen(recipient, EventKind.PAGE_VIEW, occurred_at=now - datetime.timedelta(minutes=minutes))
    roll_up()
    counted_so = counted("name", name="visit")
    call_command("rebuild_rollups", verbosity=0)
    assert counted("name", name="visit") == counted_so == {"visit": 2}


def test_a_restored_dump_counts_again_only_after_a_rebuild(website: Website) -> None:
    send_to_all(website, make_audience(website, 2))
    end(Delivery.objects.all())
    roll_up()
    # Numbers of a cluster that had come further than this one.
    Delivery.objects.update(ended_in=10**12)
    Cursor.objects.update(position=10**12 + 1)
    assert not rolling_up.roll_up()
    rolling_up.rebuild()
    assert rolled() == recounted()
    assert not Delivery.objects.filter(ended_in__gt=10**11).exists()
    roll_up()
    assert rolled() == recounted()


def told(message: PushMessage) -> dict[str, dict[str, dict[str, int]]]:
    """What the API's breakdown must say, counted from the rows themselves, in Python."""
    reported = set(Event.objects.exclude(delivery_id=None).values_list("delivery_id", "kind"))
    found: dict[str, dict[str, Counter[str]]] = {"byPushService": {}, "byLanguage": {}}
    for one in Delivery.objects.of(message).select_related("recipient"):
        facts = ["targeted", *(["accepted"] if one.state == "accepted" else [])]
        facts += [kind for kind in ("shown", "clicked", "closed") if (one.pk, kind) in reported]
        for name, key in (("byPushService", one.push_service), ("byLanguage", one.recipient.language[:2])):
            found[name].setdefault(key, Counter()).update(facts)
    names = ("targeted", "accepted", "shown", "clicked", "closed")
    return {
        name: {key: {one: counts[one] for one in names} for key, counts in parts.items()}
        for name, parts in found.items()
    }


def test_the_apis_numbers_are_exact_whatever_is_rolled_up(website: Website) -> None:
    subscriptions = make_audience(website, 12)
    message = send_to_all(website, subscriptions)
    deliveries = list(Delivery.objects.order_by("pk"))
    today = message.day
    for number, delivery in enumerate(deliveries[:9]):
        state, reason = ENDS[number % 4]
        end(Delivery.objects.filter(pk=delivery.pk), state, reason)
        if state == "accepted":
            report(delivery, "shown")
        if number % 3 == 1:
            roll_up()
        said = statistics.breakdown(message)
        assert {name: said[name] for name in ("byPushService", "byLanguage")} == told(message)
        (day,) = statistics.per_day(website.pk, today, today)
        assert (day["messages"], day["targeted"], day["shown"]) == (1, 12, Event.objects.count())
        assert day["accepted"] == Delivery.objects.filter(state="accepted").count()
    assert statistics.breakdown(message)["failedByReason"] == {"too_large": 2, "expired": 2}


def test_the_apis_numbers_are_exact_though_it_is_rolled_up_meanwhile(website: Website) -> None:
    """Between looking where the cursor stands, and looking at the sums."""
    message = send_to_all(website, make_audience(website, 6))
    end(Delivery.objects.all())
    rolled_up: list[threading.Thread] = []

    def elsewhere() -> None:
        roll_up()
        connection.close()

    def between(execute: Callable[..., Any], sql: Any, *args: Any) -> Any:
        if "deliveries_dailycount" in str(sql) and not rolled_up:
            rolled_up.append(threading.Thread(target=elsewhere))
            rolled_up[0].start()
            rolled_up[0].join()
        return execute(sql, *args)

    with connection.execute_wrapper(between):
        said = statistics.breakdown(message)
    assert rolled_up
    assert said["byPushService"] == told(message)["byPushService"]


def test_what_is_withdrawn_from_somebody_else_counts(website: Website) -> None:
    recipient = make_subscription(website).recipient
    outbox.send(make_message(website, transactional=True), [make_text()], [recipient])
    readdressing.withdraw(recipient)
    roll_up()
    assert counted("name", "detail") == {("cancelled", "other_person"): 1}


def test_subscribers_are_counted_each_day(website: Website) -> None:
    subscriptions = make_audience(website, 3)
    rolling_up.count_subscribers()
    Subscription.objects.filter(pk=subscriptions[0].pk).end("unsubscribed", "visitor")
    rolling_up.count_subscribers()
    assert SubscriberCount.objects.get().count == 2
