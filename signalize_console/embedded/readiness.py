"""Whether what the console needs is there, and whether it answers; each failure is one plain line."""

import errno
import fcntl
import os
import shutil
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

import kombu
import psycopg

from signalize_console import environment
from signalize_console.celery import app
from signalize_console.deliveries import durability
from signalize_console.embedded.home import Home
from signalize_console.embedded.processes import CannotStart, last_lines
from signalize_console.embedded.supervisor import Child

LEAST_SPACE = 300_000_000
LEAST_VERSION = 140_000
PERCENT = "See that special characters in its password are percent-encoded (/ as %2F)."


def lock(home: Home) -> IO[str]:
    """The promise that one console runs on one home; kept as long as the file is open."""
    try:
        home.path.mkdir(parents=True, exist_ok=True)
        file = (home.path / "console.lock").open("a+")
    except OSError as error:
        raise CannotStart(f"{home.path} can't be written ({error.strerror}). Set SIGNALIZE_HOME.") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        who = file.read().strip() or "another process"
        file.close()
        raise CannotStart(
            f"The console runs already on {home.path}: {who}. "
            "Stop it first, or set SIGNALIZE_HOME and PORT for a second one."
        ) from error
    return file


def check_space(path: Path) -> None:
    """``path`` need not exist yet."""
    place = next(one for one in (path, *path.parents) if one.exists())
    free = shutil.disk_usage(place).free
    if free < LEAST_SPACE:
        raise CannotStart(
            f"Only {free // 1_000_000} MB are free at {place}; the console wants 300 MB to start. "
            "Make room, or set SIGNALIZE_HOME to a directory on another disk."
        )


def check_port(host: str, port: int) -> None:
    if not 0 < port < 65536:
        raise CannotStart(f"PORT is {port}. Give a number from 1 to 65535.")
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(f"Port {port} is taken by another program. Set PORT to a free one.") from error
        raise CannotStart(f"{host}:{port} can't be listened on: {error.strerror}.") from error


def check_database(url: str) -> None:
    environment.database(url, pool=False)
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            if connection.info.server_version < LEAST_VERSION:
                raise CannotStart("DATABASE_URL leads to a PostgreSQL older than 14. Use 14 or newer.")
            if settings := durability.unsafe(connection):
                raise CannotStart(durability.in_words(settings))
    except psycopg.ProgrammingError:  # its words would quote the password
        raise CannotStart(f"DATABASE_URL is not an address for PostgreSQL. {PERCENT}") from None
    except psycopg.OperationalError as error:
        raise CannotStart(f"DATABASE_URL does not answer: {_first_line(error)}") from error


def check_broker(url: str) -> None:
    try:
        with kombu.Connection(url, transport_options={"socket_connect_timeout": 5}) as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
    except kombu.exceptions.OperationalError as error:
        raise CannotStart(f"CELERY_BROKER_URL does not answer: {_first_line(error)}") from error
    except Exception:
        # Whatever a transport makes of a wrong address; its words would quote the password.
        raise CannotStart(f"CELERY_BROKER_URL is not an address that Celery knows. {PERCENT}") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def wait_until(ready: Callable[[], bool], child: Child, stopping: threading.Event) -> None:
    """Waits a minute. Raises CannotStart naming the child that did not answer, and its log."""
    end = time.monotonic() + 60
    while not ready():
        if stopping.wait(0.05):
            raise CannotStart("Stopped while starting.")
        if not child.is_running:
            raise CannotStart(
                f"{child.name} ended at once. {child.log} ends with: {last_lines(child.log, 1)}"
            )
        if time.monotonic() > end:
            raise CannotStart(f"{child.name} does not answer. See {child.log}")


def web_answers(host: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def tasks_done(nodes: list[str]) -> dict[str, int]:
    """How many tasks each of these workers has done since it started; without those that don't answer."""
    inspect = app.control.inspect(destination=nodes, limit=len(nodes), timeout=0.5)
    return {node: sum(facts["total"].values()) for node, facts in (inspect.stats() or {}).items()}


def who_runs(port: int) -> str:
    return f"process {os.getpid()}, http://localhost:{port}/\n"
