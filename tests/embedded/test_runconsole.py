"""The whole console, as a user starts, stops and mistreats it."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import psycopg
import pytest

from signalize_console.embedded.home import Home
from tests.browsers.console import ROOT, Console
from tests.embedded.living import kill_all, living, wait_until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def first_start() -> Iterator[Console]:
    with Console() as console:
        yield console


@pytest.fixture
def console(first_start: Console) -> Console:
    """Running, whatever the test before did to it."""
    if first_start.process.poll() is not None:
        first_start.start()
    return first_start


def is_healthy(console: Console) -> bool:
    try:
        with urllib.request.urlopen(f"{console.origin}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        pass
    return False


def only(console: Console, part: str) -> dict[int, str]:
    return {pid: line for pid, line in living(console.home).items() if part in line}


def accounts(console: Console) -> list[tuple[str]]:
    with psycopg.connect(Home(console.home).database_url) as connection:
        return connection.execute("SELECT username FROM auth_user").fetchall()


def test_a_second_start_is_refused_while_it_runs(console: Console) -> None:
    second = subprocess.run(
        [sys.executable, "manage.py", "runconsole"],
        cwd=ROOT, env=console.env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (second.returncode, second.stdout) == (1, "")
    (line,) = second.stderr.splitlines()
    assert f"runs already on {console.home}: process {console.process.pid}, {console.origin}/" in line
    assert is_healthy(console)


def test_kill_9_leaves_nothing_running_and_the_next_start_recovers(console: Console) -> None:
    assert accounts(console) == [("admin",)]
    console.stop(signal.SIGKILL)
    assert wait_until(lambda: not living(console.home), 5), living(console.home)
    console.start()
    assert is_healthy(console)
    assert "password" not in console.output.read_text()
    assert accounts(console) == [("admin",)]


def test_what_ends_by_itself_is_started_again(console: Console) -> None:
    web = only(console, "granian")
    os.kill(min(web), signal.SIGKILL)  # the first of them, whose worker does not notice
    kill_all(only(console, "postgres -D"))
    kill_all(only(console, "valkey-server"))
    assert wait_until(lambda: only(console, "granian").keys() - web.keys(), 30)
    assert wait_until(lambda: is_healthy(console), 30), console.output.read_text()
    assert wait_until(lambda: only(console, "valkey-server"), 10)
    assert not web.keys() & living(console.home).keys()
    said = console.output.read_text()
    for name in ("PostgreSQL", "Valkey", "The web server"):
        assert f"{name} ended (-9) and starts again" in said


def test_ctrl_c_stops_everything(console: Console) -> None:
    assert is_healthy(console)
    assert console.stop(signal.SIGINT) == 0
    assert living(console.home) == {}


def test_it_ends_when_the_make_that_started_it_is_killed(first_start: Console) -> None:
    console = first_start
    if console.process.poll() is None:
        assert console.stop(signal.SIGTERM) == 0
    with console.output.open("w") as output:
        make = subprocess.Popen(
            ["make", "--silent", "--assume-old=.venv/console", "run"],
            cwd=ROOT, env=console.env, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    started = wait_until(lambda: "Ctrl-C stops it" in console.output.read_text(), 60)
    make.kill()
    make.wait()
    try:
        assert started, console.output.read_text()
        assert wait_until(lambda: not living(console.home), 30), living(console.home)
    finally:
        kill_all(living(console.home))
