"""Accepting a push message: durable, once, or not at all."""

import datetime
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from signalize_console.deliveries import outbox
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.recipients.models import Subscription, SubscriptionState
from signalize_console.websites.models import Website
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def website() -> Website:
    return make_website()


def test_it_makes_a_delivery_for_each_active_subscription_of_a_named_recipient(website: Website) -> None:
    recipient = make_recipient(website)
    active = [make_subscription(website, recipient=recipient) for _ in range(2)]
    make_subscription(website, recipient=recipient, state=SubscriptionState.EXPIRED)
    make_subscription(website)

    accepted = outbox.send(make_message(website), [make_text()], [recipient])

    deliveries = Delivery.objects.filter(push_message_id=accepted.message_id)
    assert {delivery.subscription_id for delivery in deliveries} == {one.pk for one in active}
    assert {delivery.state for delivery in deliveries} == {DeliveryState.PENDING}
    assert accepted.deliveries == 2


def test_it_names_the_recipients_that_it_can_not_reach(website: Website) -> None:
    reachable, silent = make_subscription(website).recipient, make_recipient(website)

    accepted = outbox.send(make_message(website), [make_text()], [reachable, silent])

    assert accepted.unreachable == [silent.pk]


def test_it_stores_nothing_when_nobody_can_be_reached(website: Website) -> None:
    with pytest.raises(outbox.NobodyReachable):
        outbox.send(make_message(website), [make_text()], [make_recipient(website)], idempotency_key="k")
    assert not PushMessage.objects.exists()
    # The key is free again: nothing was made with it.
    accepted = outbox.send(
        make_message(website), [make_text()], [make_subscription(website).recipient], idempotency_key="k"
    )
    assert not accepted.replayed


def test_it_takes_as_many_statements_for_a_thousand_recipients_as_for_one(
    website: Website, django_assert_num_queries: Callable
) -> None:
    def statements(count: int) -> int:
        recipients = [make_subscription(website).recipient for _ in range(count)]
        with django_assert_num_queries(4):
            outbox.send(make_message(website), [make_text()], recipients)
        return count

    assert (statements(1), statements(50)) == (1, 50)


def test_it_answers_a_repeated_key_with_the_first_message(website: Website) -> None:
    recipient = make_subscription(website).recipient

    first = outbox.send(make_message(website), [make_text()], [recipient], idempotency_key="order-1")
    again = outbox.send(make_message(website), [make_text()], [recipient], idempotency_key="order-1")

    assert (again.message_id, again.deliveries, again.replayed) == (first.message_id, 1, True)
    assert Delivery.objects.count() == 1


def test_it_refuses_a_key_that_was_used_for_something_else(website: Website) -> None:
    recipient = make_subscription(website).recipient
    outbox.send(make_message(website), [make_text()], [recipient], idempotency_key="k", fingerprint={"a": 1})

    with pytest.raises(outbox.KeyReused):
        outbox.send(
            make_message(website), [make_text()], [recipient], idempotency_key="k", fingerprint={"a": 2}
        )
    assert PushMessage.objects.count() == 1


def test_it_makes_one_message_of_twins_in_flight(website: Website) -> None:
    recipient = make_subscription(website).recipient
    start = threading.Barrier(12)

    def twin(_number: int) -> int:
        try:
            start.wait()
            return outbox.send(
                make_message(website), [make_text()], [recipient], idempotency_key="twin"
            ).message_id
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        ids = list(pool.map(twin, range(12)))

    assert len(set(ids)) == 1
    assert (PushMessage.objects.count(), Delivery.objects.count()) == (1, 1)


def test_it_keeps_the_websites_apart(website: Website) -> None:
    other = make_website(name="Other")
    stranger = make_subscription(other).recipient

    with pytest.raises(outbox.NobodyReachable):
        outbox.send(make_message(website), [make_text()], [stranger])


def test_it_schedules_a_message_for_its_time(website: Website) -> None:
    later = timezone.now().replace(microsecond=0) + datetime.timedelta(hours=2)
    recipient = make_subscription(website).recipient

    accepted = outbox.send(make_message(website, scheduled_at=later), [make_text()], [recipient])

    message = PushMessage.objects.get(pk=accepted.message_id)
    assert (message.state, message.due_at) == (MessageState.SCHEDULED, later)
    assert Delivery.objects.get().due_at == later


def test_it_refuses_what_could_never_be_sent_in_time(website: Website) -> None:
    past = timezone.now() - datetime.timedelta(seconds=1)

    with pytest.raises(outbox.NotAccepted, match="validUntil"):
        outbox.send(make_message(website, valid_until=past), [make_text()])
    assert not PushMessage.objects.exists()


def test_it_refuses_a_text_that_push_services_would_not_carry(website: Website) -> None:
    with pytest.raises(outbox.NotAccepted, match="Shorten"):
        outbox.send(make_message(website), [make_text(message="漢" * 1000)])
    assert not PushMessage.objects.exists()


def test_it_sends_a_draft_once(website: Website) -> None:
    draft = make_message(website)
    draft.save()
    text = make_text()
    text.push_message = draft
    text.save()
    stale = PushMessage.objects.get(pk=draft.pk)

    outbox.send(draft)

    with pytest.raises(outbox.NotAccepted, match="already"):
        outbox.send(stale)
    draft.refresh_from_db()
    assert draft.state == MessageState.SCHEDULED


def test_it_wants_a_standard_text_in_a_draft(website: Website) -> None:
    draft = make_message(website)
    draft.save()

    with pytest.raises(outbox.NotAccepted, match="standard"):
        outbox.send(draft)
    draft.refresh_from_db()
    assert draft.state == MessageState.DRAFT


def test_it_leaves_ended_subscriptions_alone(website: Website) -> None:
    ended = make_subscription(website)
    Subscription.objects.filter(pk=ended.pk).end(SubscriptionState.UNSUBSCRIBED, "visitor")

    with pytest.raises(outbox.NobodyReachable):
        outbox.send(make_message(website), [make_text()], [ended.recipient])
