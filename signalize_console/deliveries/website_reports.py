"""What became of websites as a whole, from the rollups: growth, the opt-in funnel, reputation."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Sum
from django.utils import timezone

from signalize_console.activity.models import EventKind
from signalize_console.deliveries.models import Tally
from signalize_console.deliveries.rollups import DailyCount, SubscriberCount
from signalize_console.messaging.states import DeliveryState
from signalize_console.recipients.models import Subscription

OPT_IN_STEPS = (
    *(EventKind.OPTIN_SHOWN, EventKind.OPTIN_YES, EventKind.OPTIN_NO, EventKind.OPTIN_CLOSED),
    *(EventKind.PERMISSION_GRANTED, EventKind.PERMISSION_DENIED, EventKind.SUBSCRIBED),
)
# Subscriptions come, and go by their visitor or by their push service.
GROWTH_NAMES = (EventKind.SUBSCRIBED, EventKind.UNSUBSCRIBED, DeliveryState.GONE)
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

    def last_days(self, count: int) -> "Period":
        first = self.last - datetime.timedelta(days=count - 1)
        return Period(first, self.last, 1, {day: one for day, one in self.days.items() if day >= first})

    def total(self, name: str) -> int:
        return sum(counts[name] for counts in self.days.values())

    def per_step(self, name: str) -> list[int]:
        found = [0] * len(self.steps)
        for day, counts in self.days.items():
            found[(day - self.first).days // self.step] += counts[name]
        return found


def period(websites: Iterable[int], days: int, names: Iterable[str]) -> Period:
    """The last ``days`` days of these websites, today among them, in one query."""
    last = timezone.now().astimezone(datetime.UTC).date()
    first = last - datetime.timedelta(days=days - 1)
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
    """What push services and browsers judge a sender by, over some days. None: nothing to divide by."""

    accepted: int
    clicked: int
    lost: int
    page_views: int
    granted: int
    denied: int
    throttled: int

    @property
    def pushes_per_view(self) -> float | None:
        return self.accepted / self.page_views if self.page_views else None

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


REPUTATION_NAMES = (
    *(DeliveryState.ACCEPTED, DeliveryState.GONE, EventKind.CLICKED, EventKind.UNSUBSCRIBED),
    *(EventKind.PAGE_VIEW, EventKind.PERMISSION_GRANTED, EventKind.PERMISSION_DENIED),
)


def reputation_of(websites: Iterable[int], counted: Period) -> Reputation:
    """Of a period that counted REPUTATION_NAMES. Google's answers alone say how near Chrome's limit is."""
    since = datetime.datetime.combine(counted.first, datetime.time(), datetime.UTC)
    tallies = Tally.objects.filter(website__in=list(websites), push_service="fcm", minute__gte=since)
    throttled = tallies.aggregate(total=Sum("throttled"))["total"] or 0
    return Reputation(
        accepted=counted.total(DeliveryState.ACCEPTED),
        clicked=counted.total(EventKind.CLICKED),
        lost=counted.total(DeliveryState.GONE) + counted.total(EventKind.UNSUBSCRIBED),
        page_views=counted.total(EventKind.PAGE_VIEW),
        granted=counted.total(EventKind.PERMISSION_GRANTED),
        denied=counted.total(EventKind.PERMISSION_DENIED),
        throttled=throttled,
    )
