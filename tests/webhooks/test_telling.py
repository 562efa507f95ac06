"""What is told of: every kind, once, to whom it was asked for; and the cursor that no order of commits fools."""

import datetime
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from signalize_console.activity import events
from signalize_console.activity.cursors import Cursor
from signalize_console.activity.models import Event, EventKind
from signalize_console.deliveries import ledger, outbox, progress, reports, tokens
from signalize_console.deliveries.ledger import Claim
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.webhooks import endpoints, telling
from signalize_console.webhooks.models import WebhookDelivery
from signalize_console.websites.models import Website
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db(transaction=True)
Listen = Callable[..., endpoints.Made]


@pytest.fixture
def website() -> Website:
    telling.read_on()
    return make_website()


@pytest.fixture
def listen(website: Website) -> Listen:
    def make(*kinds: str) -> endpoints.Made:
        return endpoints.create(website, "https://hooks.example.com/", kinds)

    return make


def read_all() -> list[tuple[str, str]]:
    while telling.read_on():
        pass
    return list(WebhookDelivery.objects.order_by("id").values_list("kind", "webhook_id"))


def send(website: Website, *subscriptions: Subscription, **fields: Any) -> PushMessage:
    recipients = [one.recipient for one in subscriptions]
    accepted = outbox.send(make_message(website, **fields), [make_text()], recipients)
    return PushMessage.objects.get(pk=accepted.message_id)


def answer(message: PushMessage, *states: str) -> list[int]:
    """The engine claims, the push service answers, the message settles."""
    (claimed,) = ledger.record_and_claim(message.transactional, [], [Claim(len(states))])
    results = [
        ledger.Result(
            one, state, "accepted" if state == "accepted" else "gone", "" if state == "accepted" else "x"
        )
        for one, state in zip(claimed, states, strict=True)
    ]
    ledger.record_and_claim(message.transactional, results, [])
    progress.advance(message.transactional, [message.pk])
    return [one.id for one in claimed]


def test_it_tells_what_became_of_a_message(website: Website, listen: Listen) -> None:
    listen("accepted", "failed", "finished")
    message = send(website, *(make_subscription(website) for _number in range(3)))
    accepted, gone, failed = answer(message, "accepted", "gone", "failed")

    told = read_all()

    assert sorted(told) == [
        ("accepted", f"delivery-{accepted}"),
        ("failed", f"delivery-{gone}"),
        ("failed", f"delivery-{failed}"),
        ("finished", f"message-{message.pk}"),
    ]
    row = WebhookDelivery.objects.get(webhook_id=f"delivery-{gone}")
    assert row.facts == {"state": "gone", "reason": "x", "pushService": "fcm"}
    assert (row.push_message_id, row.delivery_id) == (message.pk, gone)
    assert WebhookDelivery.objects.get(kind="finished").facts == {"state": "finished", "total": 3}


def test_it_tells_what_the_browser_reported_and_the_visitor_did(website: Website, listen: Listen) -> None:
    listen("shown", "clicked", "closed", "subscribed", "unsubscribed")
    subscription = make_subscription(website)
    events.record(EventKind.SUBSCRIBED, subscription.recipient, push_service="fcm", secret="x")
    message = send(website, subscription)
    (delivery,) = answer(message, "accepted")
    token = tokens.make(delivery, message.day)
    reports.report(token, "shown")
    reports.report(token, "clicked", "button-1")
    events.record(EventKind.PAGE_VIEW, subscription.recipient)
    events.record(EventKind.UNSUBSCRIBED, subscription.recipient)

    assert [kind for kind, _id in read_all()] == ["subscribed", "shown", "clicked", "unsubscribed"]
    facts = WebhookDelivery.objects.get(kind="subscribed").facts
    assert facts == {"pushService": "fcm"}
    clicked = WebhookDelivery.objects.get(kind="clicked")
    assert (clicked.facts, clicked.recipient_id) == ({"button": "button-1"}, subscription.recipient_id)


def test_it_tells_what_ended_without_an_answer(website: Website, listen: Listen) -> None:
    listen("failed")
    expired = send(website, make_subscription(website))
    PushMessage.objects.update(
        valid_until=timezone.now() - datetime.timedelta(seconds=1), due_at=timezone.now()
    )
    progress.advance(False)
    lost = send(website, make_subscription(website))
    ledger.record_and_claim(False, [], [Claim(1)])
    Delivery.objects.of(lost).update(lease_until=timezone.now() - datetime.timedelta(seconds=1))
    PushMessage.objects.update(due_at=timezone.now())
    ledger.reclaim(False)
    cancelled = send(website, make_subscription(website))
    cancelled.cancel()
    progress.advance(False)

    read_all()
    told = {row.push_message_id: row.facts["state"] for row in WebhookDelivery.objects.all()}
    assert told == {expired.pk: "expired", lost.pk: "unknown"}


def test_what_is_tried_again_is_told_when_it_has_ended(website: Website, listen: Listen) -> None:
    listen("accepted", "failed")
    message = send(website, make_subscription(website))
    (claimed,) = ledger.record_and_claim(False, [], [Claim(1)])
    ledger.record_and_claim(False, [ledger.Result(claimed[0], "pending", "retry", "busy")], [])
    assert read_all() == []
    (delivery,) = answer(message, "accepted")
    assert read_all() == [("accepted", f"delivery-{delivery}")]


