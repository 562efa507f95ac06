"""Ends a worker that lives but takes no work any more, as Celery's do after some broken connections.

Each worker sends itself a sign of life by a queue of its own: it goes through the broker, the consumer and a
pool process as all work does. Who started the worker starts it again.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable

from django.db import DatabaseError, connection

from signalize_console.deliveries import heartbeats
from signalize_console.deliveries.heartbeats import HeartbeatKind

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
# No task may run longer than a minute.
DEAF_SECONDS = 75.0
EXIT_CODE = 70


class Watchdog:
    """``worked_at`` says when a task began or ended last, in monotonic seconds, whichever process ran it;
    ``queues``, which it serves of those whose tasks show no life themselves."""

    def __init__(
        self,
        name: str,
        worked_at: Callable[[], float],
        send_sign: Callable[[], None],
        broker_answers: Callable[[], bool],
        kill_children: Callable[[], None],
        *,
        queues: Callable[[], Iterable[str]],
    ) -> None:
        self.name, self.worked_at, self.queues = name, worked_at, queues
        self.send_sign, self.broker_answers = send_sign, broker_answers
        self.kill_children = kill_children
        self.started_at = time.monotonic()
        # Since then it could have taken work: it had started, and the broker took what was sent.
        self.able_since = self.started_at

    def start(self) -> None:
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            try:
                self.look()
            except Exception as error:
                # Whatever it is: nobody would start this thread again.
                log.warning("The worker was not looked after: %s", type(error).__name__)

    def look(self) -> None:
        now = time.monotonic()
        idle = now - max(self.worked_at(), self.started_at)
        self._show_life(idle)
        if idle > LOOK_EVERY:
            self._send_sign()
        if now - max(self.worked_at(), self.able_since) > DEAF_SECONDS and self.broker_answers():
            log.critical(
                "%s has taken no work for %d s though the broker answers. It ends, to be started again.",
                self.name,
                idle,
            )
            self.kill_children()
            os._exit(EXIT_CODE)

    def _send_sign(self) -> None:
        """Nobody takes work while the broker is away; Celery then tries again each half minute at least."""
        try:
            self.send_sign()
        except Exception as error:
            self.able_since = time.monotonic()
            log.warning("The worker's sign of life was not sent: %s", type(error).__name__)

    def _show_life(self, idle: float) -> None:
        """With a connection of its own each time: the worker forks, and a child must not inherit one."""
        try:
            heartbeats.note(HeartbeatKind.WORKER, self.name, idle)
            for queue in self.queues():
                heartbeats.note(HeartbeatKind.ENGINE, heartbeats.process(queue), idle)
        except DatabaseError as error:
            log.warning("The database takes no sign of life: %s", type(error).__name__)
        finally:
            connection.close()
