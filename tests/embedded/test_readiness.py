import os
import socket
import sys
import threading
from pathlib import Path

import pytest

from signalize_console.embedded import processes, readiness
from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from signalize_console.embedded.processes import CannotStart
from signalize_console.embedded.supervisor import Child


def test_a_home_is_locked_for_one_console_and_says_whose_it_is(home: Home) -> None:
    with readiness.lock(home) as lock:
        lock.write(readiness.who_runs(8123))
        lock.flush()
        with pytest.raises(CannotStart, match=f"process {os.getpid()}, http://localhost:8123/"):
            readiness.lock(home)
    readiness.lock(home).close()


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(CannotStart, match=f"PORT is {port}. Give a number from 1 to 65535"):
        readiness.check_port("127.0.0.1", port)


def test_a_taken_port_is_refused_until_it_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} is taken"):
            readiness.check_port("127.0.0.1", port)
    readiness.check_port("127.0.0.1", port)


def test_an_address_that_is_not_of_this_machine_is_refused() -> None:
    with pytest.raises(CannotStart, match=r"192\.0\.2\.1:8123 can't be listened on"):
        readiness.check_port("192.0.2.1", 8123)


def test_servers_that_answer_are_taken(home: Home, postgres: EmbeddedPostgres) -> None:
    postgres.start()
    readiness.check_database(home.database_url)
    readiness.check_broker(os.environ["CELERY_BROKER_URL"])


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://somebody:s3cret%zz@localhost/name", "is not an address for PostgreSQL.*%2F"),
        ("postgresql://somebody:s3cret@localhost/name?colour=red", "is not an address for PostgreSQL"),
        ("postgresql://somebody:s3cret@127.0.0.1:1/name", "does not answer: .*refused"),
    ],
)
def test_a_bad_database_address_is_refused_without_its_password(url: str, reason: str) -> None:
    with pytest.raises(CannotStart, match=f"DATABASE_URL {reason}") as refusal:
        readiness.check_database(url)
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis://somebody:s3cret/@localhost", "is not an address that Celery knows.*%2F"),
        ("nothing://:s3cret@here", "is not an address that Celery knows"),
    ],
)
def test_a_bad_broker_address_is_refused_without_its_password(url: str, reason: str) -> None:
    with pytest.raises(CannotStart, match=f"CELERY_BROKER_URL {reason}") as refusal:
        readiness.check_broker(url)
    assert "s3cret" not in str(refusal.value)


def test_a_child_that_ends_at_once_is_not_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    argv = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    child = Child("The child", log, lambda: processes.start(argv, log=log))
    child.start()
    with pytest.raises(CannotStart, match=f"The child ended at once. {log} ends with: no such thing"):
        readiness.wait_until(lambda: False, child, threading.Event())
