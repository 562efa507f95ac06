"""When a message is due: at one instant, by each recipient's clock, and again and again."""

import datetime
import zoneinfo
from typing import Any

import pytest

from signalize_console.messaging import wall_clock
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.timing import Repeat

UTC = datetime.UTC
HOUR = datetime.timedelta(hours=1)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)


def message(scheduled_at: str, zone: str = "Europe/Berlin", **fields: object) -> PushMessage:
    return PushMessage(scheduled_at=at(scheduled_at), time_zone=zone, **fields)


def runs(one: PushMessage, after: str, count: int) -> list[str]:
    """The wall times of the next runs."""
    found, moment = [], at(after)
    for _run in range(count):
        run_for, moment = one.next_run(moment)
        found.append(f"{run_for.astimezone(one.zone):%Y-%m-%d %H:%M}")
    return found


def test_each_zone_has_its_own_instant() -> None:
    instants = wall_clock.instants(datetime.datetime(2027, 5, 1, 9), at("2027-04-30 10:00"))
    assert instants["Europe/Berlin"] == at("2027-05-01 07:00")
    assert instants["America/New_York"] == at("2027-05-01 13:00")
    assert instants["Asia/Kathmandu"] == at("2027-05-01 03:15")
    assert instants["Pacific/Kiritimati"] == at("2027-04-30 19:00")
    assert instants["Asia/Calcutta"] == instants["Asia/Kolkata"]


def test_all_zones_lie_within_the_span_of_the_world() -> None:
    wall = datetime.datetime(2027, 5, 1, 9)
    first, last = wall_clock.around_the_world(wall)
    instants = wall_clock.instants(wall, first).values()
    assert (min(instants), max(instants)) == (first, last)


def test_where_the_time_has_passed_it_is_the_next_days() -> None:
    """Started at 16:30 in Berlin, for 16 o'clock."""
    instants = wall_clock.instants(datetime.datetime(2027, 5, 1, 16), at("2027-05-01 14:30"))
    assert instants["Europe/Berlin"] == at("2027-05-01 14:00")  # half an hour late: at once
    assert instants["Europe/London"] == at("2027-05-01 15:00")
    assert instants["Europe/Helsinki"] == at("2027-05-02 13:00")
    assert instants["Asia/Tokyo"] == at("2027-05-02 07:00")


def test_the_next_day_may_have_another_offset() -> None:
    """In the night between, Berlin's clocks are put forward."""
    instants = wall_clock.instants(datetime.datetime(2027, 3, 27, 9), at("2027-03-27 12:00"))
    assert instants["Europe/Berlin"] == at("2027-03-28 07:00")
    assert instants["Asia/Tokyo"] == at("2027-03-28 00:00")


def test_local_times_around_a_change_of_the_clocks() -> None:
    gap = wall_clock.instants(datetime.datetime(2027, 3, 28, 2, 30), at("2027-03-27 10:00"))
    assert gap["Europe/Berlin"] == at("2027-03-28 01:00")
    assert gap["America/New_York"] == at("2027-03-28 06:30")
    twice = wall_clock.instants(datetime.datetime(2027, 10, 31, 2, 30), at("2027-10-30 10:00"))
    assert twice["Europe/Berlin"] == at("2027-10-31 00:30")


def test_a_message_for_local_times_is_valid_until_the_last_clock_has_shown_it() -> None:
    one = message("2027-05-01 07:00", in_local_time=True, ttl=3600)
    assert one.span(at("2027-04-01 00:00")) == (at("2027-04-30 19:00"), at("2027-05-01 21:00"))
    assert one.latest(at("2027-04-01 00:00")) == at("2027-05-01 22:00")
    # Accepted when some clocks have shown it already: those are a day later.
    assert one.span(at("2027-05-01 06:00")) == (at("2027-05-01 06:00"), at("2027-05-02 21:00"))


def test_a_speed_limit_takes_its_time() -> None:
    one = PushMessage(per_minute=100, expected=6_000, ttl=3600)
    assert one.span(at("2027-05-01 10:00")) == (at("2027-05-01 10:00"), at("2027-05-01 11:00"))


def test_every_day_at_the_same_wall_time_though_the_clocks_change() -> None:
    one = message("2027-03-26 01:30", repeat=Repeat.DAY)  # 02:30 in Berlin
    assert runs(one, "2027-03-26 02:00", 4) == [
        *("2027-03-27 02:30", "2027-03-28 03:00", "2027-03-29 02:30", "2027-03-30 02:30")
    ]


def test_every_week_on_the_same_day() -> None:
    one = message("2027-03-26 08:00", repeat=Repeat.WEEK)
    assert runs(one, "2027-03-20 00:00", 3) == ["2027-03-26 09:00", "2027-04-02 09:00", "2027-04-09 09:00"]


def test_every_month_on_the_31st_or_the_last_day() -> None:
    one = message("2027-12-31 08:00", repeat=Repeat.MONTH)
    assert runs(one, "2027-12-31 08:00", 4) == [
        *("2028-01-31 09:00", "2028-02-29 09:00", "2028-03-31 09:00", "2028-04-30 09:00")
    ]


def test_a_run_in_local_time_starts_where_the_day_begins() -> None:
    one = message("2027-05-01 07:00", repeat=Repeat.DAY, in_local_time=True)
    run_for, starts_at = one.next_run(at("2027-04-30 18:59"))
    assert (run_for, starts_at) == (at("2027-05-01 07:00"), at("2027-04-30 19:00"))
    assert one.next_run(starts_at)[0] == at("2027-05-02 07:00")


def test_what_clocks_show_when_it_comes_is_not_when_it_starts() -> None:
    one = message("2027-05-01 07:00", repeat=Repeat.DAY, in_local_time=True)
    assert one.next_wall_time == datetime.datetime(2027, 5, 1, 9)
    one.state, one.due_at = "repeating", one.next_run(at("2027-05-20 00:00"))[1]
    assert one.next_wall_time == datetime.datetime(2027, 5, 21, 9)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Beirut"])
def test_a_year_of_daily_runs_misses_no_day_and_doubles_none(zone: str) -> None:
    one = message("2027-01-01 00:30", zone, repeat=Repeat.DAY)
    days = [run[:10] for run in runs(one, "2026-12-31 00:00", 366)]
    first = datetime.date.fromisoformat(days[0])
    assert days == [(first + datetime.timedelta(days=number)).isoformat() for number in range(366)]


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd"])
def test_an_unknown_zone_is_the_consoles(settings: Any, name: str) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    assert message("2027-05-01 07:00", name).wall_time == datetime.datetime(2027, 5, 1, 9)
