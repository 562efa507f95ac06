"""Migrating beside a console that runs: one at a time, in nobody's way, and saying whom it waits for."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import Error, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

Say = Callable[[str], object]

# Whoever needs a table waits behind us while we wait for it. More than PostgreSQL's deadlock_timeout (1 s):
# only then does it end an autovacuum that stands in our way.
LOCK_SECONDS = 2.0
LONGEST_PAUSE = 15.0
LOOK_EVERY = 0.5
KEY = int.from_bytes(b"migrate")
# What an operator may have limited for all others. PostgreSQL before 17 has no transaction_timeout.
LIMITS = ["statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"]
LIFT = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = ANY (%s)"
RESET = "SELECT set_config(name, reset_val, false) FROM pg_settings WHERE name = ANY (%s)"
HOLDERS = """
SELECT holder.pid, coalesce(nullif(holder.application_name, ''), nullif(backend_type, 'client backend')),
    holder.client_addr::text,
    extract(epoch FROM clock_timestamp() - holder.xact_start)::int,
    (SELECT string_agg(relation::regclass::text, ', ') FROM pg_locks WHERE pid = %(pid)s AND NOT granted)
FROM unnest(pg_blocking_pids(%(pid)s)) blocking JOIN pg_stat_activity holder ON holder.pid = blocking
ORDER BY holder.xact_start
"""
OTHER = """
SELECT holder.pid, holder.application_name, holder.client_addr::text,
    extract(epoch FROM clock_timestamp() - holder.backend_start)::int
FROM pg_locks JOIN pg_stat_activity holder USING (pid)
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (classid::bigint << 32 | objid::bigint) = %s AND granted
"""


@contextmanager
def alone(connection: BaseDatabaseWrapper, say: Say) -> Iterator[None]:
    """As the only one that migrates this database.

    Asks again and again: a query that waits has a snapshot, and CREATE INDEX CONCURRENTLY waits for those.
    """
    with connection.cursor() as cursor:
        said = False
        while not _try_to_lock(cursor):
            cursor.execute(OTHER, [KEY])
            if not said and (other := cursor.fetchone()):
                say(f"Another migrate is at work, {_process(*other)}. This one waits for it.")
                said = True
            time.sleep(LOOK_EVERY)
    try:
        yield
    finally:
        with contextlib.suppress(Error), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [KEY])


def _try_to_lock(cursor: Any) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [KEY])
    return bool(cursor.fetchone()[0])


@contextmanager
def in_nobodys_way(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Waits for a lock only ``LOCK_SECONDS``; else a statement takes as long as it takes."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        cursor.execute(LIFT, [LIMITS])
    try:
        with connection.execute_wrapper(_wait_where_nobody_waits_behind_us):
            yield
    finally:
        with contextlib.suppress(Error), connection.cursor() as cursor:
            cursor.execute(RESET, [["lock_timeout", *LIMITS]])


def _wait_where_nobody_waits_behind_us(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """CONCURRENTLY stops no reader or writer; given up halfway, it would begin again from nothing."""
    if " CONCURRENTLY " not in str(sql):
        return execute(sql, params, many, context)
    execute("SET lock_timeout = 0", None, False, context)
    try:
        return execute(sql, params, many, context)
    finally:
        with contextlib.suppress(Error):
            execute(f"SET lock_timeout = '{LOCK_SECONDS}s'", None, False, context)


def gave_way(error: OperationalError) -> bool:
    """Whether it ended only because others held what it needs."""
    return isinstance(error.__cause__, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected)


def pause(tries: int) -> float:
    """Seconds after so many tries."""
    return float(min(2 ** (tries - 1), LONGEST_PAUSE))


class Watch:
    """Says, from a thread and a connection of its own, whom this connection waits for. A context manager."""

    def __init__(self, connection: BaseDatabaseWrapper, say: Say) -> None:
        self.say, self.holders = say, ""
        self._seen: list[int] = []
        self._migrating = connection
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (self._pid,) = cursor.fetchone()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="whom migrate waits for", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        own = self._migrating.copy()
        try:
            while not self._stop.wait(LOOK_EVERY):
                with own.cursor() as cursor:
                    cursor.execute(HOLDERS, {"pid": self._pid})
                    self._look(cursor.fetchall())
        except Error:
            pass  # migrating itself says what is wrong with the database
        finally:
            own.close()

    def _look(self, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        wanted = rows[0][-1]
        why = f"to let go of {wanted}" if wanted else "to end what began earlier"
        self.holders = f"{'; '.join(_process(*row[:-1]) for row in rows)} {why}"
        seen, self._seen = self._seen, [row[0] for row in rows]
        if seen != self._seen:
            self.say(f"Waiting for {self.holders}.")


def _process(pid: int, program: str | None, address: str | None, seconds: int | None) -> str:
    """Not its query: there may be personal data in it."""
    facts = [program, address and f"from {address}", seconds is not None and f"for {seconds} s"]
    known = ", ".join(fact for fact in facts if fact)
    return f"process {pid} ({known})" if known else f"process {pid}"
