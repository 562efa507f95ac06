import os
import subprocess
from pathlib import Path
from threading import Timer

import psycopg
import pytest

from signalize_console.embedded.binaries import find_postgres
from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import CARELESS, EmbeddedPostgres
from signalize_console.embedded.processes import CannotStart
from tests.embedded.living import kill, kill_all, living, start_elsewhere, wait_until


def ask(home: Home, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(home.database_url, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def test_it_keeps_its_data_over_a_restart(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    ask(postgres.home, "CREATE TABLE kept AS SELECT 1 AS one")
    postgres.stop()
    assert living(postgres.home.path) == {}
    postgres.start()
    assert ask(postgres.home, "SELECT one FROM kept") == [(1,)]


def test_it_recovers_when_all_its_processes_were_killed(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    ask(postgres.home, "CREATE TABLE kept AS SELECT 1 AS one")
    kill_all(living(postgres.home.path))
    assert postgres.process
    postgres.process.wait()
    assert (postgres.home.postgres / "data" / "postmaster.pid").exists()
    postgres.start()
    assert ask(postgres.home, "SELECT one FROM kept") == [(1,)]


def test_it_ends_with_its_supervisor_and_starts_again_at_once(home: Home, postgres: EmbeddedPostgres) -> None:
    supervisor = start_elsewhere("postgres.EmbeddedPostgres", home.path)
    assert supervisor.stdout
    assert supervisor.stdout.readline() == "started\n"
    theirs = living(home.path)
    kill(supervisor)
    postgres.start()
    assert wait_until(lambda: not theirs.keys() & living(home.path).keys())
    assert ask(home, "SELECT 1") == [(1,)]


def test_it_waits_for_a_predecessor_that_is_ending(home: Home, postgres: EmbeddedPostgres) -> None:
    predecessor = EmbeddedPostgres(home).start()
    Timer(0.4, predecessor.stop).start()
    postgres.start()
    assert predecessor.process
    assert predecessor.process.poll() == 0
    assert ask(home, "SELECT 1") == [(1,)]


def test_a_killed_initdb_leaves_nothing_that_the_next_start_stumbles_over(
    home: Home, postgres: EmbeddedPostgres
) -> None:
    supervisor = start_elsewhere("postgres.EmbeddedPostgres", home.path)
    assert wait_until(lambda: list(home.path.glob("postgres/*/PG_VERSION")), 20)
    kill(supervisor)
    assert wait_until(lambda: not living(home.path))
    assert not (home.postgres / "data").exists()
    postgres.start()
    assert ask(home, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("left", ["another program's number", "an empty file"])
def test_a_stale_pid_file_does_not_stop_it(postgres: EmbeddedPostgres, left: str) -> None:
    postgres.start()
    postgres.stop()
    pid_file = postgres.cluster.data / "postmaster.pid"
    with subprocess.Popen(["sleep", "60"], **postgres.account) as other:
        pid_file.write_text(f"{other.pid}\n{pid_file.parent}\n" if left != "an empty file" else "")
        pid_file.chmod(0o600)
        os.chown(pid_file, postgres.account.get("user", -1), -1)
        try:
            postgres.start(seconds=10)
        finally:
            other.kill()
    assert ask(postgres.home, "SELECT 1") == [(1,)]


def test_it_asks_for_the_password(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    wrong = postgres.home.database_url.replace(postgres.home.database_password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_it_says_so_when_the_password_file_was_changed(home: Home, postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.stop()
    (home.path / "database_password").write_text("another")
    with pytest.raises(CannotStart, match=r"refuses our database: .*password authentication failed"):
        postgres.start()
    assert living(home.path) == {}


def test_it_refuses_the_data_of_another_major_version(home: Home, postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.stop()
    (postgres.cluster.data / "PG_VERSION").write_text("13\n")
    with pytest.raises(CannotStart, match=r"made by PostgreSQL 13, these binaries are \d+\..*pg_upgrade"):
        postgres.start()


def test_it_keeps_files_that_are_not_its_own(home: Home, postgres: EmbeddedPostgres) -> None:
    kept = home.postgres / "data" / "somebody's file"
    kept.parent.mkdir(parents=True)
    kept.touch()
    with pytest.raises(CannotStart, match=r"data can't be made: Directory not empty"):
        postgres.start()
    assert kept.exists()


def test_it_runs_the_programs_that_the_environment_names(
    home: Home, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = home.path / "other"
    other.symlink_to(find_postgres())
    monkeypatch.setenv("SIGNALIZE_PG_BIN", str(other))
    postgres.start()
    assert postgres.process
    assert living(home.path)[postgres.process.pid].startswith(f"{other}/postgres ")


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_home_below_a_closed_directory_works_and_stays_closed(home: Home, umask: int) -> None:
    home.path.chmod(0o700)
    before = os.umask(umask)
    closed = Home(home.path / "below")
    server = EmbeddedPostgres(closed, settings=CARELESS)
    elsewhere = closed.postgres
    try:
        server.start()
        assert ask(closed, "SELECT 1") == [(1,)]
        assert home.path.stat().st_mode & 0o777 == 0o700
        if os.geteuid() == 0:
            assert elsewhere.is_relative_to("/var/lib/signalize-console")
            assert (closed.path / "postgres-elsewhere").resolve() == elsewhere
        server.stop()
        server.start()
    finally:
        os.umask(before)
        server.stop()
        if not elsewhere.is_relative_to(closed.path):
            subprocess.run(["rm", "-r", elsewhere.parent], check=True)
            if not list(Path("/var/lib/signalize-console").iterdir()):
                Path("/var/lib/signalize-console").rmdir()


def test_it_runs_from_a_wheel_that_its_account_cannot_read(
    home: Home, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = find_postgres().parent.parent
    closed = home.path / "closed"
    closed.mkdir(mode=0o700)
    for part in (wheel, wheel.parent / f"{wheel.name}.libs"):
        if part.exists():
            subprocess.run(["cp", "-rp", part, closed], check=True)
    monkeypatch.setenv("SIGNALIZE_PG_BIN", str(closed / wheel.name / "pginstall" / "bin"))
    postgres.start()
    assert ask(home, "SELECT 1") == [(1,)]
    assert closed.stat().st_mode & 0o777 == 0o700
