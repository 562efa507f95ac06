"""What became of websites as a whole, from the rollups: growth, the opt-in funnel, reputation."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, Sum, Value
from django.utils import timezone

from signalize_console.activity.models import EventKind
from signalize_console.deliveries.models import Tally
from signalize_console.deliveries.rollups import VISIT, DailyCount, SubscriberCount
from signalize_console.messaging.states import DeliveryState
from signalize_console.recipients.models import Subscription

OPT_IN_STEPS = (
    *(EventKind.OPTIN_SHOWN, EventKind.OPTIN_YES, EventKind.OPTIN_NO, EventKind.OPTIN_CLOSED),
    *(EventKind.PERMISSION_GRANTED, EventKind.PERMISSION_DENIED, EventKind.SUBSCRIBED),
)
# Subscriptions come, and go by their visitor or by their push service.
GROWTH_NAMES = (EventKind.SUBSCRIBED, EventKind.UNSUBSCRIBED, DeliveryState.GONE)
# What says how near Chrome's limit is: Chrome asks and judges by itself, for each website.
CHROME, THROTTLED = "fcm", "throttled"
JUDGED_IN_CHROME = (
    *(DeliveryState.ACCEPTED, DeliveryState.GONE),
    *(EventKind.CLICKED, EventKind.UNSUBSCRIBED, VISIT),
)
JUDGED_ANYWHERE = (EventKind.PERMISSION_GRANTED, EventKind.PERMISSION_DENIED)
# Up to here counting takes no time.
COUNTED = 10_000
# More days than these are told by the week.
MOST_DAYS = 92


@dataclass(frozen=True)
class Period:
    """What happened on each day, by name. ``step`` is how many days are told together."""

    first: datetime.date
    last: datetime.date
    step: int
    days: dict[datetime.date, Counter[str]]

    @property
    def steps(self) -> list[datetime.date]:
        """The first day of each."""
        days = (self.last - self.first).days + 1
        return [self.first + datetime.timedelta(days=n) for n in range(0, days, self.step)]

    def total(self, name: str, days: int | None = None) -> int:
        """Of all its days, or of the last ``days`` of them."""
        since = self.first if days is None else self.last - datetime.timedelta(days=days - 1)
        return sum(counts[name] for day, counts in self.days.items() if day >= since)

    def per_step(self, name: str) -> list[int]:
        found = [0] * len(self.steps)
        for day, counts in self.days.items():
            found[(day - self.first).days // self.step] += counts[name]
        return found


def period(websites: Iterable[int], days: int, names: Iterable[str]) -> Period:
    """The last ``days`` days of these websites, today among them, in one query."""
    first, last = _last_days(days)
    rows = (
        DailyCount.objects.filter(website__in=list(websites), name__in=[*names], day__range=(first, last))
        .order_by()
        .values_list("day", "name")
        .annotate(total=Sum("count"))
    )
    counts: dict[datetime.date, Counter[str]] = defaultdict(Counter)
    for day, name, total in rows:
        counts[day][name] = total
    return Period(first, last, 1 if days <= MOST_DAYS else 7, dict(counts))


def subscribers(websites: Iterable[int]) -> tuple[int, datetime.datetime | None]:
    """How many active subscriptions, and when they were counted: exact up to 10,000, else within the hour."""
    websites = list(websites)
    active = Subscription.objects.active().filter(website__in=websites)
    exact = active.order_by()[: COUNTED + 1].count()
    counts = SubscriberCount.objects.filter(website__in=websites).order_by("website_id", "-day")
    latest = counts.distinct("website_id") if exact > COUNTED else counts.none()
    noted = list(latest.values_list("count", "counted_at"))
    if not noted:
        return exact, None
    return max(sum(count for count, _at in noted), COUNTED), min(at for _count, at in noted)


def subscribers_per_step(websites: Iterable[int], period: Period) -> list[int | None]:
    """As counted last in each step; None where nobody counted."""
    rows = SubscriberCount.objects.filter(website__in=list(websites), day__range=(period.first, period.last))
    found: list[int | None] = [None] * len(period.steps)
    for day, total in rows.values_list("day").annotate(total=Sum("count")).order_by("day"):
        found[(day - period.first).days // period.step] = total
    return found


@dataclass(frozen=True)
class Reputation:
    """What Chrome judges one website by, over some days. A rate of None: nothing to divide by.

    Of the push service of Chrome alone, but for how visitors answered the browser's question, of which nobody
    knows the browser. ``visits`` are those of subscribers.
    """

    accepted: int = 0
    clicked: int = 0
    lost: int = 0
    visits: int = 0
    granted: int = 0
    denied: int = 0
    throttled: int = 0

    @property
    def pushes_per_visit(self) -> float | None:
        return self.accepted / self.visits if self.visits else None

    @property
    def click_rate(self) -> float | None:
        return self.clicked / self.accepted if self.accepted else None

    @property
    def lost_per_thousand(self) -> float | None:
        return 1000 * self.lost / self.accepted if self.accepted else None

    @property
    def grant_rate(self) -> float | None:
        asked = self.granted + self.denied
        return self.granted / asked if asked else None

    @property
    def throttled_rate(self) -> float | None:
        tried = self.accepted + self.throttled
        return self.throttled / tried if tried else None


def reputations(websites: Iterable[int], days: int) -> dict[int, Reputation]:
    """Of each of these websites, over the last ``days`` days; in one query, however many there are."""
    websites, (first, last) = list(websites), _last_days(days)
    of_chrome = Q(push_service=CHROME, name__in=JUDGED_IN_CHROME) | Q(name__in=JUDGED_ANYWHERE)
    rows = DailyCount.objects.filter(of_chrome, website__in=websites, day__range=(first, last)).order_by()
    since = datetime.datetime.combine(first, datetime.time(), datetime.UTC)
    tallies = Tally.objects.filter(website__in=websites, push_service=CHROME, minute__gte=since).order_by()
    throttled = tallies.values_list("website", Value(THROTTLED)).annotate(total=Sum("throttled"))
    found = rows.values_list("website", "name").annotate(total=Sum("count")).union(throttled, all=True)
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for website, name, total in found:
        counts[website][name] = total
    return {one: _reputation(counts[one]) for one in websites}


def _reputation(counts: Counter[str]) -> Reputation:
    return Reputation(
        accepted=counts[DeliveryState.ACCEPTED],
        clicked=counts[EventKind.CLICKED],
        lost=counts[DeliveryState.GONE] + counts[EventKind.UNSUBSCRIBED],
        visits=counts[VISIT],
        granted=counts[EventKind.PERMISSION_GRANTED],
        denied=counts[EventKind.PERMISSION_DENIED],
        throttled=counts[THROTTLED],
    )


def _last_days(days: int) -> tuple[datetime.date, datetime.date]:
    """The first and the last of them: today, in UTC."""
    last = timezone.now().astimezone(datetime.UTC).date()
    return last - datetime.timedelta(days=days - 1), last
