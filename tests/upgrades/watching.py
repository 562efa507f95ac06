"""How long readers and writers wait for a table, seen from PostgreSQL; and who stands in the way of a migration."""

import threading
import time
from typing import Self

import psycopg

EVERY = 0.02
WAITING = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)::float FROM pg_locks
WHERE NOT granted AND locktype = 'relation' AND mode IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
"""
ALL_TABLES = "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"


class Waits:
    """Looks fifty times a second, in a thread; a context manager. ``longest`` in seconds since ``forget``."""

    def __init__(self, url: str) -> None:
        self.url, self.longest = url, 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def forget(self) -> None:
        self.longest = 0.0

    def _watch(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self._stop.wait(EVERY):
                row = connection.execute(WAITING).fetchone()
                self.longest = max(self.longest, row[0] if row else 0.0)


class InTheWay:
    """A backup with its snapshot for ``seconds``, and for twice as long a transaction that has read every table and does
    nothing: what CREATE INDEX CONCURRENTLY waits for, and what ALTER TABLE does."""

    def __init__(self, url: str, seconds: float) -> None:
        self.url, self.seconds = url, seconds
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._hold, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._begun.wait(60)

    def join(self) -> None:
        self._thread.join()

    def _hold(self) -> None:
        with (
            psycopg.connect(self.url, application_name="pg_dump") as backup,
            psycopg.connect(self.url, application_name="psql") as reader,
        ):
            backup.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for one in (backup, reader):
                row = one.execute(ALL_TABLES).fetchone()
                one.execute(f"LOCK TABLE {row[0]} IN ACCESS SHARE MODE")  # type: ignore[index]
            self._begun.set()
            time.sleep(self.seconds)
            backup.rollback()
            time.sleep(self.seconds)
            reader.rollback()