def test_it_tells_only_what_was_asked_for(website: Website, listen: Listen) -> None:
    clicks = listen("clicked").endpoint
    everything = listen("clicked", "shown").endpoint
    other = make_website(name="Other")
    endpoints.create(other, "https://hooks.example.com/other", ["clicked", "shown"])
    off = listen("clicked").endpoint
    endpoints.disable(off)
    recipient = make_recipient(website)
    events.record(EventKind.CLICKED, recipient)
    events.record(EventKind.SHOWN, recipient)

    read_all()
    told = WebhookDelivery.objects.order_by("id").values_list("endpoint_id", "kind")
    assert sorted(told) == [(clicks.pk, "clicked"), (everything.pk, "clicked"), (everything.pk, "shown")]
    endpoints.enable(off)
    events.record(EventKind.CLICKED, recipient)
    read_all()
    assert WebhookDelivery.objects.filter(endpoint=off).count() == 1


def test_what_happened_before_an_endpoint_was_made_is_not_told(website: Website, listen: Listen) -> None:
    recipient = make_recipient(website)
    events.record(EventKind.CLICKED, recipient)
    listen("clicked")
    assert read_all() == []


def test_what_is_old_is_not_told(website: Website, listen: Listen) -> None:
    """The restored dump of another cluster, say, whose transactions have numbers that ours will have."""
    made = listen("clicked").endpoint
    long_ago = timezone.now() - datetime.timedelta(days=4)
    type(made).objects.update(active_since=long_ago - datetime.timedelta(days=1))
    event = events.record(EventKind.CLICKED, make_recipient(website))
    Event.objects.filter(pk=event.pk).update(occurred_at=long_ago)
    assert read_all() == []


def test_a_cursor_from_another_cluster_starts_anew(website: Website, listen: Listen) -> None:
    listen("clicked")
    Cursor.objects.update(position=2**60)
    events.record(EventKind.CLICKED, make_recipient(website))
    read_all()
    assert Cursor.objects.get().position < 2**60
    events.record(EventKind.CLICKED, make_recipient(website))
    assert len(read_all()) == 1


def insert(other: psycopg.Connection, recipient: Recipient) -> int:
    row = other.execute(
        "INSERT INTO activity_event (day, website_id, recipient_id, kind, properties)"
        " VALUES (current_date, %s, %s, 'clicked', '{}') RETURNING id",
        [recipient.website_id, recipient.pk],
    ).fetchone()
    assert row
    return int(row[0])


@pytest.fixture
def others() -> Any:
    """Connections of other processes, in transactions of their own."""
    opened: list[psycopg.Connection] = []

    def open_one() -> psycopg.Connection:
        parameters = connection.get_connection_params()
        names = ("host", "port", "user", "password", "dbname")
        opened.append(psycopg.connect(**{name: parameters[name] for name in names if name in parameters}))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
    assert settings.DATABASES


def test_what_commits_late_is_not_passed_over(website: Website, listen: Listen, others: Any) -> None:
    """The first has the smaller id and commits last; the reader looks in between, again and again."""
    listen("clicked")
    recipient = make_recipient(website)
    slow, quick = others(), others()
    first = insert(slow, recipient)
    second = insert(quick, recipient)
    quick.commit()
    assert first < second
    assert read_all() == []  # nothing is read past a transaction that still runs
    slow.commit()
    assert read_all() == [("clicked", f"event-{first}"), ("clicked", f"event-{second}")]


def test_an_id_taken_before_its_transaction_has_a_number(
    website: Website, listen: Listen, others: Any
) -> None:
    """nextval() first, the row much later: no horizon by ids could know of it."""
    listen("clicked")
    recipient = make_recipient(website)
    slow = others()
    row = slow.execute("SELECT nextval('activity_event_id_seq')").fetchone()
    assert row
    events.record(EventKind.CLICKED, recipient)
    assert len(read_all()) == 1
    slow.execute(
        "INSERT INTO activity_event (id, day, website_id, recipient_id, kind, properties)"
        " VALUES (%s, current_date, %s, %s, 'clicked', '{}')",
        [row[0], website.pk, recipient.pk],
    )
    slow.commit()
    assert ("clicked", f"event-{row[0]}") in read_all()


def test_a_rolled_back_transaction_holds_up_nothing(website: Website, listen: Listen, others: Any) -> None:
    listen("clicked")
    recipient = make_recipient(website)
    gone = others()
    insert(gone, recipient)
    gone.rollback()
    event = events.record(EventKind.CLICKED, recipient)
    assert read_all() == [("clicked", f"event-{event.pk}")]


def test_many_writers_and_two_readers_lose_and_repeat_nothing(
    website: Website, listen: Listen, others: Any
) -> None:
    listen("clicked")
    recipient = make_recipient(website)
    written: list[int] = []
    writing = threading.Event()

    def write(seed: int) -> None:
        one = writers[seed]
        for number in range(60):
            ids = [insert(one, recipient) for _row in range(1 + (number + seed) % 3)]
            if (number + seed) % 7 == 0:
                one.rollback()
            else:
                one.commit()
                written.extend(ids)

    def read() -> None:
        try:
            while not writing.is_set():
                telling.read_on()
        finally:
            connection.close()

    writers = [others() for _number in range(6)]
    readers = [threading.Thread(target=read) for _number in range(2)]
    threads = [threading.Thread(target=write, args=[seed]) for seed in range(6)]
    for thread in [*readers, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    writing.set()
    for thread in readers:
        thread.join()

    told = [int(webhook_id.removeprefix("event-")) for _kind, webhook_id in read_all()]
    assert len(written) > 500
    assert sorted(told) == sorted(written)


def test_without_endpoints_the_cursor_only_moves_on(website: Website, django_assert_num_queries: Any) -> None:
    events.record(EventKind.CLICKED, make_recipient(website))
    before = Cursor.objects.get().position
    with django_assert_num_queries(5):  # begin, where am I, who wants what, moved, commit
        telling.read_on()
    assert Cursor.objects.get().position > before
