"""From what a clock on the wall shows to the instant that is meant, also where clocks are changed."""

import datetime
import functools
import zoneinfo

from django.conf import settings

UTC = datetime.UTC
SECOND = datetime.timedelta(seconds=1)


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


@functools.lru_cache(maxsize=1024)
def zone(name: str) -> zoneinfo.ZoneInfo:
    """A recipient's zone; the console's, where theirs is unknown."""
    try:
        return zoneinfo.ZoneInfo(name or settings.TIME_ZONE)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return zoneinfo.ZoneInfo(settings.TIME_ZONE)
