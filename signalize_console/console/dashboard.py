"""The first page: how many can be reached, what runs, what came of it, and how we are seen.

It reads rollups, and the few messages to many: it is as fast with millions of deliveries behind it.
"""

from typing import Any

from django.db.models import prefetch_related_objects

from signalize_console.activity.models import EventKind
from signalize_console.console import reputation
from signalize_console.console.access import of_own_websites, own_websites
from signalize_console.console.charts import Chart
from signalize_console.console.report_tables import growth
from signalize_console.console.troubles import approvals, old_months, troubles
from signalize_console.deliveries.funnels import funnels_of
from signalize_console.deliveries.website_reports import (
    GROWTH_NAMES,
    period,
    subscribers,
    subscribers_per_step,
)
from signalize_console.messaging.models import Audience, PushMessage
from signalize_console.messaging.states import MessageState

SHOWN_MESSAGES = 6
DAYS, WEEK = 30, 7
FIGURES = (EventKind.SUBSCRIBED, EventKind.UNSUBSCRIBED, EventKind.SHOWN, EventKind.CLICKED)
RUNNING = [MessageState.EXPANDING, MessageState.SENDING, MessageState.PAUSED, MessageState.HELD]
NEXT = [MessageState.AWAITING_APPROVAL, MessageState.SCHEDULED, MessageState.REPEATING]


def context(user: Any) -> dict[str, Any]:
    """Nothing for somebody who may not see messages."""
    if not user.has_perm("messaging.view_pushmessage"):
        return {"may_look": False}
    own = list(own_websites(user).only("name"))
    websites = [website.pk for website in own]
    counted = period(websites, DAYS, {*GROWTH_NAMES, *FIGURES})
    count, counted_at = subscribers(websites)
    judged = reputation.judged(own, WEEK)
    return {
        "may_look": True,
        "subscribers": count,
        "counted_at": counted_at,
        "week": {kind.value: counted.total(kind, WEEK) for kind in FIGURES},
        "chart": _chart(counted, websites),
        "judged": judged[: reputation.MOST_WEBSITES],
        "not_worse": len(judged[reputation.MOST_WEBSITES :]),
        "troubles": [*troubles(user), *approvals(user), *old_months(user)],
        **_messages(user),
    }


def _messages(user: Any) -> dict[str, Any]:
    """Those to many: messages to named recipients come and go by the thousand, and alerts tell of theirs."""
    own = of_own_websites(user, PushMessage.objects.filter(test=False).order_by("-pk"))
    to_many = own.exclude(audience=Audience.RECIPIENTS)
    found = list(
        to_many.filter(state__in=RUNNING)[:SHOWN_MESSAGES].union(
            to_many.filter(state=MessageState.FINISHED)[:SHOWN_MESSAGES],
            to_many.filter(state__in=NEXT).order_by("due_at", "pk")[:SHOWN_MESSAGES],
        )
    )
    running = sorted((one for one in found if one.state in RUNNING), key=_newest_first)
    latest = sorted((one for one in found if one.state == MessageState.FINISHED), key=_newest_first)
    scheduled = sorted((one for one in found if one.state in NEXT), key=_soonest_first)
    prefetch_related_objects([*running, *latest, *scheduled], "texts")
    funnels = funnels_of([*running, *latest], with_conversions=False)
    return {
        "running": [(message, _percent(message, funnels[message.pk])) for message in running],
        "scheduled": scheduled,
        "latest": [(message, funnels[message.pk]) for message in latest],
        "is_new": not running and not latest and not own.exists(),
    }


def _newest_first(message: PushMessage) -> int:
    return -message.pk


def _soonest_first(message: PushMessage) -> tuple[bool, Any, int]:
    """Those without an appointment wait for somebody, and come last."""
    return message.due_at is None, message.due_at, message.pk


def _percent(message: PushMessage, funnel: Any) -> int:
    return 100 * (funnel.targeted - funnel.open) // message.total if message.total else 0


def _chart(counted: Any, websites: list[int]) -> Chart:
    """How the audience grew; before anybody counted it, who came and went."""
    active = subscribers_per_step(websites, counted)
    came_and_went, total = growth(counted, active).charts
    return total if sum(value is not None for value in active) > 1 else came_and_went
