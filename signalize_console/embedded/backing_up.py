"""A backup of all that can't be made anew, and the way back: the database and the uploaded pictures.

Secrets (SECRET_KEY, the key-encryption key) aren't in it: whoever has both could send to every subscriber.
"""

import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from signalize_console.embedded import processes
from signalize_console.embedded.binaries import find_postgres
from signalize_console.embedded.home import Home, sync_directory
from signalize_console.embedded.processes import CannotStart

DATABASE, MEDIA = "database.dump", "media.tar"
TABLES = """
SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND relkind IN ('r', 'p')
"""


class Failed(Exception):
    """``str()`` says in one line why, and what to do."""


def back_up(directory: Path, home: Home) -> Path:
    """Makes a directory below ``directory``: whole, or not under its name. Raises Failed."""
    target = directory / f"signalize-{timezone.now():%Y%m%dT%H%M%SZ}"
    partial = target.with_name(f"{target.name}.partial")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={partial / DATABASE}")
        with tarfile.open(partial / MEDIA, "w") as archive:
            archive.add(home.media, arcname="media")
        for file in partial.iterdir():
            file.chmod(0o600)
        partial.rename(target)
        sync_directory(directory)
    except OSError as error:
        raise Failed(f"{target} can't be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def bring_back(backup: Path, home: Home) -> None:
    """The database, which must be empty, and the pictures. All of the database or nothing. Raises Failed."""
    if not (backup / DATABASE).is_file():
        raise Failed(f"{backup} is no backup: there is no {DATABASE} in it.")
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        if cursor.fetchone()[0]:
            raise Failed(
                "This database isn't empty, and nothing of it is overwritten. Make a new one (CREATE "
                "DATABASE), and set DATABASE_URL to it."
            )
    _run(
        "pg_restore",
        "--no-owner",
        "--no-privileges",
        "--single-transaction",
        "--exit-on-error",
        backup / DATABASE,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    if (backup / MEDIA).is_file():
        with tarfile.open(backup / MEDIA) as archive:
            archive.extractall(home.media.parent, filter="data")


def _run(program: str, *arguments: str | Path) -> None:
    """PostgreSQL's program for our database. The password isn't among the arguments, which everybody sees."""
    parameters: dict[str, Any] = connection.get_connection_params()
    known: dict[str, Any] = {
        name: value for name, value in parameters.items() if isinstance(value, str | int)
    }
    password = known.pop("password", "")
    for ours in ("client_encoding", "prepare_threshold"):
        known.pop(ours, None)
    done = processes.run(
        [_find(program), f"--dbname={make_conninfo(**known)}", *arguments],
        env={**os.environ, "PGPASSWORD": str(password)},
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise Failed(f"{program} failed: {lines[0]}")


def _find(program: str) -> Path:
    try:
        found = find_postgres() / program
    except CannotStart:
        found = Path(shutil.which(program) or program)
    if not found.is_file():
        raise Failed(
            f"There is no {program} here. Install PostgreSQL's client programs, of the server's version or "
            "newer."
        )
    return found
