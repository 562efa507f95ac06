"""Django's admin looks here for what to register: one module per noun."""

from axes.models import AccessFailureLog, AccessLog
from django.contrib import admin
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule

from signalize_console.console import (  # noqa: F401 - importing registers
    apikeys,
    deliveries,
    events,
    pushmessages,
    recipients,
    templates,
    websites,
)

# Parts of other packages that nobody looks for here.
admin.site.unregister(
    [AccessFailureLog, AccessLog, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule]
)
