"""``manage.py migrate`` beside a console that runs: in nobody's way, one at a time, and in words."""

import io
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from signalize_console.embedded import migrating
from tests.web import database_url

pytestmark = pytest.mark.django_db(transaction=True)
COLUMN = """
SELECT count(*) FROM information_schema.columns WHERE table_name = 'deliveries_heartbeat' AND column_name = 'version'
"""


class Said(io.StringIO):
    """``does`` happens when ``word`` is said for the first time."""

    def __init__(self, word: str = "", does: object = None) -> None:
        super().__init__()
        self.word, self.does = word, does

    def write(self, text: str) -> int:
        if callable(self.does) and self.word in text:
            does, self.does = self.does, None
            does()
        return super().write(text)


@pytest.fixture
def other() -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url(), application_name="pg_dump") as other:
        yield other


@pytest.fixture
def without_version() -> Iterator[None]:
    """As before the last migration."""
    call_command("migrate", "deliveries", "0010", verbosity=0)
    yield
    call_command("migrate", "deliveries", verbosity=0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(migrating, "LONGEST_PAUSE", 0.3)


def migrate(said: Said, *words: str) -> None:
    call_command("migrate", "deliveries", *words, stderr=said, verbosity=0)


def is_migrated() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(COLUMN)
        return bool(cursor.fetchone()[0])


def read(other: psycopg.Connection) -> None:
    """As pg_dump does for as long as it runs."""
    other.execute("LOCK TABLE deliveries_heartbeat IN ACCESS SHARE MODE")


def test_it_gives_way_and_others_wait_no_longer_than_it_does(
    without_version: None, other: psycopg.Connection
) -> None:
    read(other)
    longest, is_over = [0.0], threading.Event()

    def work() -> None:
        with psycopg.connect(database_url(), autocommit=True) as worker:
            while not is_over.wait(0.02):
                began = time.monotonic()
                worker.execute("SELECT count(*) FROM deliveries_heartbeat")
                longest[0] = max(longest[0], time.monotonic() - began)

    thread = threading.Thread(target=work)
    said = Said("Try 3 of 20", other.commit)
    thread.start()
    try:
        migrate(said)
    finally:
        is_over.set()
        thread.join()

    assert is_migrated()
    words = said.getvalue().splitlines()
    pid = other.info.backend_pid
    assert words[0].startswith(f"Waiting for process {pid} (pg_dump, for ")
    assert words[0].endswith(" s) to let go of deliveries_heartbeat.")
    assert words[1] == "It gave way to them. Try 2 of 20 is in 0 s."
    assert 1 < longest[0] < 3 * migrating.LOCK_SECONDS


def test_it_ends_with_who_stood_in_the_way_and_nothing_half_done(
    without_version: None, other: psycopg.Connection
) -> None:
    read(other)
    with pytest.raises(CommandError) as ended:
        migrate(Said(), "--tries", "2")
    assert f"process {other.info.backend_pid} (pg_dump" in str(ended.value)
    assert "run manage.py migrate again" in str(ended.value)
    assert "\n" not in str(ended.value)
    assert not is_migrated()
    assert not MigrationRecorder.Migration.objects.filter(name="0011_heartbeat_version").exists()
    other.rollback()
    migrate(Said())
    assert is_migrated()


def test_a_second_one_waits_for_the_first(without_version: None, other: psycopg.Connection) -> None:
    other.execute("SELECT pg_advisory_lock(%s)", [migrating.KEY])
    other.commit()
    seen = []

    def release() -> None:
        seen.append(is_migrated())
        other.execute("SELECT pg_advisory_unlock_all()")

    said = Said("Another migrate", release)
    migrate(said)
    assert seen == [False]
    assert said.getvalue().startswith(
        f"Another migrate is at work, process {other.info.backend_pid} (pg_dump, for"
    )
    assert is_migrated()


def test_what_is_done_concurrently_waits_as_long_as_it_must(other: psycopg.Connection) -> None:
    """It stops nobody; ended halfway, it would leave an index that is invalid."""
    other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    other.execute("SELECT count(*) FROM deliveries_heartbeat")
    threading.Timer(migrating.LOCK_SECONDS + 1, other.commit).start()
    try:
        with migrating.in_nobodys_way(connection), connection.cursor() as cursor:
            cursor.execute("CREATE INDEX CONCURRENTLY upgrades_try ON deliveries_heartbeat (beat_at)")
            cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'upgrades_try'::regclass")
            assert cursor.fetchone() == (True,)
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == (f"{migrating.LOCK_SECONDS:.0f}s",)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX IF EXISTS upgrades_try")


def limits() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        return list(cursor.fetchone())


def test_what_an_operator_has_limited_holds_for_all_else() -> None:
    ours = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {ours} SET statement_timeout = '7s'")
    connection.close()
    try:
        assert limits() == ["0", "7s"]
        with migrating.in_nobodys_way(connection):
            assert limits() == ["2s", "0"]
        assert limits() == ["0", "7s"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {ours} RESET statement_timeout")
        connection.close()


def test_other_errors_are_told_at_once(without_version: None) -> None:
    """The column is there already: no waiting helps."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE deliveries_heartbeat ADD COLUMN version text")
    said = Said()
    try:
        with pytest.raises(Exception, match="already exists"):
            migrate(said)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE deliveries_heartbeat DROP COLUMN version")
    assert "Try" not in said.getvalue()


@pytest.mark.parametrize("words", [["--plan"], ["--check"]])
def test_who_only_looks_waits_for_nobody(words: list[str], other: psycopg.Connection) -> None:
    other.execute("SELECT pg_advisory_lock(%s)", [migrating.KEY])
    said = io.StringIO()
    call_command("migrate", *words, stdout=said)
    assert ("No planned migration operations" in said.getvalue()) == (words == ["--plan"])
