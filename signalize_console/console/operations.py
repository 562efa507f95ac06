"""Parts of other packages, as far as they help here: what beat does, and who failed to log in."""

from typing import Any, ClassVar

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from signalize_console.console.access import PerWebsite
from signalize_console.console.paging import ReadOnly
from signalize_console.deliveries.models import Heartbeat

admin.site.unregister(
    [
        *(AccessAttempt, AccessFailureLog, AccessLog, StaticDevice, TOTPDevice),
        *(ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule),
    ]
)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ReadOnly):
    website_path = ""
    all_may_look = True
    list_display = ["name", "task", "scheduler", "enabled", "last_run_at", "total_run_count"]
    fields: ClassVar[Any] = [*list_display, "queue"]


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly):
    website_path = ""
    all_may_look = True
    list_display = ["kind", "name", "version", "beat_at", "worked_at"]
    list_filter = ["kind"]
    ordering = ["-beat_at"]
    fields: ClassVar[Any] = list_display


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnly):
    """Deleting one ends its lock."""

    when_empty = _("Nobody has mistyped a password of late.")
    website_path = ""
    list_display = ["attempt_time", "username", "ip_address", "failures_since_start"]
    search_fields = ["=username", "=ip_address"]
    fields: ClassVar[Any] = [*list_display, "user_agent"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return PerWebsite.has_delete_permission(self, request, obj)
