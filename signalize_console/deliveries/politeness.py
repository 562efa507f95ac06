"""What a website has set: how often, not when, and to whom not. Known to each process for a moment."""

import datetime
import hashlib
import time
from typing import NamedTuple

from django.db.models import Q

from signalize_console.websites.models import Website

KNOWN_SECONDS = 2.0
COLUMNS = ("cap_hour", "cap_day", "cap_week", "quiet_from", "quiet_until", "holdout")


class Politeness(NamedTuple):
    hour: int | None
    day: int | None
    week: int | None
    quiet_from: datetime.time | None
    quiet_until: datetime.time | None
    holdout: int

    @property
    def has_cap(self) -> bool:
        return any((self.hour, self.day, self.week))

    def holds_out(self, recipient_id: int) -> bool:
        """Whether this recipient is in the control group: always the same, whatever else is set."""
        digest = hashlib.sha256(f"holdout {recipient_id}".encode()).digest()
        return int.from_bytes(digest[:8]) % 100 < self.holdout

    def is_quiet_at(self, clock: datetime.time) -> bool:
        if self.quiet_from is None or self.quiet_until is None:
            return False
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= clock < self.quiet_until
        return clock >= self.quiet_from or clock < self.quiet_until


class _Known:
    until = 0.0
    by_website: dict[int, Politeness] = {}


def by_website() -> dict[int, Politeness]:
    """Of those websites that have set any. One small query every few seconds."""
    if time.monotonic() > _Known.until:
        some = Q(cap_hour__gt=0) | Q(cap_day__gt=0) | Q(cap_week__gt=0) | Q(holdout__gt=0)
        rows = Website.objects.filter(some | ~Q(quiet_from=None)).values_list("pk", *COLUMNS)
        _Known.by_website = {row[0]: Politeness(*row[1:]) for row in rows}
        _Known.until = time.monotonic() + KNOWN_SECONDS
    return _Known.by_website


def forget() -> None:
    """The next look sees what was set this moment."""
    _Known.until = 0.0
