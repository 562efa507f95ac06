"""Beat's scheduler: django-celery-beat's, with a heartbeat, an end between two looks, and no full broker."""

import logging
import signal
import time
from typing import Any

from django.db import DatabaseError
from django_celery_beat.schedulers import DatabaseScheduler

from signalize_console.deliveries import heartbeats
from signalize_console.deliveries.heartbeats import EVERY_SECONDS, HeartbeatKind

# Of each queue. More are read by nobody: they would fill the broker in weeks, and whoever serves the queue
# again would first read those of many hours. One that is lost costs a second.
MOST_WAITING = 1_000
log = logging.getLogger(__name__)


class Scheduler(DatabaseScheduler):
    """Celery's own handlers write the schedule from within the signal. If that comes during a query, both
    wait for each other for ever (one connection, one lock), or the query's error takes the place of the end.
    """

    beat_at = 0.0
    ends: bool | None = None

    def tick(self, *args: Any, **options: Any) -> Any:
        if self.ends is None:
            self.ends = False
            for one in (signal.SIGTERM, signal.SIGINT):
                signal.signal(one, self._end)
        if self.ends:
            raise SystemExit
        now = time.monotonic()
        if now - self.beat_at > EVERY_SECONDS:
            self.beat_at = now
            try:
                heartbeats.note(HeartbeatKind.BEAT, heartbeats.process("beat"), 0.0)
            except DatabaseError:
                self.beat_at = 0.0
            self._empty_what_nobody_reads()
        return super().tick(*args, **options)

    def _empty_what_nobody_reads(self) -> None:
        queues = self.app.amqp.queues
        try:
            with self.app.connection_for_write() as broker:
                for name in queues:
                    queue = queues[name].bind(broker.default_channel)
                    if queue.queue_declare().message_count > MOST_WAITING:
                        queue.purge()
                        log.warning("Nobody reads the queue %s: what waited there was thrown away.", name)
        except Exception as error:
            log.warning("The broker doesn't say how much waits in it: %s", type(error).__name__)

    def _end(self, *_signal: object) -> None:
        self.ends = True
