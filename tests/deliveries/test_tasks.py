"""What Celery's processes share."""

import gc
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from celery.signals import worker_before_create_process
from django.db import OperationalError, connection, transaction

from signalize_console.celery import app
from signalize_console.deliveries import durability, outbox, tasks
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.makers import make_message, make_text

# Celery forks too.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def test_a_child_that_is_killed_while_it_looks_stops_no_other() -> None:
    for _kill in range(20):
        child = fork_and_look_for_ever()
        time.sleep(random.uniform(0.001, 0.003))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    other = os.fork()
    if not other:
        signal.alarm(2)
        tasks.note_work()
        os._exit(int(tasks.is_stopping()))

    _pid, status = os.waitpid(other, 0)

    assert status == 0


def fork_and_look_for_ever() -> int:
    if child := os.fork():
        return child
    while True:
        tasks.is_stopping()
        tasks.note_work()


def test_children_are_told_to_stop() -> None:
    child = os.fork()
    if not child:
        signal.alarm(5)
        while not tasks.is_stopping():
            time.sleep(0.01)
        os._exit(0)
    try:
        tasks.stop_claiming()
        _pid, status = os.waitpid(child, 0)
    finally:
        tasks.stopping.value = 0

    assert status == 0


def test_what_was_loaded_before_the_fork_stays_shared() -> None:
    usual = megabytes_copied_by_collecting()
    worker_before_create_process.send(sender=None)
    try:
        shared = megabytes_copied_by_collecting()
    finally:
        gc.unfreeze()

    assert shared < usual / 4


def megabytes_copied_by_collecting() -> int:
    """Of what a child shares with its parent, how much it has for itself after a look through all objects."""
    child = os.fork()
    if not child:
        before = private_megabytes()
        gc.collect()
        os._exit(min(255, round(private_megabytes() - before)))
    _pid, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def private_megabytes() -> float:
    return int(Path("/proc/self/smaps_rollup").read_text().split("Private_Dirty:")[1].split()[0]) / 1024


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", sorted({one["task"] for one in app.conf.beat_schedule.values()}))
def test_whatever_beat_knocks_for_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests' own PostgreSQL is quick and careless, which the engine refuses.
    monkeypatch.setattr(durability, "ensure", lambda: None)
    app.loader.import_default_modules()
    app.tasks[name]()


def test_a_connection_that_was_lost_as_a_transaction_began_is_replaced(
    double: PushServiceDouble,
    website: Website,
    subscribe: Callable[..., Subscription],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(durability, "ensure", lambda: None)
    subscribe()
    outbox.send(make_message(website), [make_text()])
    connection.set_autocommit(False)
    connection.connection.close()
    with pytest.raises(OperationalError), transaction.atomic():
        pass
    assert connection.in_atomic_block

    with pytest.raises(OperationalError):
        tasks.dispatch(transactional=False)
    tasks.dispatch(transactional=False)

    assert len(double.received) == 1
