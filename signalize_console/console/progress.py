"""How far a push message has come: its funnel, and what went wrong in words."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _

from signalize_console.activity.models import REPORTS, Event
from signalize_console.console.reasons import in_words
from signalize_console.deliveries.models import Delivery, Recall
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import OPEN_DELIVERY_STATES, DeliveryState, MessageState

ENDED = {MessageState.FINISHED, MessageState.CANCELLED}


@dataclass(frozen=True)
class Progress:
    """Counts by delivery state and by report; ``problems`` are (count, sentence), the largest first.

    ``recalls`` are (word, count); ``pause_reason`` says why the engine paused it itself.
    """

    states: dict[str, int]
    reports: dict[str, int]
    problems: list[tuple[int, str]]
    is_running: bool
    recalls: list[tuple[str, int]]
    pause_reason: str

    @property
    def targeted(self) -> int:
        return sum(self.states.values())

    @property
    def done(self) -> int:
        return sum(count for state, count in self.states.items() if state not in OPEN_DELIVERY_STATES)

    @property
    def percent(self) -> int:
        return 100 * self.done // self.targeted if self.targeted else 0

    @property
    def funnel(self) -> list[dict[str, Any]]:
        steps = [
            (_("targeted"), self.targeted),
            (_("accepted by the push services"), self.states.get(DeliveryState.ACCEPTED, 0)),
            (_("shown"), self.reports.get("shown", 0)),
            (_("clicked"), self.reports.get("clicked", 0)),
        ]
        return [{"label": label, "count": count, "of": self.targeted or 1} for label, count in steps]

    @property
    def shown_states(self) -> list[tuple[str, str, int]]:
        """State, its word and its count, in the order of a delivery's life."""
        return [
            (state.value, str(state.label), self.states[state])
            for state in DeliveryState
            if state in self.states
        ]


def progress_of(message: PushMessage) -> Progress:
    deliveries = Delivery.objects.of(message)
    reports = Event.objects.filter(push_message_id=message.pk, kind__in=REPORTS)
    reasons = deliveries.exclude(reason="").order_by().values_list("reason").annotate(count=Count("*"))
    problems: dict[str, int] = {}
    for reason, count in reasons:
        problems[in_words(reason)] = problems.get(in_words(reason), 0) + count
    return Progress(
        states=deliveries.by_state(),
        reports=dict(reports.order_by().values_list("kind").annotate(count=Count("*"))),
        problems=sorted(((count, words) for words, count in problems.items()), reverse=True),
        is_running=message.state not in ENDED and not message.is_draft,
        recalls=_recalls(deliveries) if message.state == MessageState.CANCELLED else [],
        pause_reason=in_words(message.paused_because) if message.state == MessageState.PAUSED else "",
    )


def _recalls(deliveries: Any) -> list[tuple[str, int]]:
    """How taking back goes, by its words."""
    counts = dict(deliveries.exclude(recall="").order_by().values_list("recall").annotate(count=Count("*")))
    return [(str(recall.label), counts[recall]) for recall in Recall if recall in counts]
