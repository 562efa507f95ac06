"""How far a push message has come: its funnel, how fast it goes, and what went wrong in words."""

import datetime
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.cache import cache
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signalize_console.activity.models import REPORTS, Event
from signalize_console.console import pace
from signalize_console.console.durations import about
from signalize_console.console.reasons import SERVICES as NAMES
from signalize_console.console.reasons import in_words
from signalize_console.console.reviewing import is_too_late
from signalize_console.deliveries import retention
from signalize_console.deliveries.funnels import BLIND
from signalize_console.deliveries.models import Delivery, Recall
from signalize_console.deliveries.statistics import rolled_outcome_of
from signalize_console.messaging.models import Canary, PushMessage
from signalize_console.messaging.states import OPEN_DELIVERY_STATES, DeliveryState, MessageState
from signalize_console.webpush.push_services import SERVICES

NOT_KEPT = gettext_lazy(
    "It is so long ago that what became of each recipient is no longer kept. These are the sums."
)
ENDED = {MessageState.FINISHED, MessageState.CANCELLED}
GROWING = {
    *(MessageState.AWAITING_APPROVAL, MessageState.SCHEDULED, MessageState.EXPANDING),
    *(MessageState.SENDING, MessageState.PAUSED),
}
SAYS_WHY = {MessageState.PAUSED, MessageState.HELD, MessageState.REPEATING}
# What took longer to count, in seconds, is kept for so many times as long.
SLOW, KEPT = 0.1, 10
# So many waiting deliveries are asked for their reasons.
MOST_WAITING = 10_000


@dataclass(frozen=True)
class Counts:
    """By delivery state and by report; ``problems`` are (count, sentence), the largest first.

    ``tells``: some browser that got it says what it shows. ``are_sums``: the deliveries, or what browsers
    reported on them, are no longer kept.
    """

    states: dict[str, int]
    reports: dict[str, int]
    problems: list[tuple[int, str]]
    tells: bool = True
    are_sums: bool = False

    @property
    def done(self) -> int:
        return sum(count for state, count in self.states.items() if state not in OPEN_DELIVERY_STATES)


@dataclass(frozen=True)
class Progress:
    """``per_minute`` is None where nobody knows yet; ``recalls`` are (word, count).

    ``pause_reason`` says why the engine paused it itself, ``notes`` what comes next.
    """

    counts: Counts
    targeted: int
    is_running: bool
    is_moving: bool
    per_minute: int | None
    time_left: str
    notes: list[str]
    recalls: list[tuple[str, int]]
    pause_reason: str

    @property
    def renew_after(self) -> int:
        """Milliseconds until its page should look again: soon where something moves."""
        return 1_000 if self.is_moving else 10_000

    @property
    def problems(self) -> list[tuple[int, str]]:
        return self.counts.problems

    @property
    def done(self) -> int:
        return self.counts.done

    @property
    def are_sums(self) -> bool:
        return self.counts.are_sums

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // self.targeted) if self.targeted else 0

    @property
    def funnel(self) -> list[dict[str, Any]]:
        """A count of None is unknown."""
        states, reports = self.counts.states, self.counts.reports
        is_blind = states.get(DeliveryState.ACCEPTED) and not self.counts.tells
        steps: list[tuple[str, int | None]] = [
            (_("targeted"), self.targeted),
            (_("accepted by the push services"), states.get(DeliveryState.ACCEPTED, 0)),
            (_("shown, where the browser can tell"), None if is_blind else reports.get("shown", 0)),
            (_("clicked"), reports.get("clicked", 0)),
        ]
        return [{"label": label, "count": count, "of": self.targeted or 1} for label, count in steps]

    @property
    def shown_states(self) -> list[tuple[str, str, int]]:
        """State, its word and its count, in the order of a delivery's life."""
        states = self.counts.states
        return [(one.value, str(one.label), states[one]) for one in DeliveryState if one in states]


def progress_of(message: PushMessage) -> Progress:
    counts = _counts(message)
    targeted = sum(counts.states.values())
    if message.state in GROWING and (message.expand_at or message.state != MessageState.SENDING):
        targeted = max(targeted, message.expected or 0)
    is_sending = message.state in {MessageState.EXPANDING, MessageState.SENDING}
    recalls = _recalls(message) if message.state == MessageState.CANCELLED else {}
    rate = pace.per_minute(message.pk, counts.done) if is_sending else None
    is_steady = rate and not message.is_local and message.canary_phase not in {Canary.SAMPLE, Canary.WATCH}
    return Progress(
        counts=counts,
        targeted=targeted,
        is_running=message.state not in ENDED and not message.is_draft,
        is_moving=is_sending or message.is_held_back or Recall.ASKED in recalls or _is_asking(message),
        per_minute=rate,
        time_left=about(60 * (targeted - counts.done) / rate) if rate and is_steady else "",
        notes=[str(NOT_KEPT)] if counts.are_sums else _notes(message),
        recalls=[(str(recall.label), recalls[recall]) for recall in Recall if recall in recalls],
        pause_reason=in_words(message.paused_because) if message.state in SAYS_WHY else "",
    )


