"""Waking the engine: "look now". Never delays or fails the caller, broker or no broker.

One thread a process publishes; wake-ups that come while it is busy, or within 20 ms of the last, become one.
A lost one costs a second: beat wakes the engine every second anyway.
"""

import logging
import os
import threading
import time

from celery import current_app

TASKS = {True: "deliveries.dispatch_transactional", False: "deliveries.dispatch_marketing"}
QUEUES = {True: "transactional", False: "marketing"}
EXPIRES = 5
# One costs a web process as much as a sixth of accepting a message.
REST_SECONDS = 0.02
BROKER_SECONDS = 2

log = logging.getLogger(__name__)


class Bell:
    """Publishes wake-ups from its own thread, which starts with the first of them in each process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rung = threading.Event()
        self._waiting: set[bool] = set()
        self._process = 0

    def ring(self, transactional: bool) -> None:
        with self._lock:
            self._waiting.add(transactional)
            if self._process != os.getpid():
                self._process = os.getpid()
                threading.Thread(target=self._publish_all, name="wake", daemon=True).start()
        self._rung.set()

    def _publish_all(self) -> None:
        while True:
            self._rung.wait()
            self._rung.clear()
            with self._lock:
                waiting, self._waiting = self._waiting, set()
            for transactional in waiting:
                publish(transactional=transactional)
            time.sleep(REST_SECONDS)


def publish(*, transactional: bool) -> None:
    """One wake-up for one worker process, at once."""
    try:
        current_app.send_task(
            TASKS[transactional],
            queue=QUEUES[transactional],
            expires=EXPIRES,
            retry=False,
            ignore_result=True,
        )
    except Exception as error:
        log.warning("The broker took no wake-up (%s); the engine looks by itself.", type(error).__name__)


def broker_answers() -> bool:
    """Whether the broker takes connections; within a few seconds, by its own timeouts."""
    try:
        with current_app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_SECONDS)
    except Exception:
        return False
    return True


bell = Bell()


def wake(*, transactional: bool) -> None:
    bell.ring(transactional)
