"""What ``runconsole`` can't start with: one line that says so, exit 1, and nothing left running."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def test_a_database_that_does_not_answer(home: Home) -> None:
    line = refusal(home.path, DATABASE_URL="postgresql://somebody:s3cret@127.0.0.1:1/name")
    assert re.search("DATABASE_URL does not answer: .*refused", line)
    assert "s3cret" not in line


def test_a_database_address_that_is_none(home: Home) -> None:
    line = refusal(home.path, DATABASE_URL="mysql://somebody:s3cret@localhost/name")
    assert "DATABASE_URL must look like postgresql://" in line
    assert "s3cret" not in line


def test_a_broker_that_does_not_answer(home: Home) -> None:
    line = refusal(home.path, CELERY_BROKER_URL="redis://:s3cret@127.0.0.1:1/0")
    assert re.search("CELERY_BROKER_URL does not answer: .*refused", line)
    assert "s3cret" not in line


def test_a_home_that_cannot_be_written(home: Home) -> None:
    (home.path / "file").touch()
    assert "file/below can't be used: Not a directory." in refusal(home.path / "file" / "below")
