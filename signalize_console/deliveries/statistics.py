"""What became of one push message, and of all of a website's (but for tests), in numbers."""

import datetime
from typing import Any

from django.db import connection

from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import DeliveryState

# One walk over a message's deliveries for all groupings. A report without its delivery counts nowhere.
BREAKDOWN = """
SELECT push_service, language, failure,
    count(*) AS targeted, count(*) FILTER (WHERE state = 'accepted') AS accepted,
    count(*) FILTER (WHERE shown) AS shown, count(*) FILTER (WHERE clicked) AS clicked,
    count(*) FILTER (WHERE closed) AS closed
FROM (
    SELECT delivery.push_service, delivery.state, shown, clicked, closed,
        lower(split_part(coalesce(recipient.language, ''), '-', 1)) AS language,
        CASE WHEN delivery.state = ANY(%(failed)s) THEN delivery.reason END AS failure
    FROM deliveries_delivery delivery
    LEFT JOIN recipients_recipient recipient ON recipient.id = delivery.recipient_id
    LEFT JOIN (
        SELECT delivery_id, bool_or(kind = 'shown') AS shown, bool_or(kind = 'clicked') AS clicked,
            bool_or(kind = 'closed') AS closed
        FROM activity_event WHERE push_message_id = %(message)s GROUP BY delivery_id
    ) report ON report.delivery_id = delivery.id
    WHERE delivery.push_message_id = %(message)s AND delivery.day = %(day)s
) row
GROUP BY GROUPING SETS ((push_service), (language), (failure))
"""
COUNTS = ("targeted", "accepted", "shown", "clicked", "closed")
FAILED = [DeliveryState.FAILED, DeliveryState.GONE, DeliveryState.UNKNOWN, DeliveryState.SUPPRESSED]

# A message's deliveries count on the day it was accepted, everything else on the day it happened.
DAYS = """
SELECT day::date, name, sum(count)::bigint FROM (
    SELECT day, kind AS name, count(*) FROM activity_event
    WHERE website_id = %(website)s AND day BETWEEN %(first)s AND %(last)s AND kind = ANY(%(kinds)s)
      AND NOT EXISTS (SELECT FROM messaging_pushmessage WHERE id = push_message_id AND test)
    GROUP BY 1, 2
    UNION ALL
    SELECT message.day, state.name, count(*) FROM messaging_pushmessage message
    JOIN deliveries_delivery delivery ON delivery.push_message_id = message.id AND delivery.day = message.day
    CROSS JOIN LATERAL (VALUES ('targeted'), (delivery.state)) AS state (name)
    WHERE message.website_id = %(website)s AND message.day BETWEEN %(first)s AND %(last)s
      AND NOT message.test AND state.name IN ('targeted', 'accepted')
    GROUP BY 1, 2
    UNION ALL
    SELECT day, 'messages', count(*) FROM messaging_pushmessage
    WHERE website_id = %(website)s AND day BETWEEN %(first)s AND %(last)s AND NOT test GROUP BY 1
) counted GROUP BY 1, 2
"""
KINDS = ["subscribed", "unsubscribed", "shown", "clicked", "closed"]
PER_DAY = ("messages", "targeted", "accepted", "shown", "clicked", "closed", "subscribed", "unsubscribed")


def breakdown(message: PushMessage) -> dict[str, Any]:
    """``byPushService`` and ``byLanguage`` as {name: counts}, ``failedByReason`` as {reason: number}."""
    found: dict[str, dict[str, Any]] = {"byPushService": {}, "byLanguage": {}, "failedByReason": {}}
    with connection.cursor() as cursor:
        cursor.execute(BREAKDOWN, {"message": message.pk, "day": message.day, "failed": FAILED})
        for push_service, language, failure, *counts in cursor.fetchall():
            if push_service is not None:
                found["byPushService"][push_service] = dict(zip(COUNTS, counts, strict=True))
            elif language is not None:
                found["byLanguage"][language] = dict(zip(COUNTS, counts, strict=True))
            elif failure is not None:
                found["failedByReason"][failure or "unspecified"] = counts[0]
    return found


def per_day(website_id: int, first: datetime.date, last: datetime.date) -> list[dict[str, Any]]:
    """One row for each day from first to last, whether or not something happened."""
    counted: dict[tuple[datetime.date, str], int] = {}
    with connection.cursor() as cursor:
        cursor.execute(DAYS, {"website": website_id, "first": first, "last": last, "kinds": KINDS})
        for day, name, count in cursor.fetchall():
            counted[day, name] = count
    days = [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]
    return [
        {"day": day.isoformat(), **{name: counted.get((day, name), 0) for name in PER_DAY}} for day in days
    ]
