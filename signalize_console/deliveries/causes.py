"""What became of a delivery, and why: one word for each case, and the facts that a face tells with it."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.utils import timezone

from signalize_console.activity import horizons
from signalize_console.activity.models import REPORTS, Event, EventKind
from signalize_console.audiences.judging import Verdict
from signalize_console.deliveries import retention
from signalize_console.deliveries.alerts import Alert
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.recipients.models import Subscription

ENDED = {MessageState.FINISHED, MessageState.CANCELLED}
MISMATCH = "vapid_key_mismatch"
# Of several reports on one notification this one says most.
TELLING = (EventKind.CLICKED, EventKind.CLOSED, EventKind.SHOWN)

Reports = Mapping[str, datetime.datetime]


class Cause(StrEnum):
    # Of a delivery
    CLICKED = "clicked"
    SHOWN = "shown"
    CLOSED = "closed"
    UNREPORTED = "unreported"  # accepted, and nothing more is known
    REPORTS_NOT_KEPT = "reports_not_kept"  # accepted, and what was known more is no longer kept
    WAITING = "waiting"  # its time has not come
    RETRYING = "retrying"
    MISMATCHED = "mismatched"  # until the browser subscribes anew
    STOPPED = "stopped"  # an alert keeps everything from its push service
    MESSAGE_PAUSED = "message_paused"
    ENDING = "ending"  # the message is over; this one is being closed
    DUE = "due"
    SENDING = "sending"
    GONE = "gone"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    UNKNOWN = "unknown"
    # Of none: explaining.py
    NOT_SENT_YET = "not_sent_yet"
    SCHEDULED = "scheduled"
    HELD = "held"
    NOT_KEPT = "not_kept"  # so long ago that nobody knows
    NO_SUBSCRIPTION = "no_subscription"
    NOT_NAMED = "not_named"  # or named, and unreachable then
    SUBSCRIBED_LATER = "subscribed_later"
    HAD_ENDED = "had_ended"  # the subscription
    NOT_ITS_TURN_YET = "not_its_turn_yet"
    STOPPED_BEFORE = "stopped_before"  # the message ended or paused before its turn
    NOT_IN_SEGMENT = "not_in_segment"
    SEGMENT_UNKNOWN = "segment_unknown"  # it can't be looked at any more
    CHANGED_SINCE = "changed_since"  # nothing that is known now explains it


@dataclass(frozen=True)
class Explanation:
    """``until`` is when something happens next; ``reports`` are the times of what the browser reported."""

    cause: Cause
    message: PushMessage
    subscription: Subscription | None = None
    delivery: Delivery | None = None
    until: datetime.datetime | None = None
    alert: Alert | None = None
    verdict: Verdict | None = None
    reports: Reports = field(default_factory=dict)


def what_became(deliveries: Sequence[Delivery]) -> dict[int, Explanation]:
    """Of each, by its id: a few queries, whatever the number."""
    ids = {one.push_message_id for one in deliveries}
    messages = PushMessage.objects.select_related("website").prefetch_related("texts").in_bulk(ids)
    subscriptions = Subscription.objects.in_bulk({one.subscription_id for one in deliveries})
    return what_became_of(deliveries, messages, subscriptions)


def what_became_of(
    deliveries: Sequence[Delivery],
    messages: Mapping[int, PushMessage],
    subscriptions: Mapping[int, Subscription],
) -> dict[int, Explanation]:
    """As ``what_became``, with what is known already."""
    reports = _reports(deliveries)
    waits = any(one.state == DeliveryState.PENDING for one in deliveries)
    stops = list(Alert.objects.open().exclude(probe_at=None)) if waits else []
    is_old = any(retention.may_be_gone(one.day) for one in deliveries)
    told_since = horizons.kept().events if is_old else datetime.date.min
    found = {}
    for one in deliveries:
        if message := messages.get(one.push_message_id):
            subscription = subscriptions.get(one.subscription_id)
            explanation = _explain(one, message, subscription, reports.get(one.pk, {}), stops)
            if explanation.cause == Cause.UNREPORTED and one.day < told_since:
                explanation = replace(explanation, cause=Cause.REPORTS_NOT_KEPT)
            found[one.pk] = explanation
    return found


def _reports(deliveries: Iterable[Delivery]) -> dict[int, dict[str, datetime.datetime]]:
    found: dict[int, dict[str, datetime.datetime]] = {}
    sent = [one for one in deliveries if one.state in {DeliveryState.ACCEPTED, DeliveryState.UNKNOWN}]
    if not sent:
        return found
    reports = Event.objects.filter(
        delivery_id__in=[one.pk for one in sent], day__in={one.day for one in sent}, kind__in=REPORTS
    )
    for event in reports:
        found.setdefault(event.delivery_id or 0, {})[event.kind] = event.occurred_at
    return found


def _explain(
    delivery: Delivery,
    message: PushMessage,
    subscription: Subscription | None,
    reports: Reports,
    stops: Sequence[Alert],
) -> Explanation:
    if delivery.state == DeliveryState.PENDING:
        return _why_it_waits(delivery, message, subscription, stops)
    if reports:
        cause = Cause(next(kind for kind in TELLING if kind in reports).value)
    elif delivery.state == DeliveryState.ACCEPTED:
        cause = Cause.UNREPORTED
    else:
        cause = Cause(delivery.state)
    return Explanation(cause, message, subscription, delivery, reports=reports)


def _why_it_waits(
    delivery: Delivery, message: PushMessage, subscription: Subscription | None, stops: Sequence[Alert]
) -> Explanation:
    now, due = timezone.now(), delivery.due_at
    alert = next((one for one in stops if _holds(one, delivery, message)), None)
    is_over = message.state in ENDED or (message.valid_until is not None and message.valid_until <= now)
    is_mismatched = delivery.reason == MISMATCH or (subscription and subscription.key_mismatch_at)
    # The first that is so counts.
    cases = [
        (message.state == MessageState.PAUSED, Cause.MESSAGE_PAUSED, None),
        (is_over, Cause.ENDING, None),
        (due > now and not delivery.reason, Cause.WAITING, due),
        (alert, Cause.STOPPED, max(alert.probe_at or now, due) if alert else None),
        (is_mismatched, Cause.MISMATCHED, None),
        (due > now, Cause.RETRYING, due),
        (True, Cause.DUE, None),
    ]
    cause, until = next((cause, until) for is_so, cause, until in cases if is_so)
    return Explanation(cause, message, subscription, delivery, until, alert)


def _holds(alert: Alert, delivery: Delivery, message: PushMessage) -> bool:
    return alert.push_service == delivery.push_service and alert.website_id in (None, message.website_id)
