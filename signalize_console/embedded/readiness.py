"""Whether what the console needs is there, and whether it answers; each failure is one plain line."""

import errno
import fcntl
import os
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

import kombu
import psycopg

from signalize_console import environment
from signalize_console.embedded.home import Home
from signalize_console.embedded.processes import CannotStart

LEAST_SPACE = 300_000_000
LEAST_VERSION = 140_000


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
    free = shutil.disk_usage(path).free
    if free < LEAST_SPACE:
        raise CannotStart(
            f"Only {free // 1_000_000} MB are free at {path}; the console wants 300 MB to start."
        )


def check_port(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(f"Port {port} is taken by another program. Set PORT to a free one.") from error
        raise CannotStart(f"{host}:{port} can't be listened on: {error.strerror}.") from error
    except OverflowError:
        raise CannotStart(f"PORT is {port}. Give a number from 1 to 65535.") from None


def check_database(url: str) -> None:
    environment.database(url, pool=False)
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            if connection.info.server_version < LEAST_VERSION:
                raise CannotStart("DATABASE_URL leads to a PostgreSQL older than 14. Use 14 or newer.")
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        raise CannotStart(f"DATABASE_URL does not answer: {_first_line(error)}") from error


def check_broker(url: str) -> None:
    try:
        with kombu.Connection(url, transport_options={"socket_connect_timeout": 5}) as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
    except Exception as error:
        raise CannotStart(f"CELERY_BROKER_URL does not answer: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


def wait_until(ready: Callable[[], bool], what: str, log: Path, stopped: Callable[[], bool]) -> None:
    """Waits a minute. Raises CannotStart naming what did not answer, and its log."""
    end = time.monotonic() + 60
    while not ready():
        if stopped():
            raise CannotStart("Stopped while starting.")
        if time.monotonic() > end:
            raise CannotStart(f"{what} does not answer. See {log}")
        time.sleep(0.05)


def web_answers(host: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def who_runs(port: int) -> str:
    return f"process {os.getpid()}, http://localhost:{port}/\n"