def _notes(message: PushMessage) -> list[str]:
    """What is to come, and when."""
    now = timezone.now()
    if message.state == MessageState.AWAITING_APPROVAL:
        facts = {"name": message.sent_by, "count": intcomma(message.expected or 0)}
        said = _(
            "%(name)s asks for approval. It goes to %(count)s subscriptions once somebody else approves it."
        )
        late = _("Its time has passed, so nobody can approve it: make it a draft again, and give a new time.")
        return [said % facts, late] if is_too_late(message) else [said % facts]
    if message.is_held_back and message.due_at and message.due_at > now:
        seconds = {"time": about((message.due_at - now).total_seconds())}
        return [_("It goes out in %(time)s. Until then you can undo it.") % seconds]
    if said := _of_test(message, now):
        return [said]
    if message.is_local and message.state not in ENDED:
        return [
            _("Each recipient gets it when their own clock shows %(time)s.")
            % {"time": f"{message.wall_time:%H:%M}"}
        ]
    return []


def _of_test(message: PushMessage, now: datetime.datetime) -> str:
    if message.canary_phase == Canary.WATCH and message.expand_at and message.state == MessageState.SENDING:
        left = {"time": about(max(0.0, (message.expand_at - now).total_seconds()))}
        if message.varied:
            return (
                _("A share has text A or B. The one that is clicked more goes to the rest in %(time)s.")
                % left
            )
        return _("A test: only a share has it. The rest follows in %(time)s, if it goes well.") % left
    if message.canary_phase == Canary.SAMPLE and message.state == MessageState.EXPANDING:
        return _("A test: a share gets it first.")
    if message.winner:
        return _("Text %(variant)s was clicked more: the rest gets it.") % {"variant": message.winner}
    return ""


def _counts(message: PushMessage) -> Counts:
    """What takes long to count is kept for a while, so that looking on slows nothing down."""
    key = f"counts-{message.pk}"
    if (known := cache.get(key)) is not None:
        return known
    started = time.perf_counter()
    if not retention.kept(message):
        return _sums(message)
    deliveries = Delivery.objects.of(message)
    reports = Event.objects.filter(push_message_id=message.pk, kind__in=REPORTS)
    counts = Counts(
        states=deliveries.by_state(),
        reports=dict(reports.order_by().values_list("kind").annotate(count=Count("*"))),
        problems=_problems(deliveries),
        tells=deliveries.filter(state=DeliveryState.ACCEPTED).exclude(push_service__in=BLIND).exists(),
    )
    if (seconds := time.perf_counter() - started) > SLOW:
        cache.set(key, counts, seconds * KEPT)
    return counts


def _sums(message: PushMessage) -> Counts:
    outcome = rolled_outcome_of(message)
    tells = not outcome.accepted_by <= BLIND
    reasons = [(*which, count) for which, count in outcome.reasons.items()]
    return Counts(outcome.states, outcome.reports, _in_words(reasons), tells, are_sums=True)


def _problems(deliveries: Any) -> list[tuple[int, str]]:
    """Of those that ended badly, and of those that wait for another try. Each is found by an index."""
    bad = set(DeliveryState) - OPEN_DELIVERY_STATES - {DeliveryState.ACCEPTED}
    ended = deliveries.filter(state__in=bad).order_by().values_list("reason", "push_service")
    waiting = deliveries.filter(
        state=DeliveryState.PENDING, push_service__in=list(SERVICES), due_at__gt=Now(), attempts__gt=0
    )
    again = Counter(waiting.values_list("reason", "push_service")[:MOST_WAITING])
    return _in_words(
        [*ended.annotate(count=Count("*")), *((*which, count) for which, count in again.items())]
    )


def _in_words(counted: Iterable[tuple[str, str, int]]) -> list[tuple[int, str]]:
    """From (reason, push service, count). The sentence is followed by whose push services they are."""
    problems: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for reason, push_service, count in counted:
        if reason:
            problems[in_words(reason)][push_service] += count
    said = [(services.total(), _with_services(words, services)) for words, services in problems.items()]
    return sorted(said, reverse=True)


def _with_services(words: str, services: Counter[str]) -> str:
    named = [
        f"{NAMES[service]} {intcomma(count)}" for service, count in services.most_common() if service in NAMES
    ]
    return f"{words} ({', '.join(named)})" if named else words


def _recalls(message: PushMessage) -> dict[str, int]:
    """How taking back goes."""
    asked = Delivery.objects.of(message).filter(~Q(recall="")).order_by()
    return dict(asked.values_list("recall").annotate(count=Count("*")))


def _is_asking(message: PushMessage) -> bool:
    """Taking back has not got through all its deliveries yet."""
    return message.state == MessageState.CANCELLED and message.recall_cursor is not None
