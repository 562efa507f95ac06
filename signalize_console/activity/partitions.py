"""Tables partitioned by month of their ``day``.

A DEFAULT partition catches what no month's partition takes, so that a beat that stood still costs no row.
"""

import datetime
import logging

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

MONTHS_AHEAD = 3
log = logging.getLogger(__name__)


def make(table: str, today: datetime.date) -> None:
    """Makes the partitions from this month to three months ahead that don't exist yet."""
    for first in _months(today):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table])
            cursor.execute("SELECT to_regclass(%s) IS NULL", [_name(table, first)])
            if cursor.fetchone()[0]:
                _make_month(cursor, table, first)
                log.info("Made the partition %s.", _name(table, first))


def _make_month(cursor: CursorWrapper, table: str, first: datetime.date) -> None:
    name, end = _name(table, first), _next_month(first)
    cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
    cursor.execute(
        f"WITH moved AS (DELETE FROM {table}_default WHERE day >= %s AND day < %s RETURNING *)"  # noqa: S608
        f" INSERT INTO {name} SELECT * FROM moved",
        [first, end],
    )
    cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{end}')")


def _name(table: str, first: datetime.date) -> str:
    return f"{table}_{first:%Y_%m}"


def _months(today: datetime.date) -> list[datetime.date]:
    months = [today.replace(day=1)]
    while len(months) <= MONTHS_AHEAD:
        months.append(_next_month(months[-1]))
    return months


def _next_month(first: datetime.date) -> datetime.date:
    return (first + datetime.timedelta(days=31)).replace(day=1)
