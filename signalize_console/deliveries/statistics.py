"""What became of one push message, and of all of a website's: numbers that are exact now.

They are the rollups, what was recorded since the rollups' cursor, and what is still open.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from signalize_console.activity import cursors
from signalize_console.activity.models import REPORTS
from signalize_console.deliveries import happenings
from signalize_console.deliveries.happenings import IN_WINDOW, OF_MESSAGE, OF_MESSAGES
from signalize_console.deliveries.rolling_up import READER
from signalize_console.messaging.models import Audience, PushMessage
from signalize_console.messaging.states import OPEN_DELIVERY_STATES, DeliveryState

COUNTS = ("targeted", "accepted", "shown", "clicked", "closed")
FAILED = {DeliveryState.FAILED, DeliveryState.GONE, DeliveryState.UNKNOWN, DeliveryState.SUPPRESSED}
ENDED = [state.value for state in DeliveryState if state not in OPEN_DELIVERY_STATES]
OPEN = "open"
DELIVERIES = {*ENDED, OPEN}
PER_DAY = ("messages", "targeted", "accepted", "shown", "clicked", "closed", "subscribed", "unsubscribed")
FOR_EVER = 2**62
BREAKDOWN = {"byPushService": "push_service", "byLanguage": "language", "byVariant": "variant"}

# Each open state has an index of its own, by message; whoever has open deliveries has an appointment.
WAITING = " UNION ALL ".join(
    f"""SELECT message.day, message.website_id, delivery.push_service, delivery.recipient_id, delivery.variant
    FROM messaging_pushmessage message
    JOIN deliveries_delivery delivery ON delivery.push_message_id = message.id
        AND delivery.day = message.day AND delivery.state = '{state}'
    WHERE message.due_at IS NOT NULL AND NOT message.test AND {{which}}"""  # noqa: S608 - our own words, here and below
    for state in sorted(OPEN_DELIVERY_STATES)
)
KEYS = "push_service, language, platform, name, detail, variant"
WAITING_OF_MESSAGE = f"""
SELECT waiting.push_service, {happenings.LANGUAGE}, '', '{OPEN}', '', coalesce(variant, ''), count(*), 0
FROM ({WAITING.format(which="message.id = %(message)s")}) waiting
LEFT JOIN recipients_recipient recipient ON recipient.id = waiting.recipient_id GROUP BY 1, 2, variant"""  # noqa: S608
SINCE_OF_MESSAGE = {
    "ended": f"{IN_WINDOW['ended']} AND delivery.push_message_id = %(message)s",
    "recorded": f"{IN_WINDOW['recorded']} AND event.push_message_id = %(message)s",
}
ROLLED_OF_MESSAGE = f"""
SELECT {KEYS}, count, value FROM deliveries_dailycount WHERE push_message_id = %(message)s"""  # noqa: S608
COUNTED = f"SELECT {KEYS}, count(*), sum(value) FROM ({{rows}}) row GROUP BY {KEYS}"  # noqa: S608
SINCE = COUNTED.format(rows=happenings.rows(SINCE_OF_MESSAGE, OF_MESSAGES))
ITSELF = COUNTED.format(rows=happenings.rows(OF_MESSAGE, OF_MESSAGES))
TO_MANY = f"{ROLLED_OF_MESSAGE} UNION ALL {SINCE} UNION ALL {WAITING_OF_MESSAGE}"
# The rollups know only who converted or unsubscribed after a message to named recipients.
TO_NAMED = f"{ROLLED_OF_MESSAGE} UNION ALL {ITSELF} UNION ALL {WAITING_OF_MESSAGE}"

SINCE_OF_WEBSITE = {
    "ended": f"{IN_WINDOW['ended']} AND message.website_id = %(website)s",
    "recorded": f"{IN_WINDOW['recorded']} AND event.website_id = %(website)s",
}
WAITING_OF_WEBSITE = WAITING.format(which="message.website_id = %(website)s")
# A message's deliveries and their reports count on the day it was accepted, everything else on its own day.
DAYS = f"""
SELECT day, name, sum(count)::bigint FROM (
    SELECT day, name, count FROM deliveries_dailycount
    WHERE website_id = %(website)s AND name = ANY(%(names)s)
    UNION ALL SELECT day, name, 1 FROM ({happenings.rows(SINCE_OF_WEBSITE)}) since
    UNION ALL SELECT day, '{OPEN}', 1 FROM ({WAITING_OF_WEBSITE}) waiting
    UNION ALL SELECT day, 'messages', 1 FROM messaging_pushmessage
    WHERE website_id = %(website)s AND NOT test
) counted WHERE day BETWEEN %(first)s AND %(last)s GROUP BY 1, 2
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Row:
    """How many of a push message's deliveries, or of the events that belong to it, were like this."""

    push_service: str
    language: str
    platform: str
    name: str
    detail: str
    variant: str
    count: int
    value: Any


