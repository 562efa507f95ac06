"""A backup of all that can't be made anew, and the way back: the database and the uploaded pictures.

Secrets (SECRET_KEY, the key-encryption key) aren't in it: whoever has both could send to every subscriber.
"""

import contextlib
import itertools
import os
import shutil
import subprocess
import tarfile
import tempfile
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
# Among the first lines of what pg_restore says; PostgreSQL 17 and newer know it.
UNKNOWN_TO_OLDER, HEAD = b"SET transaction_timeout = ", 40
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
    _play(backup / DATABASE)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    if (backup / MEDIA).is_file():
        unpack(backup / MEDIA, home.media)


def unpack(file: Path, media: Path) -> None:
    """Files below ``media`` and nothing else, whatever the archive says: Debian 12's tarfile can't filter."""
    with tarfile.open(file) as archive:
        for member in archive:
            parts = Path(member.name).parts
            if not member.isfile() or parts[0] != "media" or ".." in parts:
                continue
            place = media.joinpath(*parts[1:])
            place.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(member)
            assert content
            with content, place.open("wb") as target:
                shutil.copyfileobj(content, target)


def _play(dump: Path) -> None:
    """All of the dump or nothing. By way of psql, as pg_restore sets what an older server doesn't know."""
    script: list[str | Path] = [_find("pg_restore"), "--no-owner", "--no-privileges", "--file=-", dump]
    options = ["--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1"]
    with (
        tempfile.TemporaryFile() as refusals,
        subprocess.Popen(script, stdout=subprocess.PIPE, stderr=refusals) as reader,
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            [_find("psql"), _address(), *options], stdin=subprocess.PIPE, stderr=complaints, env=_env()
        ) as writer,
    ):
        assert reader.stdout
        assert writer.stdin
        with contextlib.suppress(BrokenPipeError):
            writer.stdin.write(b"BEGIN;\n")
            head = itertools.islice(reader.stdout, HEAD)
            writer.stdin.writelines(line for line in head if not line.startswith(UNKNOWN_TO_OLDER))
            shutil.copyfileobj(reader.stdout, writer.stdin)
            if reader.wait() == 0:
                writer.stdin.write(b"\nCOMMIT;\n")
        with contextlib.suppress(BrokenPipeError):
            writer.stdin.close()
        reader.stdout.close()
        for program, code, said in (
            ("pg_restore", max(0, reader.wait()), refusals),
            # Where psql reads no more, a signal has ended the other.
            ("psql", writer.wait(), complaints),
            ("pg_restore", reader.returncode, refusals),
        ):
            said.seek(0)
            _check(program, code, said.read().decode(errors="replace"))


def _run(program: str, *arguments: str | Path) -> None:
    """PostgreSQL's program for our database. The password isn't among the arguments, which everybody sees."""
    done = processes.run([_find(program), _address(), *arguments], env=_env())
    _check(program, done.returncode, done.stderr)


def _check(program: str, code: int, said: str) -> None:
    if code:
        lines = said.strip().splitlines() or [f"it ended with {code}"]
        raise Failed(f"{program} failed: {lines[0]}")


def _address() -> str:
    parameters: dict[str, Any] = connection.get_connection_params()
    known: dict[str, Any] = {
        name: value for name, value in parameters.items() if isinstance(value, str | int)
    }
    for ours in ("password", "client_encoding", "prepare_threshold"):
        known.pop(ours, None)
    return f"--dbname={make_conninfo(**known)}"


def _env() -> dict[str, str]:
    return {**os.environ, "PGPASSWORD": str(connection.get_connection_params().get("password", ""))}


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
