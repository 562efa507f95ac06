"""Celery's door to the engine. Beat knocks every second, the outbox when something was accepted."""

import gc
import multiprocessing
import os
import signal
import time
from collections.abc import Iterable
from typing import Any

from billiard import active_children
from celery import current_app, shared_task
from celery.signals import (
    task_postrun,
    task_prerun,
    worker_before_create_process,
    worker_init,
    worker_ready,
    worker_shutting_down,
)
from celery.utils.nodenames import worker_direct
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from signalize_console.activity import partitions
from signalize_console.deliveries import durability, housekeeping, retention, rolling_up, undoing, wake
from signalize_console.deliveries.dispatch import Dispatch, drop_connection
from signalize_console.deliveries.watchdog import DEAF_SECONDS, Watchdog
from signalize_console.recipients import importing

PARTITIONED = ("activity_event", "deliveries_delivery", "deliveries_attempt")
SIGN_EXPIRES = DEAF_SECONDS / 2
# The worker itself shows that it serves these: a task of theirs may take longer than silence may last.
LONG_QUEUES = frozenset({"maintenance", "automations"})
IMPORT_SECONDS = 2

# Made before Celery forks, so that parent and children see what either is told. Nothing with a lock inside: a
# child that is killed while it holds it would stop all others for ever.
stopping = multiprocessing.RawValue("b", 0)
worked_at = multiprocessing.RawValue("d", 0.0)


def is_stopping() -> bool:
    return bool(stopping.value)


@shared_task(name="deliveries.dispatch_transactional")
def dispatch_transactional() -> None:
    dispatch(transactional=True)


@shared_task(name="deliveries.dispatch_marketing")
def dispatch_marketing() -> None:
    dispatch(transactional=False)


def dispatch(*, transactional: bool) -> None:
    """Sends what is due, and hands on to a fresh task what is left when its time is over."""
    try:
        durability.ensure()
        run = Dispatch(transactional, stop=is_stopping)
        run.run()
    except (OperationalError, InterfaceError):
        drop_connection()
        raise
    if run.has_more and not is_stopping():
        wake.publish(transactional=transactional)


@shared_task(name="deliveries.make_partitions")
def make_partitions() -> None:
    for table in PARTITIONED:
        partitions.make(table, timezone.now().date())


@shared_task(name="deliveries.let_go")
def let_go() -> None:
    retention.let_go()


@shared_task(name="deliveries.roll_up")
def roll_up() -> None:
    rolling_up.roll_up()


@shared_task(name="deliveries.count_subscribers")
def count_subscribers() -> None:
    rolling_up.count_subscribers()


@shared_task(name="deliveries.clean_up")
def clean_up() -> None:
    housekeeping.clean_up()


@shared_task(name="deliveries.move_imports_on")
def move_imports_on() -> None:
    """In turns with what else this worker has to do."""
    for import_id in importing.at_work():
        importing.work_on(import_id, seconds=IMPORT_SECONDS)
        undoing.work_on(import_id, seconds=IMPORT_SECONDS)


@shared_task(name="deliveries.sign_of_life")
def sign_of_life() -> None:
    """That it runs is all."""


@worker_init.connect
def refuse_unsafe_database(**_facts: Any) -> None:
    """Before the first task, where the database can be asked already."""
    try:
        durability.ensure()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error
    except OperationalError:
        pass
    finally:
        connection.close()  # what forks must not leave its children a connection


@worker_before_create_process.connect
def share_memory(**_facts: Any) -> None:
    """The collector writes to each object that it looks at: what was there before would be there twice."""
    gc.collect()
    gc.freeze()


@worker_ready.connect
def watch_over(sender: Any, **_facts: Any) -> None:
    queue = worker_direct(sender.hostname)

    def send_sign() -> None:
        current_app.send_task(sign_of_life.name, queue=queue, expires=SIGN_EXPIRES, retry=False)

    def queues() -> Iterable[str]:
        return LONG_QUEUES.intersection(sender.app.amqp.queues.consume_from)

    Watchdog(
        sender.hostname, lambda: worked_at.value, send_sign, _broker_answers, _kill_children, queues=queues
    ).start()


@task_prerun.connect
@task_postrun.connect
def note_work(**_facts: Any) -> None:
    worked_at.value = time.monotonic()


@worker_shutting_down.connect
def stop_claiming(**_facts: Any) -> None:
    stopping.value = 1


def _broker_answers() -> bool:
    try:
        with current_app.connection_for_read() as broker:
            broker.ensure_connection(max_retries=1, timeout=5)
            return True
    except Exception:
        return False


def _kill_children() -> None:
    """A pool process doesn't end with its parent."""
    for child in active_children():
        os.kill(child.pid, signal.SIGKILL)
