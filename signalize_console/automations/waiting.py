"""When a wait is over, on the recipient's own clock: a day later is the same time of day, also when the
clocks were changed meanwhile."""

import datetime
from collections.abc import Iterable, Mapping

from signalize_console.automations.values import WEEKDAYS
from signalize_console.messaging.wall_clock import instant, zone

__all__ = ["later", "next_at", "next_on", "wall", "zone"]

DAY = datetime.timedelta(days=1)


def wall(at: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    """What the clock on the wall shows."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def later(start: datetime.datetime, duration: Mapping[str, int], zone: datetime.tzinfo) -> datetime.datetime:
    if "days" in duration:
        return instant(wall(start, zone) + duration["days"] * DAY, zone)
    return start.astimezone(datetime.UTC) + datetime.timedelta(**duration)


def next_at(start: datetime.datetime, clock: str, zone: datetime.tzinfo) -> datetime.datetime:
    """The first time from ``start`` on that a clock there shows this."""
    return _first(start, clock, zone, range(7))


def next_on(
    start: datetime.datetime, weekdays: Iterable[str], clock: str, zone: datetime.tzinfo
) -> datetime.datetime:
    """As ``next_at``, on one of these days of the week."""
    return _first(start, clock, zone, [WEEKDAYS.index(day) for day in weekdays])


def _first(
    start: datetime.datetime, clock: str, zone: datetime.tzinfo, weekdays: Iterable[int]
) -> datetime.datetime:
    allowed, time = set(weekdays), datetime.time.fromisoformat(clock)
    day = wall(start, zone).date()
    while True:
        at = instant(datetime.datetime.combine(day, time), zone)
        if day.weekday() in allowed and at >= start:
            return at
        day += DAY
