"""What somebody means who writes a time, around each change of the clocks."""

import datetime
import zoneinfo

import pytest
from django.utils import timezone

from signalize_console.console.wall_clock import WallClockField
from signalize_console.messaging.wall_clock import instant

UTC = datetime.UTC
ZONES = [
    *(
        "Europe/Berlin",
        "Europe/London",
        "Europe/Lisbon",
        "Europe/Helsinki",
        "Europe/Chisinau",
        "Europe/Dublin",
    ),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/St_Johns"),
    *("America/Santiago", "America/Havana", "America/Nuuk", "Australia/Sydney", "Australia/Lord_Howe"),
    *("Pacific/Auckland", "Pacific/Chatham", "Africa/Casablanca", "Asia/Beirut"),
]


def at(text: str, zone: str) -> str:
    return instant(datetime.datetime.fromisoformat(text), zoneinfo.ZoneInfo(zone)).isoformat()


def test_a_time_that_never_comes_means_the_moment_of_the_change() -> None:
    assert at("2026-03-29T02:30:00", "Europe/Berlin") == "2026-03-29T01:00:00+00:00"
    assert at("2026-03-29T02:00:00", "Europe/Berlin") == "2026-03-29T01:00:00+00:00"
    assert at("2026-03-29T02:59:59", "Europe/Berlin") == "2026-03-29T01:00:00+00:00"
    assert at("2026-03-29T03:00:00", "Europe/Berlin") == "2026-03-29T01:00:00+00:00"


def test_a_time_that_comes_twice_means_the_first() -> None:
    assert at("2026-10-25T02:30:00", "Europe/Berlin") == "2026-10-25T00:30:00+00:00"
    assert at("2026-10-25T03:00:00", "Europe/Berlin") == "2026-10-25T02:00:00+00:00"


def changes(zone: zoneinfo.ZoneInfo) -> list[datetime.datetime]:
    """The instants of 2027 at which this zone's clocks are changed."""
    step, now = datetime.timedelta(minutes=15), datetime.datetime(2027, 1, 1, tzinfo=UTC)
    found = []
    while now.year == 2027:
        if (now + step).astimezone(zone).utcoffset() != now.astimezone(zone).utcoffset():
            found.append(now + step)
        now += step
    return found


@pytest.mark.parametrize("name", ZONES)
def test_around_both_changes_of_a_year(name: str) -> None:
    zone = zoneinfo.ZoneInfo(name)
    both = changes(zone)
    assert len(both) >= 2
    minute = datetime.timedelta(minutes=1)
    for change in both:
        # Every minute of the six hours around it: what the clock on the wall shows, and when it does first.
        first_shown: dict[datetime.datetime, datetime.datetime] = {}
        for number in range(-360, 360):
            now = change + number * minute
            first_shown.setdefault(now.astimezone(zone).replace(tzinfo=None, fold=0), now)
        walls = sorted(first_shown)
        wall = walls[0]
        while wall <= walls[-1]:
            assert instant(wall, zone) == first_shown.get(wall, change)
            wall += minute


def test_a_form_takes_such_times() -> None:
    with timezone.override("Europe/Berlin"):
        field = WallClockField()
        assert field.clean(["2026-03-29", "02:30"]).isoformat() == "2026-03-29T01:00:00+00:00"
        assert field.clean(["2026-10-25", "02:30"]).isoformat() == "2026-10-25T00:30:00+00:00"
        assert field.clean(["2026-07-01", "12:00"]).isoformat() == "2026-07-01T10:00:00+00:00"
        assert WallClockField(required=False).clean(["", ""]) is None
