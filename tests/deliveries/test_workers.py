"""Real Celery workers on a database that keeps its promises: refused, alive, deaf."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from signalize_console.deliveries.beat import MOST_WAITING
from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from signalize_console.embedded.valkey import EmbeddedValkey
from tests.embedded.living import ROOT, wait_until

pytestmark = pytest.mark.timeout(120)


class Place:
    """A home with its servers, and the workers that were started on it."""

    def __init__(self, home: Home, broker: EmbeddedValkey) -> None:
        self.home, self.broker, self.workers = home, broker, list[subprocess.Popen[str]]()
        self.env = {
            **os.environ,
            "SIGNALIZE_HOME": str(home.path),
            "DATABASE_URL": home.database_url,
            "CELERY_BROKER_URL": home.broker_url,
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *argv: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", *argv],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.workers.append(process)
        return process

    def worker(self, app: str = "tests.deliveries.quick_watchdog") -> "subprocess.Popen[str]":
        options = ["--concurrency=1", "--hostname=watched@here", "--without-gossip", "--without-mingle"]
        return self.run("celery", "-A", app, "worker", "--loglevel=WARNING", "--queues=maintenance", *options)

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.home.database_url, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with a_place() as place:
        yield place


@contextlib.contextmanager
def a_place() -> Iterator[Place]:
    directory = Path(tempfile.mkdtemp(prefix="signalize-workers-"))
    directory.chmod(0o755)
    home = Home(directory)
    postgres, valkey = EmbeddedPostgres(home).start(), EmbeddedValkey(home).start()
    place = Place(home, valkey)
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=ROOT, env=place.env, check=True
    )
    yield place
    for process in place.workers:
        process.kill()
        process.communicate()
    valkey.stop()
    postgres.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def careless(place: Place) -> Iterator[None]:
    """The role's commits are not waited for."""
    place.ask("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    yield
    place.ask("ALTER ROLE CURRENT_USER RESET synchronous_commit")


def test_a_worker_refuses_a_database_that_may_forget(place: Place, careless: None) -> None:
    worker = place.worker("signalize_console")
    said, _nothing = worker.communicate(timeout=60)

    assert worker.returncode != 0
    assert "synchronous_commit switched off" in said


def test_the_console_refuses_a_database_that_may_forget(place: Place, careless: None) -> None:
    env = {**place.env, "SIGNALIZE_HOME": f"{place.home.path}-console", "PORT": "8971"}
    done = subprocess.run(
        [sys.executable, "manage.py", "runconsole"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    shutil.rmtree(env["SIGNALIZE_HOME"], ignore_errors=True)

    assert done.returncode == 1
    assert "synchronous_commit switched off" in done.stderr


STOP_CONSUMING = """
from signalize_console.celery import app
for queue in ("maintenance", "watched@here.dq2"):
    (reply,) = app.control.cancel_consumer(queue, destination=["watched@here"], reply=True, timeout=10)
    assert "ok" in reply["watched@here"], reply
"""


def heartbeats(place: Place) -> Callable[[], list[tuple[object, ...]]]:
    return lambda: place.ask(
        "SELECT name FROM deliveries_heartbeat WHERE kind = 'worker' AND name = 'watched@here' "
        "AND beat_at - worked_at < interval '2 seconds'"
    )


def test_a_worker_that_lives_but_takes_no_work_ends(place: Place) -> None:
    worker = place.worker()
    assert wait_until(heartbeats(place), 30)
    served = "SELECT split_part(name, '-', 1) FROM deliveries_heartbeat WHERE kind = 'engine'"
    assert wait_until(lambda: place.ask(served) == [("maintenance",)], 30)
    # It goes on as long as it takes its own signs of life, though there is nothing to do.
    time.sleep(10)
    assert worker.poll() is None
    assert heartbeats(place)()

    subprocess.run([sys.executable, "-c", STOP_CONSUMING], cwd=ROOT, env=place.env, check=True)
    said, _nothing = worker.communicate(timeout=30)

    assert worker.returncode == 70
    assert "has taken no work" in said


def test_a_worker_shows_its_life_while_the_broker_is_away(place: Place) -> None:
    """Afterwards it takes work again, and is not ended for what it could not take."""
    worker = place.worker()
    assert wait_until(heartbeats(place), 30)
    place.broker.stop()
    try:
        [(since,)] = place.ask("SELECT now() + interval '3 seconds'")
        lives = f"SELECT name FROM deliveries_heartbeat WHERE kind = 'worker' AND beat_at > '{since}'"
        assert wait_until(lambda: place.ask(lives) == [("watched@here",)], 15)
        time.sleep(6)  # longer in all than it may be deaf
        assert not heartbeats(place)()
    finally:
        place.broker.start()
    assert wait_until(heartbeats(place), 30)
    assert worker.poll() is None


def test_beat_says_that_it_lives(place: Place) -> None:
    place.run("celery", "-A", "signalize_console", "beat", "--loglevel=WARNING", "--pidfile=")
    assert wait_until(lambda: place.ask("SELECT 1 FROM deliveries_heartbeat WHERE kind = 'beat'"), 30)


def test_what_nobody_reads_does_not_fill_the_broker(place: Place) -> None:
    place.run("celery", "-A", "signalize_console", "beat", "--loglevel=WARNING", "--pidfile=")
    with redis.Redis(unix_socket_path=str(place.home.valkey_socket)) as broker:
        assert wait_until(lambda: broker.llen("marketing"), 30)
        broker.lpush("marketing", *[b"a wake-up of hours ago"] * (MOST_WAITING + 1))
        assert wait_until(lambda: broker.llen("marketing") < MOST_WAITING, 15)
        # Beat goes on with it, and other queues are left alone.
        assert wait_until(lambda: 0 < broker.llen("marketing") < broker.llen("transactional"), 15)


def test_beat_ends_though_it_is_told_to_in_the_middle_of_a_query(place: Place) -> None:
    beat = place.run("celery", "-A", "signalize_console", "beat", "--loglevel=WARNING", "--pidfile=")
    beats = f"SELECT 1 FROM deliveries_heartbeat WHERE kind = 'beat' AND name ~ '{beat.pid}'"
    assert wait_until(lambda: place.ask(beats), 30)
    time.sleep(2)  # until there is something to write
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'periodictasks'"
    with psycopg.connect(place.home.database_url) as connection:
        connection.execute("LOCK TABLE django_celery_beat_periodictasks IN ACCESS EXCLUSIVE MODE")
        assert wait_until(lambda: place.ask(waits), 15)
        beat.terminate()
        time.sleep(1)
    assert beat.wait(15) == 0
