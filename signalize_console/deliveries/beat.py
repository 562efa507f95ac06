"""Beat's scheduler: django-celery-beat's, with a heartbeat."""

import time
from typing import Any

from django.db import DatabaseError
from django_celery_beat.schedulers import DatabaseScheduler

from signalize_console.deliveries import heartbeats
from signalize_console.deliveries.heartbeats import EVERY_SECONDS, HeartbeatKind


class Scheduler(DatabaseScheduler):
    beat_at = 0.0

    def tick(self, *args: Any, **options: Any) -> Any:
        now = time.monotonic()
        if now - self.beat_at > EVERY_SECONDS:
            self.beat_at = now
            try:
                heartbeats.note(HeartbeatKind.BEAT, heartbeats.process("beat"), 0.0)
            except DatabaseError:
                self.beat_at = 0.0
        return super().tick(*args, **options)
