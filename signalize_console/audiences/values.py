"""The values that a segment's conditions may hold. Each check returns its value, or raises Wrong in words."""

import datetime
import math
import re
from collections.abc import Callable, Collection
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

Check = Callable[[Any], Any]

LONGEST_TEXT = 1_000
LONGEST_LIST = 1_000
LARGEST_NUMBER = 10**15
LONGEST_DAYS = 36_500
HOURS_A_DAY = 24


class Wrong(ValueError):
    """This value can't be; ``str()`` says what can."""


def text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        raise Wrong(_("Give a text of 1 to %d characters.") % LONGEST_TEXT)
    if re.search("[\0\ud800-\udfff]", value):
        raise Wrong(_("The text has characters that can't be stored."))
    return value


def number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong(_("Give a number, without quotes."))
    if not math.isfinite(value) or abs(value) > LARGEST_NUMBER:
        raise Wrong(_("Give a number between -10^15 and 10^15."))
    return value


def whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2**31:
        raise Wrong(_("Give a whole number, 0 or more."))
    return value


def identity(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
        raise Wrong(_("Give its number, as the console and the API show it."))
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong(_("Give true or false."))
    return value


def one_of(known: Collection[str]) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise Wrong(_("Give one of: %s.") % ", ".join(known))
        return value

    return check


def list_of(check: Check) -> Check:
    def check_list(value: Any) -> list[Any]:
        if not isinstance(value, list) or not 0 < len(value) <= LONGEST_LIST:
            raise Wrong(_("Give a list of 1 to %d values.") % LONGEST_LIST)
        return [check(one) for one in value]

    return check_list


def time(value: Any) -> datetime.datetime | datetime.timedelta:
    """A moment (ISO 8601 with a zone), or how far from now: ``{"daysAgo": 7}``, ``{"hoursAhead": 3}``."""
    if isinstance(value, dict):
        return _distance(value, {"daysAgo": -24, "hoursAgo": -1, "daysAhead": 24, "hoursAhead": 1})
    moment = _parsed(parse_datetime, value)
    if moment is None or moment.tzinfo is None:
        raise Wrong(_('Give a time such as "2026-05-01T09:00:00Z", or {"daysAgo": 7}.'))
    return moment


def day(value: Any) -> datetime.date | datetime.timedelta:
    """A day (ISO 8601), or its distance from today (UTC): ``{"daysAgo": 7}``, ``{"daysAhead": 14}``."""
    if isinstance(value, dict):
        return _distance(value, {"daysAgo": -24, "daysAhead": 24})
    found = _parsed(parse_date, value)
    if found is None:
        raise Wrong(_('Give a day such as "2026-05-01", or {"daysAgo": 7}.'))
    return found


def period(value: Any) -> datetime.timedelta:
    """The time before now: ``{"days": 30}`` or ``{"hours": 12}``."""
    if not isinstance(value, dict):
        raise Wrong(_('Give a period such as {"days": 30} or {"hours": 12}.'))
    return _distance(value, {"days": 24, "hours": 1})


def _distance(value: dict[str, Any], units: dict[str, int]) -> datetime.timedelta:
    known = ", ".join(f'{{"{unit}": 7}}' for unit in units)
    if len(value) != 1 or (unit := next(iter(value))) not in units:
        raise Wrong(_("Give exactly one of: %s.") % known)
    amount = value[unit]
    hours_a_unit = abs(units[unit])
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise Wrong(_("Give a whole number of days or hours."))
    if not 0 <= amount * hours_a_unit <= LONGEST_DAYS * HOURS_A_DAY:
        raise Wrong(_("Give at most %d days.") % LONGEST_DAYS)
    return datetime.timedelta(hours=amount * units[unit])


def _parsed(parse: Callable[[str], Any], value: Any) -> Any:
    try:
        found = parse(value) if isinstance(value, str) else None
        # PostgreSQL and Python agree on these years, with room for any zone.
        return found if found and 1 < found.year < 9_999 else None
    except ValueError:
        return None
