"""Reading on in what was written since: a cursor that no order of commits can fool.

Ids are given when a row is written, and seen when its transaction commits: whoever remembers the largest id
misses a row with a smaller one that is committed later. So rows carry the number of their transaction, and a
reader takes those of transactions that are older than every one still running: nothing can be added to them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection, models, transaction

CURRENT = "pg_current_xact_id()::text::bigint"
OLDEST_RUNNING = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

START = f"""
INSERT INTO activity_cursor (name, position) VALUES (%s, {OLDEST_RUNNING}) ON CONFLICT DO NOTHING
"""  # noqa: S608 - our own words
NEXT = f"""
SELECT position, {OLDEST_RUNNING}, position > pg_snapshot_xmax(pg_current_snapshot())::text::bigint
FROM activity_cursor WHERE name = %s FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - our own words
POSITION = """
SELECT position, position > pg_snapshot_xmax(pg_current_snapshot())::text::bigint
FROM activity_cursor WHERE name = %s
"""
SLOWEST = """
SELECT coalesce(min(position), 0),
    min(name) FILTER (WHERE position > pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
FROM activity_cursor
"""
RESET = """
INSERT INTO activity_cursor (name, position) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET position = excluded.position
"""


class CurrentTransaction(models.Func):
    """The number of the transaction that writes the row, as a column's default."""

    template = f"({CURRENT})"
    output_field = models.BigIntegerField()


class Cursor(models.Model):
    """Everything of transactions before ``position`` was read by the reader of this name."""

    name = models.CharField(max_length=32, unique=True)
    position = models.BigIntegerField()

    def __str__(self) -> str:
        return self.name


class ForeignCursor(Exception):
    """The cursor is of a dump that was restored here: this cluster has not come to its number yet."""


def position_of(name: str) -> int | None:
    """None: this reader has not begun. Raises ForeignCursor."""
    with connection.cursor() as cursor:
        cursor.execute(POSITION, [name])
        position, is_foreign = cursor.fetchone() or (None, False)
    if is_foreign:
        raise ForeignCursor(name)
    return None if position is None else int(position)


def slowest_position() -> int:
    """Of all readers that have begun: everything of transactions before it was read by each.

    Raises ForeignCursor, as ``position_of``.
    """
    with connection.cursor() as cursor:
        cursor.execute(SLOWEST)
        position, name = cursor.fetchone()
    if name:
        raise ForeignCursor(name)
    return int(position)


@contextmanager
def reset(name: str, position: int) -> Iterator[None]:
    """Sets the cursor; what the block makes of what is before it commits together with it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RESET, [name, position])
        yield


class Window(NamedTuple):
    """The transactions from ``after`` up to, and without, ``until``; ``is_last``: no more can be read now."""

    after: int
    until: int
    is_last: bool


@contextmanager
def next_window(name: str, most: int) -> Iterator[Window | None]:
    """The next ``most`` transactions; what the block makes of them commits together with the cursor.

    None while another process reads, and where there is nothing new.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(NEXT, [name])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(START, [name])
        after, oldest_running, is_foreign = row or (0, 0, False)
        until = min(after + most, oldest_running)
        if is_foreign:
            # Of a dump that was restored: this cluster counts anew, and we start with what comes now.
            until = oldest_running
        elif after >= oldest_running:
            yield None
            return
        yield None if is_foreign else Window(after, until, until == oldest_running)
        cursor.execute("UPDATE activity_cursor SET position = %s WHERE name = %s", [until, name])
