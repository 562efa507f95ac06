"""Quiet hours on each recipient's own clock."""

import datetime
from collections.abc import Sequence

from signalize_console.deliveries.politeness import Politeness
from signalize_console.messaging.wall_clock import instant
from signalize_console.messaging.wall_clock import zone as zone_of
from signalize_console.recipients.models import Recipient

DAY = datetime.timedelta(days=1)


def waits(polite: Politeness, recipient_ids: Sequence[int], now: datetime.datetime) -> dict[int, float]:
    """For each of these recipients for whom it is quiet now: in how many seconds it ends."""
    zones = Recipient.objects.filter(pk__in=set(recipient_ids)).values_list("pk", "time_zone")
    found = {recipient: wait(polite, now, zone_of(zone)) for recipient, zone in zones}
    return {recipient: seconds for recipient, seconds in found.items() if seconds is not None}


def wait(polite: Politeness, now: datetime.datetime, zone: datetime.tzinfo) -> float | None:
    """In how many seconds the quiet hours end there. None: it isn't quiet."""
    local = now.astimezone(zone).replace(tzinfo=None, fold=0)
    if polite.quiet_until is None or not polite.is_quiet_at(local.time()):
        return None
    end = instant(datetime.datetime.combine(local.date(), polite.quiet_until), zone)
    if end <= now:
        end = instant(datetime.datetime.combine(local.date() + DAY, polite.quiet_until), zone)
    return (end - now).total_seconds()
