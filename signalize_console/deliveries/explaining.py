"""Why a recipient got a push message, or didn't: what became of its deliveries, and why there are none."""

import datetime
from collections.abc import Mapping, Sequence

from signalize_console.activity import horizons
from signalize_console.audiences import judging
from signalize_console.audiences.counting import TooSlow
from signalize_console.audiences.judging import Verdict
from signalize_console.deliveries import retention
from signalize_console.deliveries.causes import Cause, Explanation, what_became_of
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import Audience, PushMessage
from signalize_console.messaging.states import MessageState
from signalize_console.recipients.models import Recipient, Subscription, SubscriptionState

NOT_STARTED = {
    MessageState.DRAFT: Cause.NOT_SENT_YET,
    MessageState.AWAITING_APPROVAL: Cause.NOT_SENT_YET,
    MessageState.SCHEDULED: Cause.SCHEDULED,
    MessageState.HELD: Cause.HELD,
}


def explain(recipient: Recipient, messages: Sequence[PushMessage]) -> dict[int, list[Explanation]]:
    """For each message, by its id: the explanation for each of the recipient's subscriptions.

    A few queries, whatever the number of messages.
    """
    subscriptions = {one.pk: one for one in recipient.subscriptions.order_by("-id")}
    days = {one.day for one in messages if one.day}
    deliveries = Delivery.objects.filter(recipient=recipient, push_message__in=messages, day__in=days)
    told = what_became_of(list(deliveries), {one.pk: one for one in messages}, subscriptions)
    found: dict[int, list[Explanation]] = {one.pk: [] for one in messages}
    for explanation in told.values():
        found[explanation.message.pk].append(explanation)
    since = horizons.kept().deliveries if any(map(retention.may_be_gone, days)) else datetime.date.min
    forgotten = {one.pk for one in messages if one.day and one.day < since and not found[one.pk]}
    missed = {
        one.pk: [] if one.pk in forgotten else _without(found[one.pk], subscriptions) for one in messages
    }
    verdicts = _verdicts(recipient, [one for one in messages if missed[one.pk]])
    for message in messages:
        was_named = bool(found[message.pk])
        for subscription in missed[message.pk]:
            verdict = verdicts.get(message.pk, {}).get(subscription.pk)
            found[message.pk].append(_why_none(message, subscription, verdict, was_named=was_named))
        if not found[message.pk]:
            cause = Cause.NOT_KEPT if message.pk in forgotten else Cause.NO_SUBSCRIPTION
            found[message.pk] = [Explanation(cause, message)]
    return found


def _without(found: Sequence[Explanation], subscriptions: Mapping[int, Subscription]) -> list[Subscription]:
    """The subscriptions that the message made no delivery for."""
    reached = {one.delivery.subscription_id for one in found if one.delivery}
    return [one for one in subscriptions.values() if one.pk not in reached]


def _verdicts(recipient: Recipient, messages: Sequence[PushMessage]) -> dict[int, dict[int, Verdict]]:
    frozen = {one.pk: one.frozen_segment for one in messages if one.frozen_segment}
    try:
        return judging.judge(recipient, frozen)
    except TooSlow:
        return {}


def _why_none(
    message: PushMessage, subscription: Subscription, verdict: Verdict | None, *, was_named: bool
) -> Explanation:
    named = message.audience == Audience.RECIPIENTS
    if cause := NOT_STARTED.get(MessageState(message.state)):
        until = message.due_at if cause == Cause.SCHEDULED else None
        return Explanation(cause, message, subscription, until=until)
    cause = (
        _not_named(message, subscription, was_named)
        if named
        else _passed_over(message, subscription, verdict)
    )
    return Explanation(cause, message, subscription, verdict=verdict)


def _not_named(message: PushMessage, subscription: Subscription, was_named: bool) -> Cause:
    if not was_named:
        return Cause.NOT_NAMED
    is_younger = subscription.created_at > message.created_at
    return Cause.SUBSCRIBED_LATER if is_younger else _by_state(message, subscription)


def _passed_over(message: PushMessage, subscription: Subscription, verdict: Verdict | None) -> Cause:
    """By the engine, when it went through all subscriptions, in the order of their ids."""
    until = message.expand_until
    turn_has_come = until is not None and subscription.pk <= message.expanded_to
    is_on = message.state == MessageState.EXPANDING
    cases = [
        (until is not None and subscription.pk > until, Cause.SUBSCRIBED_LATER),
        (message.frozen_segment and verdict is None, Cause.SEGMENT_UNKNOWN),
        (verdict and not verdict.is_in, Cause.NOT_IN_SEGMENT),
        (not turn_has_come, Cause.NOT_ITS_TURN_YET if is_on else Cause.STOPPED_BEFORE),
    ]
    return next((cause for is_so, cause in cases if is_so), _by_state(message, subscription))


def _by_state(message: PushMessage, subscription: Subscription) -> Cause:
    is_active = subscription.state == SubscriptionState.ACTIVE
    over, ended = message.finished_at, subscription.ended_at
    ended_later = over is not None and ended is not None and ended > over
    return Cause.CHANGED_SINCE if is_active or ended_later else Cause.HAD_ENDED
