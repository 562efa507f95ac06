"""From what a clock on the wall shows to the instant that is meant, also where clocks are changed."""

import calendar
import datetime
import functools
import zoneinfo

from django.conf import settings

UTC = datetime.UTC
SECOND = datetime.timedelta(seconds=1)
DAY = datetime.timedelta(days=1)
# Clocks on Earth are at most so far ahead of UTC, and behind it.
EASTERNMOST, WESTERNMOST = datetime.timedelta(hours=14), datetime.timedelta(hours=12)
# Who is so little late gets it at once, not a day later.
PATIENCE = datetime.timedelta(hours=1)


def instant(wall: datetime.datetime, zone: datetime.tzinfo) -> datetime.datetime:
    """The instant (in UTC) at which a clock in ``zone`` shows ``wall``, which has no zone of its own.

    A time that comes twice, when clocks go back, means the first. One that never comes, when they go
    forward, means the moment at which they do.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return first
    # It lies in the gap: its two readings, by the offset before and after, have the change between them.
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first
    while after - before > SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).replace(tzinfo=None, fold=0) < wall:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def around_the_world(wall: datetime.datetime) -> tuple[datetime.datetime, datetime.datetime]:
    """The instants at which the first and the last clocks on Earth show ``wall``."""
    there = wall.replace(tzinfo=UTC)
    return there - EASTERNMOST, there + WESTERNMOST


def first_clock(at: datetime.datetime) -> datetime.datetime:
    """What the first clocks on Earth show at this instant."""
    return (at.astimezone(UTC) + EASTERNMOST).replace(tzinfo=None)


@functools.lru_cache(maxsize=16)
def instants(wall: datetime.datetime, since: datetime.datetime) -> dict[str, datetime.datetime]:
    """The instant in each time zone at which its clocks show ``wall``, to send what was started at ``since``.

    Where that was more than an hour before, it is the next day's.
    """
    found = {}
    for name, there in zones().items():
        at = instant(wall, there)
        found[name] = at if at >= since - PATIENCE else instant(wall + DAY, there)
    return found


@functools.cache
def zones() -> dict[str, zoneinfo.ZoneInfo]:
    """All time zones that this computer knows."""
    return {name: zoneinfo.ZoneInfo(name) for name in zoneinfo.available_timezones()}


def zone(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of this name; the console's, where this computer knows none."""
    return zones().get(name) or zones()[settings.TIME_ZONE]


def months_later(wall: datetime.datetime, months: int) -> datetime.datetime:
    """The same day of a later month, or its last one where it is too short."""
    years, month = divmod(wall.month - 1 + months, 12)
    year, month = wall.year + years, month + 1
    return wall.replace(year=year, month=month, day=min(wall.day, calendar.monthrange(year, month)[1]))
