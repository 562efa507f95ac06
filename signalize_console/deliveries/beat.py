"""Beat's scheduler: django-celery-beat's, with a heartbeat, and an end between two looks."""

import signal
import time
from typing import Any

from django.db import DatabaseError
from django_celery_beat.schedulers import DatabaseScheduler

from signalize_console.deliveries import heartbeats
from signalize_console.deliveries.heartbeats import EVERY_SECONDS, HeartbeatKind


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
        return super().tick(*args, **options)

    def _end(self, *_signal: object) -> None:
        self.ends = True
