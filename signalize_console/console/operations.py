"""Parts of other packages, as far as they help here: what beat does, and who failed to log in."""

from typing import Any, ClassVar

from axes.models import AccessFailureLog, AccessLog
from django.contrib import admin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from signalize_console.console.paging import ReadOnly
from signalize_console.deliveries.models import Heartbeat

admin.site.unregister(
    [
        *(AccessFailureLog, AccessLog),
        *(ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule),
    ]
)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ReadOnly):
    list_display = ["name", "task", "scheduler", "enabled", "last_run_at", "total_run_count"]
    fields: ClassVar[Any] = [*list_display, "queue"]


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly):
    list_display = ["kind", "name", "beat_at", "worked_at"]
    list_filter = ["kind"]
    ordering = ["-beat_at"]
    fields: ClassVar[Any] = list_display
