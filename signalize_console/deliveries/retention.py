"""Letting go of what is old: whole months of deliveries and events, and what nobody can explain without them.

A month goes when all of it is older than it is to be kept, its messages have rested for a month, and every
reader has read it. What it counted stays in the rollups. The oldest month goes first: while it may not, none
does, so that everything since the horizon is there.
"""

import datetime
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from signalize_console.activity import cursors, horizons, partitions
from signalize_console.activity.cursors import ForeignCursor
from signalize_console.deliveries.rolling_up import READER
from signalize_console.messaging.models import Audience, PushMessage

# Nothing younger is ever let go of: settings.py allows no less.
LEAST_DAYS = 92
# So long after its end a push message is still reported on, cancelled and looked into.
REST_DAYS = 31
TABLES = {
    horizons.DELIVERIES: ("deliveries_attempt", "deliveries_delivery"),
    horizons.EVENTS: ("activity_event",),
}
SECONDS = 30.0
CHUNK, MESSAGES = 10_000, 1_000
log = logging.getLogger(__name__)

# Each finds one row that keeps the month from going, and each by an index: first what a person has to end.
OPEN = """
SELECT push_message_id FROM {table} WHERE state = 'pending'{days}
UNION ALL SELECT push_message_id FROM {table} WHERE state = 'sending'{days} LIMIT 1
"""
UNFINISHED = """
SELECT message.id, message.due_at IS NULL AND message.finished_at IS NOT NULL AS is_over
FROM websites_website website
JOIN messaging_pushmessage message ON message.website_id = website.id
WHERE message.day >= %(first)s AND message.day < %(end)s
  AND message.state NOT IN ('draft', 'awaiting_approval', 'repeating')
  AND (message.due_at IS NOT NULL OR message.finished_at IS NULL
       OR message.finished_at > now() - make_interval(days => %(rest)s))
ORDER BY is_over, message.id LIMIT 1
"""
UNREAD = {
    horizons.DELIVERIES: "SELECT id FROM deliveries_delivery WHERE ended_in >= %(position)s",
    horizons.EVENTS: "SELECT id FROM activity_event WHERE recorded_in >= %(position)s",
}
OF_MONTH = " AND day >= %(first)s AND day < %(end)s"

# There may be as many as deliveries, and without these nobody could find whose words they hold. A key that is
# kept longer keeps its promise.
NAMED = """
SELECT message.id FROM websites_website website CROSS JOIN LATERAL (
    SELECT id FROM messaging_pushmessage old
    WHERE website_id = website.id AND day < %(before)s AND audience = 'recipients'
      AND state IN ('finished', 'cancelled')
      AND NOT EXISTS (SELECT FROM deliveries_idempotencykey WHERE push_message_id = old.id)
    LIMIT %(most)s
) message LIMIT %(most)s
"""
COUNT_NAMED = """
INSERT INTO deliveries_dailycount AS known
    (website_id, day, name, push_message_id, push_service, language, platform, detail, count, value)
SELECT website_id, day, 'messages', 0, '', '', '', '', count(*), 0 FROM messaging_pushmessage
WHERE id = ANY(%s) AND NOT test GROUP BY website_id, day
ON CONFLICT (website_id, name, day, push_message_id, push_service, language, platform, detail, variant)
DO UPDATE SET count = known.count + excluded.count
"""
FORGET_HOURS = "DELETE FROM deliveries_hourlycount WHERE push_message_id = ANY(%s)"


class Why(StrEnum):
    UNFINISHED = "push message %s of that month has not ended. Finish or cancel it."
    RESTING = "push message %s of that month ended a short time ago."
    OPEN = "push message %s has open deliveries."
    UNREAD = "not every reader has read them. Do the workers of all queues run?"
    NOT_SUMMED_UP = "they were never summed up. Does the worker of the queue maintenance run?"
    FOREIGN = "a reader stands in another database. After a restore, rebuild_rollups comes first."


@dataclass(frozen=True)
class Obstacle:
    """What keeps a month from going: a push message, if it is one."""

    why: Why
    message_id: int | None = None

    def __str__(self) -> str:
        return self.why % self.message_id if self.message_id else self.why


def kept(message: PushMessage) -> bool:
    """Whether this push message's deliveries and reports are still there, one by one."""
    return message.day is None or not may_be_gone(message.day) or message.day >= max(horizons.kept())


def may_be_gone(day: datetime.date) -> bool:
    """Only of such a day one has to ask for the horizon."""
    return day < timezone.now().date() - datetime.timedelta(days=LEAST_DAYS)


