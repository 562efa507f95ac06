"""Moving a push message that has not started yet to another time, together with its deliveries."""

import datetime

from django.db import transaction

from signalize_console.deliveries.idempotency import NotAccepted
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import DeliveryState, MessageState

NOT_STARTED = [MessageState.SCHEDULED, MessageState.HELD]


@transaction.atomic
def reschedule(message: PushMessage, at: datetime.datetime) -> bool:
    """False if it has started meanwhile; raises NotAccepted if it would not be valid then any more."""
    waiting = PushMessage.objects.filter(pk=message.pk, state__in=NOT_STARTED).select_for_update().first()
    if waiting is None:
        return False
    start = waiting.due_at or waiting.scheduled_at
    was_computed = start is not None and waiting.valid_until == waiting.latest(start)
    waiting.scheduled_at, waiting.in_local_time = at, False
    latest = waiting.latest(at)
    valid_until = latest if was_computed else min(waiting.expires_at, latest)
    if valid_until <= at:
        raise NotAccepted("validUntil lies before the time of sending. Give an earlier time.")
    PushMessage.objects.filter(pk=message.pk).update(
        state=MessageState.SCHEDULED,
        scheduled_at=at,
        in_local_time=False,
        due_at=at,
        valid_until=valid_until,
    )
    Delivery.objects.of(waiting).filter(state=DeliveryState.PENDING).update(due_at=at)
    return True
