"""The values that a rule may hold. Each check returns its value, or raises Wrong in words."""

import re
import zoneinfo
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from signalize_console.activity.models import LONGEST_NAME
from signalize_console.audiences.values import Wrong, boolean, identity, text

__all__ = ["boolean", "identity"]

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MINUTES = {"minutes": 1, "hours": 60, "days": 1440}
MOST_MINUTES = 366 * 1440
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def name(value: Any) -> str:
    if len(text(value)) > LONGEST_NAME:
        raise Wrong(_("Give at most %d characters.") % LONGEST_NAME)
    return str(value)


def page(value: Any) -> str:
    if not text(value).startswith("/") or len(value) > 300:
        raise Wrong(_("Give a path such as /sale, or /sale/* for all below it."))
    return str(value)


def duration(value: Any) -> dict[str, int]:
    """``{"minutes": 30}``, ``{"hours": 1}`` or ``{"days": 3}``; a day ends at the same time of the day."""
    if signed_duration(value) and next(iter(value.values())) < 0:
        raise Wrong(_("Give a duration that isn't negative."))
    return dict(value)


def signed_duration(value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or len(value) != 1 or (unit := next(iter(value))) not in MINUTES:
        raise Wrong(_('Give a duration such as {"minutes": 30}, {"hours": 1} or {"days": 3}.'))
    amount = value[unit]
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise Wrong(_("Give a whole number."))
    if abs(amount) * MINUTES[unit] > MOST_MINUTES:
        raise Wrong(_("Give at most a year."))
    return dict(value)


def days(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 365:
        raise Wrong(_("Give a number of days, 1 to 365."))
    return value


def clock(value: Any) -> str:
    if not isinstance(value, str) or not CLOCK.fullmatch(value):
        raise Wrong(_('Give a time of day such as "09:00".'))
    return value


def weekdays(value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(one in WEEKDAYS for one in value):
        raise Wrong(_("Give a list of: %s.") % ", ".join(WEEKDAYS))
    return sorted(set(value), key=WEEKDAYS.index)


def zone(value: Any) -> str:
    try:
        return zoneinfo.ZoneInfo(text(value)).key
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise Wrong(_("Give a time zone such as Europe/Berlin.")) from None


def feed(value: Any) -> str:
    parts = urlsplit(text(value))
    if parts.scheme != "https" or not parts.hostname or parts.username or not value.isascii():
        raise Wrong(_("Give an https address such as https://www.example.com/feed.xml."))
    return str(value)
