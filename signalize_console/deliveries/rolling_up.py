"""From what happened to the numbers that reports read: one statement sums what was recorded since.

The numbers commit together with the cursor, so that each row counts once; see ADR 8 for why none is missed.
"""

import datetime
import logging
import tempfile
import time
from typing import Any

from django.db import connection

from signalize_console.activity import cursors, horizons, partitions
from signalize_console.activity.cursors import OLDEST_RUNNING, ForeignCursor, next_window
from signalize_console.deliveries import happenings
from signalize_console.deliveries.happenings import DIMENSIONS, IN_WINDOW, UP_TO

READER = "rollups"
# Transactions in one statement: each of the engine's records up to 48 deliveries.
WINDOW = 2_000
SECONDS = 3.0
log = logging.getLogger(__name__)

OF_A_DAY = f"""
SELECT {DIMENSIONS}, count(*) AS count, sum(value) AS value FROM {{rows}} GROUP BY {DIMENSIONS}"""  # noqa: S608
# For the curve of one push message. Its failures have no hour.
OF_AN_HOUR = """
SELECT push_message_id, date_trunc('hour', occurred_at, 'UTC') AS hour, name, count(*) AS count FROM {rows}
WHERE push_message_id <> 0 AND name IN ('accepted', 'shown', 'clicked', 'closed', 'unsubscribed', 'converted')
GROUP BY 1, 2, 3"""
ADD = f"""
WITH happened AS MATERIALIZED ({happenings.rows(IN_WINDOW)}), by_day AS (
    INSERT INTO deliveries_dailycount AS known ({DIMENSIONS}, count, value) {OF_A_DAY.format(rows="happened")}
    ON CONFLICT (website_id, name, day, push_message_id, push_service, language, platform, detail, variant)
    DO UPDATE SET count = known.count + excluded.count, value = known.value + excluded.value
)
INSERT INTO deliveries_hourlycount AS known (push_message_id, hour, name, count)
{OF_AN_HOUR.format(rows="happened")}
ON CONFLICT (push_message_id, hour, name) DO UPDATE SET count = known.count + excluded.count
"""  # noqa: S608 - our own words

# A dump's rows carry another cluster's transaction numbers. When this one came to them, they would count once
# more.
FOREIGN = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
FORGET_FOREIGN = [
    f"UPDATE activity_event SET recorded_in = NULL WHERE recorded_in > {FOREIGN}",  # noqa: S608
    f"UPDATE deliveries_delivery SET ended_in = 0 WHERE ended_in > {FOREIGN}",  # noqa: S608
]
# Of what is no longer there the sums are all there is: they stay. A click that counts today may belong to a
# message of weeks ago, so the month after the horizon stays as it was counted, too.
YOUNG_MESSAGES = """push_message_id IN (
    SELECT id FROM messaging_pushmessage WHERE day >= %(since)s)"""
TABLES = {
    f"deliveries_dailycount ({DIMENSIONS}, count, value)": (OF_A_DAY, "day >= %(since)s"),
    "deliveries_hourlycount (push_message_id, hour, name, count)": (OF_AN_HOUR, YOUNG_MESSAGES),
}

# What is active now; an hour later the day's count is a newer one.
COUNT_SUBSCRIBERS = """
INSERT INTO deliveries_subscribercount (website_id, day, count)
SELECT website.id, (now() AT TIME ZONE 'UTC')::date, (
    SELECT count(*) FROM recipients_subscription WHERE website_id = website.id AND state = 'active'
) FROM websites_website website
ON CONFLICT (website_id, day) DO UPDATE SET count = excluded.count, counted_at = now()
"""


def roll_up(seconds: float = SECONDS) -> bool:
    """Sums what was recorded since, for some seconds. True: there is more.

    After the restore of a dump it waits for ``rebuild``: by another cluster's numbers it would count twice.
    """
    try:
        if cursors.position_of(READER) is None:
            with cursors.reset(READER, 0):
                pass
    except ForeignCursor:
        log.error("This database was restored from a dump. Run: manage.py rebuild_rollups")
        return False
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with next_window(READER, WINDOW) as window:
            if window is None:
                return False
            with connection.cursor() as cursor:
                cursor.execute(ADD, {**happenings.values(), **window._asdict()})
        if window.is_last:
            return False
    return True


def rebuild() -> None:
    """Counts everything that is still there anew. Reports keep their old numbers until it is done.

    Counting only reads: a long transaction that writes would hold up whoever reads on by a cursor.
    """
    horizon = max(horizons.kept())
    since = horizon if horizon == datetime.date.min else partitions.next_month(horizon)
    with connection.cursor() as cursor:
        try:
            cursors.position_of(READER)
        except ForeignCursor:
            for statement in FORGET_FOREIGN:
                cursor.execute(statement)
        cursor.execute(f"SELECT {OLDEST_RUNNING}")
        (until,) = cursor.fetchone()
    with tempfile.TemporaryDirectory() as directory:
        files = {table: f"{directory}/{number}" for number, table in enumerate(TABLES)}
        for table, (summing, young) in TABLES.items():
            rows = f"(SELECT * FROM ({happenings.rows(UP_TO)}) happened WHERE {young}) happened"  # noqa: S608
            _copy_out(summing.format(rows=rows), {"until": until, "since": since}, files[table])
        with cursors.reset(READER, until):
            for table, (_summing, young) in TABLES.items():
                _copy_in(table, young, since, files[table])
    log.info("Counted everything anew, up to transaction %s.", until)


def _copy_out(select: str, values: dict[str, Any], file: str) -> None:
    with connection.cursor() as cursor, open(file, "wb") as kept:
        values |= happenings.values()
        # The wrapper that counts queries while DEBUG is on takes no values.
        with cursor.cursor.copy(f"COPY ({select}) TO STDOUT", values) as copy:
            for part in copy:
                kept.write(part)


def _copy_in(table: str, young: str, since: datetime.date, file: str) -> None:
    with connection.cursor() as cursor, open(file, "rb") as kept:
        name = table.split(maxsplit=1)[0]
        cursor.execute(f"DELETE FROM {name} WHERE {young}", {"since": since})  # noqa: S608 - our own words
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            while part := kept.read(65_536):
                copy.write(part)


def count_subscribers() -> None:
    """Notes how many subscriptions each website has now."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_SUBSCRIBERS)
