"""The engine end to end: from an accepted message to what the push service received and what is recorded."""

import datetime
import json
from collections.abc import Callable, Sequence

import pytest
from django.db import connection
from django.utils import timezone

from signalize_console.deliveries import dispatch, expanding, ledger, outbox, progress
from signalize_console.deliveries.dispatch import Dispatch
from signalize_console.deliveries.lanes import WINDOW
from signalize_console.deliveries.ledger import Claim
from signalize_console.deliveries.models import Attempt, Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription, SubscriptionState
from signalize_console.webpush.transport import Answer
from signalize_console.websites.models import Website
from tests.makers import make_message, make_text

Work = Callable[[], None]
Subscribe = Callable[..., Subscription]


def send_to(subscription: Subscription, website: Website, **fields: object) -> PushMessage:
    accepted = outbox.send(
        make_message(website, **{"transactional": True, **fields}), [make_text()], [subscription.recipient]
    )
    return PushMessage.objects.get(pk=accepted.message_id)


def make_due() -> None:
    """Moves every appointment to the past, as time would, and lets a worker forget that it was too fast."""
    dispatch._lanes_of.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE deliveries_delivery SET due_at = now() - interval '1 second'")
        cursor.execute(
            "UPDATE deliveries_delivery SET lease_until = now() - interval '1 second' "
            "WHERE lease_until IS NOT NULL"
        )
        cursor.execute(
            "UPDATE messaging_pushmessage SET due_at = now() - interval '1 second' WHERE due_at IS NOT NULL"
        )


def make_old(*subscriptions: Subscription) -> None:
    """Push services are believed at once only of subscriptions that they had time to learn of."""
    hour_ago = timezone.now() - datetime.timedelta(hours=1)
    Subscription.objects.filter(pk__in=[one.pk for one in subscriptions]).update(created_at=hour_ago)


def test_it_delivers_what_was_said(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    message = send_to(subscribe(), website, urgency="high", topic="order-1", ttl=3600)

    work()

    (received,) = double.received
    notification = json.loads(received.plaintext)["notification"]
    assert json.loads(received.plaintext)["web_push"] == 8030
    assert (notification["title"], notification["tag"]) == ("Hello", "order-1")
    assert received.headers["urgency"] == "high"
    assert received.headers["topic"] == "order-1"
    assert 3500 < int(received.headers["ttl"]) <= 3600
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status_code, delivery.attempts) == (DeliveryState.ACCEPTED, 201, 1)
    message.refresh_from_db()
    assert (message.state, message.due_at) == (MessageState.FINISHED, None)


