"""Two workers on one database: each delivery is one worker's, and everybody knows before it is posted."""

import threading
from collections.abc import Sequence

import psycopg
from django.db import connection, transaction
from django.utils import timezone

from signalize_console.deliveries import alerts, ledger, outbox, progress
from signalize_console.deliveries.alerts import Alert, AlertKind
from signalize_console.deliveries.dispatch import Dispatch
from signalize_console.deliveries.ledger import Claim, Claimed, Result
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Recipient, Subscription, endpoint_hash
from signalize_console.websites.models import Website
from tests.deliveries.conftest import Subscribe
from tests.deliveries.test_engine import make_due, send_to
from tests.makers import make_message, make_text

WORKERS, DELIVERIES = 4, 800


def test_workers_never_claim_the_same(website: Website) -> None:
    recipients = Recipient.objects.bulk_create([Recipient(website=website) for _ in range(DELIVERIES)])
    Subscription.objects.bulk_create(
        Subscription(
            website=website, recipient=one, vapid_key=website.vapid_key, endpoint=f"https://push/{one.pk}",
            endpoint_hash=endpoint_hash(f"https://push/{one.pk}"), push_service="fcm",
        )
        for one in recipients
    )  # fmt: skip
    outbox.send(make_message(website, transactional=True), [make_text()], recipients)
    start, claimed = threading.Barrier(WORKERS), [list[int]() for _ in range(WORKERS)]

    def work(mine: list[int]) -> None:
        start.wait()
        while lists := [one for one in ledger.record_and_claim(True, [], [Claim(16)]) if one]:
            mine += [delivery.id for delivery in lists[0]]
        connection.close()

    threads = [threading.Thread(target=work, args=[mine]) for mine in claimed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    everything = [one for mine in claimed for one in mine]
    assert len(everything) == len(set(everything)) == DELIVERIES
    assert sum(bool(mine) for mine in claimed) > 1
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_claim_is_known_to_everybody_before_it_is_posted(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    for _ in range(5):
        subscribe()
    outbox.send(make_message(website), [make_text()])
    seen: list[tuple[int, int]] = []

    class Watched(Dispatch):
        def _hand_over(self, claimed: Sequence[Claimed], claimed_at: float) -> None:
            if claimed:
                seen.append((len(claimed), claimed_by_others()))
            super()._hand_over(claimed, claimed_at)

    Watched(transactional=False).run(seconds=5)

    assert seen == [(5, 5)]


def claimed_by_others() -> int:
    values = connection.get_connection_params()
    place = {name: values[name] for name in ("host", "port", "user", "password", "dbname") if name in values}
    with psycopg.connect(**place) as other:
        (count,) = other.execute(
            "SELECT count(*) FROM deliveries_delivery WHERE state = 'sending' AND lease_until > now()"
        ).fetchone()
    return int(count)


def test_a_worker_that_wakes_late_records_nothing_though_the_delivery_is_under_way_again(
    website: Website, subscribe: Subscribe
) -> None:
    send_to(subscribe(), website)
    ((late,),) = ledger.record_and_claim(True, [], [Claim(1)])
    make_due()
    ledger.reclaim(True)
    make_due()
    ((second,),) = ledger.record_and_claim(True, [], [Claim(1)])

    ledger.record_and_claim(True, [Result(late, "failed", "message_rejected", "bad_request", 400)], [])

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == (DeliveryState.SENDING, second.attempts)


def test_a_worker_that_wakes_late_gives_a_finished_message_no_appointment(
    website: Website, subscribe: Subscribe
) -> None:
    message = send_to(subscribe(), website, transactional=False)
    ((late,),) = ledger.record_and_claim(False, [], [Claim(1)])
    make_due()
    progress.advance(False, ledger.reclaim(False))
    message.refresh_from_db()
    assert message.state == MessageState.FINISHED

    ledger.record_and_claim(False, [Result(late, "pending", "retry", "too_late", delay=2.0)], [])

    message.refresh_from_db()
    assert message.due_at is None


def test_an_alert_that_ends_while_a_message_is_settled_calls_it_back(
    website: Website, subscribe: Subscribe
) -> None:
    """Who ends it can't see yet that the message is to wait for it."""
    message = send_to(subscribe(), website)
    alerts.raise_alert(AlertKind.OUTAGE, None, "mozilla")
    alert = Alert.objects.get()

    def end() -> None:
        alerts.end(alert.pk)
        connection.close()

    ending = threading.Thread(target=end)
    with transaction.atomic():
        progress.advance(True, [message.pk])
        message.refresh_from_db()
        assert message.due_at is not None
        assert message.due_at > timezone.now()
        ending.start()
        ending.join(1.0)
    ending.join()

    message.refresh_from_db()
    assert message.due_at is not None
    assert message.due_at <= timezone.now()
