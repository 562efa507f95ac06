"""How many of those whom a push message was for got it, saw it, clicked, and bought: from the rollups.

What a browser can't tell is unknown, which isn't zero: Safari's worker reports neither shown nor closed.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from decimal import Decimal

from django.db.models import OuterRef, Subquery

from signalize_console.deliveries.rollups import CONVERTED, DailyCount, HourlyCount
from signalize_console.deliveries.statistics import DELIVERIES, OPEN, Row, rows_of
from signalize_console.messaging.models import Audience, PushMessage
from signalize_console.messaging.states import OPEN_DELIVERY_STATES, DeliveryState
from signalize_console.websites.models import Website

Hours = dict[datetime.datetime, Counter[str]]
BLIND = {"apple"}
LOST = [
    state.value
    for state in DeliveryState
    if state not in OPEN_DELIVERY_STATES and state != DeliveryState.ACCEPTED
]


@dataclass
class Funnel:
    """``blind`` is how many of the accepted ones no browser can say more of than a click.

    ``tells_conversions``: the website has told of any since; else how many there were is unknown.
    """

    tells_conversions: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    blind: int = 0
    value: Decimal = Decimal(0)

    def add(self, row: Row) -> None:
        self.counts[row.name] += row.count
        self.value += row.value
        if row.name == DeliveryState.ACCEPTED and row.push_service in BLIND:
            self.blind += row.count

    @property
    def targeted(self) -> int:
        return sum(self.counts[name] for name in DELIVERIES)

    @property
    def open(self) -> int:
        return self.counts[OPEN]

    @property
    def accepted(self) -> int:
        return self.counts[DeliveryState.ACCEPTED]

    @property
    def lost(self) -> int:
        return sum(self.counts[name] for name in LOST)

    @property
    def telling(self) -> int:
        """Of the accepted ones, those whose browser reports what it shows."""
        return self.accepted - self.blind

    @property
    def shown(self) -> int | None:
        """None: unknown, since none of these browsers can tell."""
        return None if self.blind and not self.telling else self.counts["shown"]

    @property
    def closed(self) -> int | None:
        return None if self.blind and not self.telling else self.counts["closed"]

    @property
    def clicked(self) -> int:
        return self.counts["clicked"]

    @property
    def converted(self) -> int | None:
        return self.counts[CONVERTED] if self.tells_conversions else None

    @property
    def worth(self) -> Decimal | None:
        return self.value if self.tells_conversions else None

    @property
    def unsubscribed(self) -> int:
        return self.counts["unsubscribed"]

    @property
    def accepted_rate(self) -> float | None:
        return _share(self.accepted, self.targeted)

    @property
    def shown_rate(self) -> float | None:
        """Of those whose browser can tell."""
        return None if self.shown is None else _share(self.shown, self.telling)

    @property
    def click_rate(self) -> float | None:
        return _share(self.clicked, self.accepted)

    @property
    def conversion_rate(self) -> float | None:
        return None if self.converted is None else _share(self.converted, self.clicked)

    @property
    def unsubscribe_rate(self) -> float | None:
        return _share(self.unsubscribed, self.accepted)


@dataclass(frozen=True)
class MessageReport:
    """``by``: a funnel for each push service, language and platform, and for each variant if there are any:
    those who got the better one afterwards have "". ``buttons``: clicks by button, "" is the notification
    itself. ``hours``: what happened in each hour; only of messages to many.

    ``reasons``: what was lost, by reason.
    """

    message: PushMessage
    funnel: Funnel
    by: dict[str, dict[str, Funnel]]
    buttons: dict[str, int]
    reasons: dict[str, int]
    hours: Hours


def report_of(message: PushMessage) -> MessageReport:
    rows = rows_of(message) if message.audience == Audience.RECIPIENTS else _rolled([message])[message.pk]
    tells = _tells_conversions([message])[message.pk]
    names = ("push_service", "language", "platform", *(["variant"] if message.varied else []))
    by: dict[str, dict[str, Funnel]] = {name: {} for name in names}
    buttons: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for row in rows:
        for name, funnels in by.items():
            funnels.setdefault(getattr(row, name), Funnel(tells)).add(row)
        if row.name == "clicked":
            buttons[row.detail] += row.count
        if row.name in LOST:
            reasons[row.detail] += row.count
    hours = {} if message.audience == Audience.RECIPIENTS else hours_of([message.pk])[message.pk]
    return MessageReport(message, _funnel(message, rows, tells), by, dict(buttons), dict(reasons), hours)


def funnels_of(messages: Iterable[PushMessage], *, with_conversions: bool = True) -> dict[int, Funnel]:
    """One for each of these messages to many, in two queries; without conversions in one."""
    messages = list(messages)
    rolled = _rolled(messages)
    tells = _tells_conversions(messages) if with_conversions else dict.fromkeys(rolled, False)
    return {
        message.pk: _funnel(message, rolled[message.pk], tells.get(message.pk, False)) for message in messages
    }


def _funnel(message: PushMessage, rows: Iterable[Row], tells_conversions: bool) -> Funnel:
    funnel = Funnel(tells_conversions)
    for row in rows:
        funnel.add(row)
    if message.audience != Audience.RECIPIENTS:
        funnel.counts[OPEN] = max(message.total - funnel.targeted, 0)
    return funnel


def _rolled(messages: Iterable[PushMessage]) -> dict[int, list[Row]]:
    ids = [message.pk for message in messages if message.audience != Audience.RECIPIENTS]
    rows: dict[int, list[Row]] = defaultdict(list)
    found = DailyCount.objects.filter(push_message_id__in=ids)
    for message_id, *row in found.values_list("push_message_id", *(one.name for one in fields(Row))):
        rows[message_id].append(Row(*row))
    return rows


def hours_of(message_ids: Iterable[int]) -> dict[int, Hours]:
    """What happened in each hour, of messages to many; in one query."""
    found: dict[int, Hours] = {message_id: {} for message_id in message_ids}
    for one in HourlyCount.objects.filter(push_message_id__in=found).order_by("hour"):
        found[one.push_message_id].setdefault(one.hour, Counter())[one.name] = one.count
    return found


def _tells_conversions(messages: Iterable[PushMessage]) -> dict[int, bool]:
    """Whether a message's website has told of conversions since it was accepted; in one query."""
    messages = list(messages)
    told = DailyCount.objects.filter(website_id=OuterRef("pk"), name=CONVERTED).order_by("-day")
    websites = Website.objects.filter(pk__in={message.website_id for message in messages})
    last = dict(websites.annotate(told=Subquery(told.values("day")[:1])).values_list("pk", "told"))
    return {
        one.pk: bool(one.day and (day := last.get(one.website_id)) and day >= one.day) for one in messages
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
