"""The first page: how many can be reached, what runs, what came of it."""

import datetime
from typing import Any

from django.db.models import Count
from django.utils import timezone

from signalize_console.activity.models import Event, EventKind
from signalize_console.console.progress import progress_of
from signalize_console.console.troubles import troubles
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import MessageState
from signalize_console.recipients.models import Subscription

SHOWN_MESSAGES = 6
RUNNING = [MessageState.EXPANDING, MessageState.SENDING, MessageState.PAUSED, MessageState.HELD]


def context(user: Any) -> dict[str, Any]:
    """Nothing for somebody who may not see messages."""
    if not user.has_perm("messaging.view_pushmessage"):
        return {"may_look": False}
    week_ago = timezone.now() - datetime.timedelta(days=7)
    recent = Event.objects.filter(day__gte=week_ago.date(), occurred_at__gte=week_ago)
    events = dict(recent.order_by().values_list("kind").annotate(count=Count("*")))
    messages = PushMessage.objects.filter(test=False).select_related("website").prefetch_related("texts")
    running = list(messages.filter(state__in=RUNNING)[:SHOWN_MESSAGES])
    return {
        "may_look": True,
        "subscribers": Subscription.objects.active().count(),
        "week": {kind.value: events.get(kind, 0) for kind in EventKind},
        "running": [(message, progress_of(message)) for message in running],
        "scheduled": messages.filter(state=MessageState.SCHEDULED).order_by("due_at")[:SHOWN_MESSAGES],
        "latest": messages.filter(state=MessageState.FINISHED)[:SHOWN_MESSAGES],
        "troubles": troubles(),
        "is_new": not running and not messages.exists(),
    }
