"""Erasing and pausing, through the whole engine: what is said to nobody any more, or not now."""

import datetime
from collections.abc import Callable

import pytest
from django.utils import timezone

from signalize_console.activity import events
from signalize_console.activity.models import Event, EventKind
from signalize_console.deliveries import invariants, outbox, reports, tokens
from signalize_console.deliveries.erasing import erase
from signalize_console.deliveries.models import Attempt, Delivery
from signalize_console.messaging.models import PushMessage, PushMessageText
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website
from tests.makers import make_message, make_text

Subscribe = Callable[..., Subscription]
Work = Callable[[], None]


def test_nothing_is_posted_to_an_erased_recipient(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    gone, stays = subscribe(), subscribe()
    outbox.send(make_message(website), [make_text()])
    outbox.send(make_message(website, transactional=True), [make_text()], [gone.recipient, stays.recipient])

    erase(gone.recipient)
    work()

    assert [one.endpoint for one in double.received] == [stays.endpoint] * 2
    cancelled = Delivery.objects.get(state=DeliveryState.CANCELLED)
    assert (cancelled.recipient_id, cancelled.reason) == (0, "subscription_erased")
    assert set(PushMessage.objects.values_list("state", flat=True)) == {MessageState.FINISHED}
    assert list(invariants.violations(datetime.date.min)) == []


def test_what_stays_says_nothing_of_who_it_was(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    gone, stays = subscribe(), subscribe()
    own = outbox.send(
        make_message(website, transactional=True), [make_text(title="Dear Anna")], [gone.recipient]
    )
    both = outbox.send(
        make_message(website, transactional=True),
        [make_text(title="To both")],
        [gone.recipient, stays.recipient],
    )
    work()
    for delivery in Delivery.objects.all():
        assert reports.report(tokens.make(delivery.pk, delivery.day), "shown")
    events.record(EventKind.SUBSCRIBED, gone.recipient, push_service="mozilla")
    events.record(EventKind.SUBSCRIBED, stays.recipient, push_service="mozilla")
    theirs = Delivery.objects.filter(recipient=gone.recipient)
    Attempt.objects.create(day=theirs[0].day, delivery=theirs[0], number=1, outcome="x", reason="", answer=gone.endpoint, milliseconds=1)  # fmt: skip
    tokens_of_gone = [tokens.make(one.pk, one.day) for one in theirs]

    erase(gone.recipient)

    assert not Recipient.objects.filter(pk=gone.recipient_id).exists()
    assert not Subscription.objects.filter(pk=gone.pk).exists()
    assert not Delivery.objects.filter(recipient_id=gone.recipient_id).exists()
    assert not Event.objects.filter(recipient_id=gone.recipient_id).exists()
    assert Event.objects.filter(kind="shown").count() == 3
    assert Event.objects.get(kind="subscribed").recipient_id == stays.recipient_id
    assert set(Delivery.objects.filter(recipient_id=0).values_list("message_url", flat=True)) == {""}
    assert not Attempt.objects.exclude(answer="").exists()
    titles = dict(PushMessageText.objects.values_list("push_message_id", "title"))
    assert titles == {own.message_id: "–", both.message_id: "To both"}
    assert [reports.report(token, "clicked") for token in tokens_of_gone] == [False, False]
    assert list(invariants.violations(datetime.date.min)) == []


def test_a_pause_holds_back_marketing_only(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    tired, awake, rested = subscribe(), subscribe(), subscribe()
    now = timezone.now()
    Recipient.objects.filter(pk=tired.recipient_id).update(paused_until=now + datetime.timedelta(days=7))
    Recipient.objects.filter(pk=rested.recipient_id).update(paused_until=now - datetime.timedelta(seconds=1))
    marketing = outbox.send(make_message(website), [make_text()])
    work()

    states = dict(Delivery.objects.values_list("subscription_id", "state"))
    assert states == {tired.pk: "suppressed", awake.pk: "accepted", rested.pk: "accepted"}
    suppressed = Delivery.objects.get(subscription_id=tired.pk)
    assert (suppressed.reason, suppressed.attempts) == ("paused_by_visitor", 1)
    assert PushMessage.objects.get(pk=marketing.message_id).state == MessageState.FINISHED

    double.received.clear()
    outbox.send(make_message(website, transactional=True), [make_text()], [tired.recipient])
    work()
    assert [one.endpoint for one in double.received] == [tired.endpoint]


@pytest.mark.django_db
def test_erasing_a_recipient_without_anything(website: Website) -> None:
    erase(Recipient.objects.create(website=website))
    assert not Recipient.objects.exists()