def let_go(seconds: float = SECONDS) -> None:
    """All that may go, the oldest month first; for some seconds, and then the next time."""
    end = time.monotonic() + seconds
    for name, months in _old_months().items():
        _let_go_months(name, months)
    kept = horizons.kept()
    _delete_strays(horizons.DELIVERIES, kept.deliveries, end)
    _delete_strays(horizons.EVENTS, kept.events, end)
    while time.monotonic() < end and _forget_named(kept.deliveries):
        pass


def waiting() -> dict[datetime.date, Obstacle]:
    """The months that should have gone and may not, with what keeps each: of each table the oldest."""
    found = {}
    for name, months in _old_months().items():
        for first in months[:1]:
            if obstacle := _obstacle(name, first):
                found[first] = obstacle
    return found


def _old_months() -> dict[str, list[datetime.date]]:
    """Of all that is ever let go of the months that are old enough, the oldest first."""
    days = {
        horizons.DELIVERIES: settings.KEEP_DELIVERIES_DAYS,
        horizons.EVENTS: settings.KEEP_EVENTS_DAYS,
    }
    tables = {name: tables for name, tables in TABLES.items() if days[name]}
    today = timezone.now().date()
    before = {table: today - datetime.timedelta(days=days[name]) for name in tables for table in tables[name]}
    there = partitions.months(before) if before else []
    return {name: sorted({first for table, first in there if table in tables[name]}) for name in tables}


def _let_go_months(name: str, months: Sequence[datetime.date]) -> None:
    for table in TABLES[name]:
        partitions.drop_detached(table)
    for first in months:
        try:
            if obstacle := _obstacle(name, first) or _detach(name, first):
                log.warning(
                    "The %s of %s stay for now: %s",
                    name,
                    f"{first:%Y-%m}",
                    obstacle,
                    extra={"push_message_id": obstacle.message_id} if obstacle.message_id else {},
                )
                return
        except OperationalError as error:
            log.info("The %s of %s stay for now: %s", name, f"{first:%Y-%m}", error)
            return
        for table in TABLES[name]:
            partitions.drop_detached(table)


def _obstacle(name: str, first: datetime.date) -> Obstacle | None:
    """Why the month may not go yet. Asked without a lock: what has ended and was read stays so."""
    values: dict[str, Any] = {
        "first": first,
        "end": partitions.next_month(first),
        "rest": REST_DAYS,
    }
    try:
        if cursors.position_of(READER) is None:
            return Obstacle(Why.NOT_SUMMED_UP)
        values["position"] = cursors.slowest_position()
    except ForeignCursor:
        return Obstacle(Why.FOREIGN)
    if found := _first(UNFINISHED, values):
        return Obstacle(Why.RESTING if found[1] else Why.UNFINISHED, found[0])
    if found := _first(OPEN.format(table="deliveries_delivery", days=OF_MONTH), values):
        return Obstacle(Why.OPEN, found[0])
    if _first(f"{UNREAD[name]}{OF_MONTH} LIMIT 1", values):
        return Obstacle(Why.UNREAD)
    return None


def _detach(name: str, first: datetime.date) -> Obstacle | None:
    """Why it could not be done: while we hold the tables nobody can write, so that is certain now."""
    with transaction.atomic():
        detached = [partitions.detach(table, first) for table in TABLES[name]]
        if name == horizons.DELIVERIES and detached[-1]:
            found = _first(OPEN.format(table=detached[-1], days=""), {})
            if found:
                transaction.set_rollback(True)
                return Obstacle(Why.OPEN, found[0])
        horizons.move(name, partitions.next_month(first))
    return None


def _delete_strays(name: str, before: datetime.date, end: float) -> None:
    for table in TABLES[name]:
        while time.monotonic() < end and partitions.delete_strays(table, before, CHUNK) == CHUNK:
            pass


def _forget_named(before: datetime.date) -> bool:
    """Push messages to named recipients go with their deliveries; how many there were stays. True: more."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(NAMED, {"before": before, "most": MESSAGES})
        ids = [message_id for (message_id,) in cursor.fetchall()]
        if ids:
            cursor.execute(COUNT_NAMED, [ids])
            cursor.execute(FORGET_HOURS, [ids])
            PushMessage.objects.filter(pk__in=ids, audience=Audience.RECIPIENTS).delete()
    return len(ids) == MESSAGES


def _first(sql: str, values: dict[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()