def rows_of(message: PushMessage) -> list[Row]:
    """A push message as it is now; conversions and leaving as far as they are rolled up."""
    sql = TO_NAMED if message.audience == Audience.RECIPIENTS else TO_MANY
    values = {"message": message.pk, "day": message.day}
    return [Row(*row) for row in _steady(lambda since: _fetch(sql, {**since, **values}))]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Deliveries by state, reports by kind, and by reason and push service those that were not accepted.

    ``accepted_by``: the push services that took any.
    """

    states: dict[str, int]
    reports: dict[str, int]
    reasons: dict[tuple[str, str], int]
    accepted_by: set[str]


def rolled_outcome_of(message: PushMessage) -> Outcome:
    """Of a push message whose deliveries are no longer kept."""
    states: Counter[str] = Counter()
    reports: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    accepted_by = set()
    for row in rows_of(message):
        if row.name in ENDED:
            states[row.name] += row.count
        elif row.name in REPORTS:
            reports[row.name] += row.count
        if row.name == DeliveryState.ACCEPTED:
            accepted_by.add(row.push_service)
        elif row.name in ENDED:
            reasons[row.detail, row.push_service] += row.count
    return Outcome(dict(states), dict(reports), dict(reasons), accepted_by)


def breakdown(message: PushMessage) -> dict[str, Any]:
    """``byPushService``, ``byLanguage`` and ``byVariant`` as {name: counts}, ``failedByReason`` as
    {reason: number}."""
    by: dict[str, dict[str, Counter[str]]] = {name: defaultdict(Counter) for name in BREAKDOWN}
    failed: Counter[str] = Counter()
    for row in rows_of(message):
        for name in [*({row.name} & set(COUNTS)), *(["targeted"] if row.name in DELIVERIES else [])]:
            for key, dimension in BREAKDOWN.items():
                part = getattr(row, dimension)
                if part or dimension != "variant":
                    by[key][part][name] += row.count
        if row.name in FAILED:
            failed[row.detail or "unspecified"] += row.count
    return {
        **{
            key: {part: {name: found[name] for name in COUNTS} for part, found in counted.items()}
            for key, counted in by.items()
        },
        "failedByReason": dict(failed),
    }


def per_day(website_id: int, first: datetime.date, last: datetime.date) -> list[dict[str, Any]]:
    """One row for each day from first to last, whether or not something happened."""
    values = {"website": website_id, "first": first, "last": last, "names": [*ENDED, *PER_DAY]}
    counted: dict[datetime.date, Counter[str]] = defaultdict(Counter)
    for day, name, count in _steady(lambda since: _fetch(DAYS, {**since, **values})):
        counted[day][name] += count
        if name in DELIVERIES:
            counted[day]["targeted"] += count
    days = [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]
    return [{"day": day.isoformat(), **{name: counted[day][name] for name in PER_DAY}} for day in days]


def _steady(look: Callable[[dict[str, Any]], Any]) -> Any:
    """Looks while the cursor stands still: else a row would be in both parts, or in neither."""
    while True:
        position = _position()
        found = look({"after": position, "until": FOR_EVER, **happenings.values()})
        if _position() == position:
            return found


def _position() -> int:
    try:
        return cursors.position_of(READER) or 0
    except cursors.ForeignCursor:
        return FOR_EVER  # until the rollups are rebuilt, they are all there is


def _fetch(sql: str, values: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
