"""Tables partitioned by month of their ``day``.

A DEFAULT partition catches what no month's partition takes, so that a beat that stood still costs no row.
"""

import datetime
import logging
from collections.abc import Mapping

import psycopg
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

MONTHS_AHEAD = 3
# Everybody who reads or writes the table waits behind us while we wait: then better another time.
LOCK_TIMEOUT = "200ms"
log = logging.getLogger(__name__)

# The first days of the months that have a partition, or rows in the default one.
MONTHS = """
SELECT '{table}', to_date(right(inhrelid::regclass::text, 7), 'YYYY_MM') FROM pg_inherits
WHERE inhparent = '{table}'::regclass AND inhrelid::regclass::text ~ '_[0-9]{{4}}_[0-9]{{2}}$'
UNION SELECT '{table}', date_trunc('month', day)::date FROM {table}_default WHERE day < %s
"""
# A worker that died between detaching and dropping left them behind.
DETACHED = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND NOT relispartition
  AND relname ~ ('^' || %s || '_[0-9]{4}_[0-9]{2}$')
"""
IS_ATTACHED = """
SELECT FROM pg_inherits WHERE inhparent = %s::regclass AND inhrelid = to_regclass(%s)
"""


def make(table: str, today: datetime.date) -> None:
    """Makes the partitions from this month to three months ahead that don't exist yet.

    Attaching one locks the default partition, and who asks for no day waits behind us. Where somebody else
    holds it, the rows go there until the next call.
    """
    for first in _months(today):
        try:
            with transaction.atomic():
                _make_month(table, first)
        except OperationalError as error:
            if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise
            log.warning(
                "The partition %s isn't made yet: a long transaction, such as a backup, holds %s_default. "
                "It is tried again in an hour, and no row is lost meanwhile.",
                _name(table, first),
                table,
            )
            return


def _make_month(table: str, first: datetime.date) -> None:
    name = _name(table, first)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table])
        cursor.execute("SELECT to_regclass(%s) IS NULL", [name])
        if cursor.fetchone()[0]:
            _attach_new(cursor, table, name, first)
            log.info("Made the partition %s.", name)


def _attach_new(cursor: CursorWrapper, table: str, name: str, first: datetime.date) -> None:
    end = next_month(first)
    cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
    cursor.execute(
        f"WITH moved AS (DELETE FROM {table}_default WHERE day >= %s AND day < %s RETURNING *)"  # noqa: S608
        f" INSERT INTO {name} SELECT * FROM moved",
        [first, end],
    )
    cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{end}')")


def months(before: Mapping[str, datetime.date]) -> list[tuple[str, datetime.date]]:
    """Of each table the first days of the months that are over before its day and may still have rows."""
    of_all = " UNION ALL ".join(f"({MONTHS.format(table=table)})" for table in before)
    with connection.cursor() as cursor:
        cursor.execute(f"{of_all} ORDER BY 2, 1", list(before.values()))
        return [(table, first) for table, first in cursor.fetchall() if next_month(first) <= before[table]]


def detach(table: str, first: datetime.date) -> str:
    """Takes the month's partition out of the table, within a transaction; its name, "" where there is none.

    Raises OperationalError where somebody else holds the table.
    """
    name = _name(table, first)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table])
        cursor.execute(IS_ATTACHED, [table, name])
        if cursor.fetchone() is None:
            return ""
        cursor.execute(f"ALTER TABLE {table} DETACH PARTITION {name}")
    return name


def drop_detached(table: str) -> None:
    """Of which nobody knows any more, so that nobody waits."""
    with connection.cursor() as cursor:
        cursor.execute(DETACHED, [table])
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {name}")
            log.info("Dropped the partition %s.", name)


def delete_strays(table: str, before: datetime.date, most: int) -> int:
    """Deletes what the default partition has of days before that one, up to ``most`` rows; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table}_default WHERE ctid = ANY(ARRAY("  # noqa: S608 - our own words
            f"SELECT ctid FROM {table}_default WHERE day < %s LIMIT %s))",
            [before, most],
        )
        return cursor.rowcount


def _name(table: str, first: datetime.date) -> str:
    return f"{table}_{first:%Y_%m}"


def _months(today: datetime.date) -> list[datetime.date]:
    months = [today.replace(day=1)]
    while len(months) <= MONTHS_AHEAD:
        months.append(next_month(months[-1]))
    return months


def next_month(first: datetime.date) -> datetime.date:
    return (first + datetime.timedelta(days=31)).replace(day=1)
