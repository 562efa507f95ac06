"""Why they got it, or didn't: every cause, from the engine's own doing."""

import datetime
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from signalize_console.deliveries import alerts, outbox, reports, tokens
from signalize_console.deliveries.alerts import AlertKind
from signalize_console.deliveries.causes import Cause, Explanation, what_became
from signalize_console.deliveries.explaining import explain
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Recipient, Subscription, SubscriptionState
from signalize_console.websites.models import Website
from tests.makers import make_message, make_recipient, make_subscription, make_text

Subscribe = Callable[..., Subscription]
Work = Callable[[], None]
GERMAN = {"field": "language", "op": "equals", "value": "de"}


def send(website: Website, recipients: list[Recipient] | None = None, **fields: Any) -> PushMessage:
    segment = fields.pop("segment", None)
    accepted = outbox.send(make_message(website, **fields), [make_text()], recipients, segment=segment)
    return PushMessage.objects.get(pk=accepted.message_id)


def why(message: PushMessage, recipient: Recipient) -> Explanation:
    (explanation,) = explain(recipient, [PushMessage.objects.get(pk=message.pk)])[message.pk]
    return explanation


def test_what_the_browser_reported_comes_first(website: Website, subscribe: Subscribe, work: Work) -> None:
    recipient = subscribe().recipient
    message = send(website, [recipient])
    work()
    assert why(message, recipient).cause == Cause.UNREPORTED
    delivery = Delivery.objects.get()
    for kind, cause in (("shown", Cause.SHOWN), ("closed", Cause.CLOSED), ("clicked", Cause.CLICKED)):
        assert reports.report(tokens.make(delivery.pk, delivery.day), kind)
        assert why(message, recipient).cause == cause
    assert set(why(message, recipient).reports) == {"shown", "closed", "clicked"}


def test_a_subscription_that_is_gone(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscription = subscribe(service="apple")
    double.expire(subscription.endpoint)
    Subscription.objects.update(created_at=timezone.now() - datetime.timedelta(days=1))
    gone, missed = send(website), None
    work()
    assert why(gone, subscription.recipient).cause == Cause.GONE
    missed = send(website)
    work()
    assert why(missed, subscription.recipient).cause == Cause.HAD_ENDED


def test_what_waits_says_until_when_and_why(website: Website, subscribe: Subscribe) -> None:
    subscription = subscribe(service="apple")
    recipient, monday = (
        subscription.recipient,
        timezone.now().replace(microsecond=0) + datetime.timedelta(days=3),
    )
    later = send(website, [recipient], scheduled_at=monday)
    now = send(website, [recipient])
    of_all = send(website, scheduled_at=monday)

    assert (why(later, recipient).cause, why(later, recipient).until) == (Cause.WAITING, monday)
    assert (why(of_all, recipient).cause, why(of_all, recipient).until) == (Cause.SCHEDULED, monday)
    assert why(now, recipient).cause == Cause.DUE
    alerts.raise_alert(AlertKind.CONFIGURATION, website.pk, "apple")
    stopped = why(now, recipient)
    assert (stopped.cause, stopped.alert and stopped.alert.push_service) == (Cause.STOPPED, "apple")
    assert stopped.until
    assert stopped.until > timezone.now()
    alerts.Alert.objects.all().delete()
    alerts.raise_alert(AlertKind.OUTAGE, None, "mozilla")
    assert why(now, recipient).cause == Cause.DUE
    Delivery.objects.filter(push_message=now).update(reason="throttled", due_at=monday)
    assert (why(now, recipient).cause, why(now, recipient).until) == (Cause.RETRYING, monday)
    Subscription.objects.update(key_mismatch_at=timezone.now())
    assert why(now, recipient).cause == Cause.MISMATCHED
    assert now.pause()
    assert why(now, recipient).cause == Cause.MESSAGE_PAUSED
    assert now.cancel()
    assert why(now, recipient).cause == Cause.ENDING


def test_its_own_time_is_told_before_anything_else(website: Website, subscribe: Subscribe) -> None:
    recipient, monday = (
        subscribe().recipient,
        timezone.now().replace(microsecond=0) + datetime.timedelta(days=3),
    )
    message = send(website, [recipient])
    Delivery.objects.update(due_at=monday)
    alerts.raise_alert(AlertKind.OUTAGE, None, "mozilla")
    assert (why(message, recipient).cause, why(message, recipient).until) == (Cause.WAITING, monday)


def test_who_is_not_in_the_audience(website: Website, subscribe: Subscribe, work: Work) -> None:
    german, french = subscribe(language="de").recipient, subscribe(language="fr").recipient
    message = send(
        website, segment={"all": [GERMAN, {"field": "platform", "op": "equals", "value": "windows"}]}
    )
    named = send(website, [german])
    everyone = send(website)
    work()
    late = subscribe(language="de").recipient

    assert why(named, french).cause == Cause.NOT_NAMED
    assert why(everyone, late).cause == Cause.SUBSCRIBED_LATER
    assert why(everyone, make_recipient(website)).cause == Cause.NO_SUBSCRIPTION
    found = why(message, french)
    assert found.cause == Cause.NOT_IN_SEGMENT
    assert found.verdict
    assert [one.condition["field"] for one in found.verdict.decisive] == ["language", "platform"]
    found = why(message, german)
    assert found.verdict
    assert [one.condition["field"] for one in found.verdict.decisive] == ["platform"]
    Subscription.objects.filter(recipient=german).update(platform="windows")
    assert why(message, german).cause == Cause.CHANGED_SINCE
    PushMessage.objects.filter(pk=message.pk).update(
        frozen_segment={"tree": {"field": "x"}, "at": "2026-01-01T00:00:00Z"}
    )
    assert why(message, german).cause == Cause.SEGMENT_UNKNOWN


def test_a_pause_of_the_visitor_and_the_erased(website: Website, subscribe: Subscribe, work: Work) -> None:
    recipient = subscribe().recipient
    Recipient.objects.update(paused_until=timezone.now() + datetime.timedelta(days=1))
    message = send(website)
    work()
    found = why(message, recipient)
    assert (found.cause, found.delivery and found.delivery.reason) == (Cause.SUPPRESSED, "paused_by_visitor")
    Subscription.objects.all().delete()
    assert what_became(list(Delivery.objects.all()))[Delivery.objects.get().pk].subscription is None


def test_before_its_turn(website: Website, subscribe: Subscribe) -> None:
    subscription = subscribe()
    message = send(website)
    for state, cause in (
        ("held", Cause.HELD),
        ("expanding", Cause.NOT_ITS_TURN_YET),
        ("cancelled", Cause.STOPPED_BEFORE),
        ("draft", Cause.NOT_SENT_YET),
    ):
        PushMessage.objects.update(state=state, expand_until=subscription.pk, expanded_to=subscription.pk - 1)
        assert why(message, subscription.recipient).cause == cause


def test_every_message_in_as_many_queries_as_one(
    website: Website, subscribe: Subscribe, work: Work, django_assert_max_num_queries: Any
) -> None:
    recipient = subscribe(language="fr").recipient
    make_subscription(website, recipient=recipient, state=SubscriptionState.EXPIRED, ended_at=timezone.now())
    for _number in range(5):
        send(website, segment=GERMAN)
        send(website, [recipient])
    work()
    messages = list(PushMessage.objects.all())
    with django_assert_max_num_queries(10):
        found = explain(recipient, messages)
    assert {len(one) for one in found.values()} == {2}