def test_it_speaks_the_recipients_language(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscriptions = [subscribe(language=language) for language in ("de-AT", "fr", "")]
    texts = [make_text(), make_text(language="de", standard=False, title="Hallo")]
    outbox.send(make_message(website), texts, [one.recipient for one in subscriptions])

    work()

    titles = {one.endpoint: json.loads(one.plaintext)["notification"]["title"] for one in double.received}
    assert [titles[one.endpoint] for one in subscriptions] == ["Hallo", "Hello", "Hello"]


def test_it_expands_everyone_and_reaches_each_once(
    double: PushServiceDouble,
    website: Website,
    subscribe: Subscribe,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscriptions = [subscribe() for _ in range(150)]
    monkeypatch.setattr(expanding, "CHUNK", 40)
    accepted = outbox.send(make_message(website), [make_text()])

    work()

    assert sorted(one.endpoint for one in double.received) == sorted(one.endpoint for one in subscriptions)
    message = PushMessage.objects.get(pk=accepted.message_id)
    assert Delivery.objects.of(message).by_state() == {DeliveryState.ACCEPTED: 150}
    assert message.state == MessageState.FINISHED


def test_it_goes_on_when_a_whole_window_is_answered_at_once(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    for _ in range(WINDOW * 2 + 10):
        subscribe()
    outbox.send(make_message(website), [make_text()])

    class HeldUp(Dispatch):
        def _take(self, answers: Sequence[Answer]) -> None:
            answers = list(answers)
            while answers and self.wire.in_flight:
                answers += self.wire.poll(0.1)
            super()._take(answers)

    assert HeldUp(transactional=False).run(seconds=10) == WINDOW * 2 + 10


def test_it_says_when_its_time_was_over_before_its_work(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    for _ in range(WINDOW + 10):
        subscribe()
    outbox.send(make_message(website), [make_text()])
    first = Dispatch(transactional=False)
    first.run(seconds=0.0)
    assert first.has_more
    second = Dispatch(transactional=False)
    second.run(seconds=10)
    assert not second.has_more
    assert len(double.received) == WINDOW + 10


def test_it_freezes_the_audience_when_the_message_starts(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscribe()
    accepted = outbox.send(make_message(website), [make_text()])
    with connection.cursor() as cursor:
        cursor.execute(progress.START, [False])
    latecomer = subscribe()

    work()

    assert Delivery.objects.filter(push_message_id=accepted.message_id).count() == 1
    assert latecomer.endpoint not in {one.endpoint for one in double.received}


def test_it_tries_again_when_the_push_service_is_busy(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    message = send_to(subscribe(), website)
    double.answer_next(429, headers={"Retry-After": "120"})

    work()

    delivery = Delivery.objects.get()
    wait = delivery.due_at - timezone.now()
    assert delivery.state == DeliveryState.PENDING
    assert datetime.timedelta(seconds=110) < wait <= datetime.timedelta(seconds=150)
    assert [attempt.status_code for attempt in Attempt.objects.all()] == [429]
    message.refresh_from_db()
    assert message.state == MessageState.SENDING
    assert abs(message.due_at - delivery.due_at) < datetime.timedelta(seconds=1)

    make_due()
    work()

    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.ACCEPTED, 2)
    assert len(double.received) == 1


def test_it_ends_a_subscription_that_is_gone(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscription = subscribe()
    make_old(subscription)
    double.expire(subscription.endpoint)
    send_to(subscription, website)

    work()

    subscription.refresh_from_db()
    assert Delivery.objects.get().state == DeliveryState.GONE
    assert subscription.state == SubscriptionState.QUARANTINED


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_it_keeps_the_subscription_on_every_other_answer(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work, status: int
) -> None:
    subscription = subscribe()
    double.answer_next(status)
    send_to(subscription, website)

    work()

    subscription.refresh_from_db()
    assert subscription.state == SubscriptionState.ACTIVE
    assert Delivery.objects.get().state == DeliveryState.PENDING


def test_it_sends_nothing_after_valid_until(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    message = send_to(subscribe(), website)
    PushMessage.objects.filter(pk=message.pk).update(valid_until=timezone.now())

    work()

    assert not double.received
    assert Delivery.objects.get().state == DeliveryState.EXPIRED
    message.refresh_from_db()
    assert message.state == MessageState.FINISHED


def test_it_sends_nothing_of_a_cancelled_message(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    message = send_to(subscribe(), website)
    assert message.cancel()

    work()

    assert not double.received
    assert Delivery.objects.get().state == DeliveryState.CANCELLED


def test_it_holds_a_paused_message_until_it_is_resumed(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    message = send_to(subscribe(), website)
    assert message.pause()
    work()
    assert not double.received

    assert message.resume()
    work()

    assert len(double.received) == 1


def test_a_pause_in_the_middle_of_expanding_skips_nobody(
    double: PushServiceDouble,
    website: Website,
    subscribe: Subscribe,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscriptions = [subscribe() for _ in range(7)]
    monkeypatch.setattr(expanding, "CHUNK", 3)
    accepted = outbox.send(make_message(website), [make_text()])
    with connection.cursor() as cursor:
        cursor.execute(progress.START, [False])
    assert expanding.expand_chunk(False)
    message = PushMessage.objects.get(pk=accepted.message_id)
    assert message.pause()
    work()
    assert not double.received

    assert message.resume()
    assert message.state == MessageState.EXPANDING
    work()

    assert sorted(one.endpoint for one in double.received) == sorted(one.endpoint for one in subscriptions)


def test_a_held_message_is_sent_when_a_person_says_so(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscribe()
    soon = timezone.now() + datetime.timedelta(hours=1)
    accepted = outbox.send(make_message(website, scheduled_at=soon), [make_text()])
    late = timezone.now() - datetime.timedelta(minutes=40)
    PushMessage.objects.update(scheduled_at=late, due_at=late)
    work()
    message = PushMessage.objects.get(pk=accepted.message_id)
    assert message.state == MessageState.HELD

    assert message.release()
    work()

    assert len(double.received) == 1


def test_it_sends_a_lost_transactional_delivery_again(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    send_to(subscribe(), website)
    ((claimed,),) = ledger.record_and_claim(True, [], [Claim(10)])
    make_due()

    work()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == (DeliveryState.ACCEPTED, 2)
    # The dead worker wakes up after all: its late result changes nothing.
    ledger.record_and_claim(True, [ledger.Result(claimed, "failed", "message_rejected")], [])
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.ACCEPTED


def test_it_never_repeats_a_lost_marketing_delivery(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    message = send_to(subscribe(), website, transactional=False)
    ledger.record_and_claim(False, [], [Claim(10)])
    make_due()

    work()

    assert not double.received
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == (DeliveryState.UNKNOWN, "worker_lost")
    message.refresh_from_db()
    assert message.state == MessageState.FINISHED


def test_it_leaves_alone_what_another_worker_holds(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    message = send_to(subscribe(), website)
    ledger.record_and_claim(True, [], [Claim(10)])

    work()

    assert not double.received
    message.refresh_from_db()
    assert message.state == MessageState.SENDING
    assert message.due_at == Delivery.objects.get().lease_until


def test_it_does_not_push_to_somebody_who_left_meanwhile(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscription = subscribe()
    send_to(subscription, website)
    Subscription.objects.filter(pk=subscription.pk).end(SubscriptionState.UNSUBSCRIBED, "visitor")

    work()

    assert not double.received
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == (DeliveryState.CANCELLED, "subscription_unsubscribed")


def test_it_isolates_a_subscription_with_broken_keys(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    broken, whole = subscribe(), subscribe()
    Subscription.objects.filter(pk=broken.pk).update(p256dh="A" * 87)
    outbox.send(make_message(website), [make_text()], [broken.recipient, whole.recipient])

    work()

    states = {one.subscription_id: one.state for one in Delivery.objects.all()}
    assert states == {broken.pk: DeliveryState.FAILED, whole.pk: DeliveryState.ACCEPTED}


def test_one_row_that_can_not_be_prepared_does_not_hold_up_the_others(
    double: PushServiceDouble,
    website: Website,
    subscribe: Subscribe,
    work: Work,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, whole = send_to(subscribe(), website), send_to(subscribe(), website)
    broken.texts.all().delete()

    work()

    states = {one.push_message_id: (one.state, one.reason) for one in Delivery.objects.all()}
    assert states[broken.pk] == (DeliveryState.FAILED, "internal_error")
    assert states[whole.pk][0] == DeliveryState.ACCEPTED
    (line,) = [vars(one) for one in caplog.records if "can't be prepared" in one.message]
    assert line["push_message_id"] == broken.pk
    assert line["delivery_id"] == Delivery.objects.get(push_message=broken).pk


def test_it_stops_claiming_when_it_is_told_to(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    send_to(subscribe(), website)

    Dispatch(transactional=True, stop=lambda: True).run(seconds=5)

    assert not double.received
    assert Delivery.objects.get().state == DeliveryState.PENDING


def test_it_is_never_uncertain_about_more_than_the_window(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    for _ in range(200):
        subscribe()
    outbox.send(make_message(website), [make_text()])
    most = 0

    class Watched(Dispatch):
        def _claim(self, claims: Sequence[Claim]) -> bool:
            nonlocal most
            claimed = super()._claim(claims)
            most = max(most, Delivery.objects.filter(state=DeliveryState.SENDING).count())
            return claimed

    Watched(transactional=False).run(seconds=10)

    assert Delivery.objects.filter(state=DeliveryState.ACCEPTED).count() == 200
    assert 0 < most <= 64
