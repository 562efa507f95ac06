"""What ``runconsole`` can't start with: one line that says so, exit 1, and nothing left running."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from signalize_console.embedded import readiness
from signalize_console.embedded.home import Home
from tests.embedded.living import ROOT, living


def refusal(home: Path, **env: str) -> str:
    """The one line that it says."""
    inherited = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    done = subprocess.run(
        [sys.executable, "manage.py", "runconsole"],
        cwd=ROOT, env={**inherited, "SIGNALIZE_HOME": str(home), "PORT": free_port(), **env},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert living(home) == {}
    (line,) = done.stderr.splitlines()
    return line


def free_port() -> str:
    with taken_port() as port:
        return str(port)


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port(home: Home) -> None:
    with taken_port() as port:
        line = refusal(home.path, PORT=str(port))
    assert line == (
        f"The console did not start. Port {port} is taken by another program. Set PORT to a free one."
    )


@pytest.mark.parametrize("port", ["0", "65536", "eighty"])
def test_a_port_that_is_none(home: Home, port: str) -> None:
    assert "PORT is " in refusal(home.path, PORT=port)


def test_a_second_start(home: Home) -> None:
    with readiness.lock(home) as lock:
        lock.write(readiness.who_runs(8123))
        lock.flush()
        line = refusal(home.path)
    assert f"The console runs already on {home.path}: process {os.getpid()}, http://localhost:8123/" in line


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://somebody:s3cret@localhost/name", "must look like postgresql://"),
        ("postgresql://somebody:s3cret@localhost:x/name", "has a port that is not a number"),
        ("postgresql://somebody:s3cret%zz@localhost/name", "is not an address for PostgreSQL. .*%2F"),
        ("postgresql://somebody:s3cret@127.0.0.1:1/name", "does not answer: .*refused"),
    ],
)
def test_a_database_that_does_not_answer(home: Home, url: str, reason: str) -> None:
    line = refusal(home.path, DATABASE_URL=url)
    assert re.search(f"DATABASE_URL {reason}", line)
    assert "s3cret" not in line


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis://:s3cret@127.0.0.1:1/0", "does not answer: .*refused"),
        ("redis://somebody:s3cret/@localhost", "is not an address that Celery knows"),
        ("nothing://:s3cret@here", "is not an address that Celery knows"),
    ],
)
def test_a_broker_that_does_not_answer(home: Home, url: str, reason: str) -> None:
    line = refusal(home.path, CELERY_BROKER_URL=url, DATABASE_URL=os.environ["DATABASE_URL"])
    assert re.search(f"CELERY_BROKER_URL {reason}", line)
    assert "s3cret" not in line


def test_a_home_that_cannot_be_written(home: Home) -> None:
    (home.path / "file").touch()
    assert "file/below can't be used: Not a directory." in refusal(home.path / "file" / "below")
