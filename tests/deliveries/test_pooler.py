"""Beside PgBouncer in transaction mode: what keeps a session of its own goes past it, or refuses."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from signalize_console.embedded.home import Home
from tests.faults.pgbouncer import PgBouncer
from tests.web import ROOT

COMMANDS = ["backup", "restore", "migrate", "rebuild_rollups"]


@pytest.fixture(scope="module")
def pooled() -> Iterator[str]:
    """The address of a pooler before this run's PostgreSQL."""
    pgbouncer = PgBouncer(settings.HOME).start()
    try:
        yield f"postgresql://signalize@127.0.0.1:{pgbouncer.port}/signalize"
    finally:
        pgbouncer.stop()


def manage(command: str, directory: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    arguments = [str(directory)] if command in {"backup", "restore"} else []
    return subprocess.run(
        [sys.executable, "manage.py", command, *arguments],
        cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_what_a_session_sets_stays_for_others(pooled: str) -> None:
    """Why it must not go there: this is how pg_dump begins. What comes next decides whose connection that is."""
    options = {"autocommit": True, "prepare_threshold": None}
    with psycopg.connect(pooled, **options) as dump, psycopg.connect(pooled, **options) as console:  # type: ignore[arg-type]
        assert console.execute("SHOW search_path").fetchone() == ('"$user", public',)
        dump.execute("SELECT pg_catalog.set_config('search_path', '', false)")
        assert console.execute("SHOW search_path").fetchone() == ("",)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_needs_a_session_refuses_a_pooler(pooled: str, tmp_path: Path, command: str) -> None:
    done = manage(command, tmp_path, DATABASE_URL=pooled)
    assert done.returncode == 1
    assert "Set SIGNALIZE_DATABASE_DIRECT_URL to PostgreSQL itself." in done.stderr


def test_a_backup_goes_past_it(pooled: str, tmp_path: Path) -> None:
    home: Home = settings.HOME
    done = manage("backup", tmp_path, DATABASE_URL=pooled, SIGNALIZE_DATABASE_DIRECT_URL=home.database_url)
    assert done.returncode == 0, done.stderr
    assert (Path(done.stdout.strip()) / "database.dump").stat().st_size > 0
