"""Celery: the muscle. What there is to do stands in PostgreSQL; a message here only says "look now"."""

import os

from celery import Celery
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "signalize_console.settings")

app = Celery("signalize_console")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.task_queues = [
    Queue("transactional"),
    Queue("marketing"),
    Queue("maintenance"),
    Queue("automations"),
]
app.conf.task_default_queue = "maintenance"
app.conf.beat_schedule = {
    "Send what is due: transactional": {
        "task": "deliveries.dispatch_transactional",
        "schedule": 1.0,
        "options": {"queue": "transactional", "expires": 1},
    },
    "Send what is due: marketing": {
        "task": "deliveries.dispatch_marketing",
        "schedule": 1.0,
        "options": {"queue": "marketing", "expires": 1},
    },
    "Make the next months' partitions": {
        "task": "deliveries.make_partitions",
        "schedule": 3600.0,
        "options": {"queue": "maintenance", "expires": 3600},
    },
    "Let go of old months": {
        "task": "deliveries.let_go",
        "schedule": 3600.0,
        "options": {"queue": "maintenance", "expires": 3600},
    },
    "Tell webhooks what happened": {
        "task": "webhooks.tell",
        "schedule": 1.0,
        "options": {"queue": "maintenance", "expires": 1},
    },
    "Move automations on": {
        "task": "automations.advance",
        "schedule": 1.0,
        "options": {"queue": "automations", "expires": 1},
    },
    "Compare the texts of automations": {
        "task": "automations.compare",
        "schedule": 3600.0,
        "options": {"queue": "automations", "expires": 3600},
    },
    "Forget old webhook deliveries": {
        "task": "webhooks.forget_old",
        "schedule": 3600.0,
        "options": {"queue": "maintenance", "expires": 3600},
    },
    "Forget old runs of automations": {
        "task": "automations.forget_old",
        "schedule": 3600.0,
        "options": {"queue": "maintenance", "expires": 3600},
    },
    "Forget old audit records": {
        "task": "console.forget_old",
        "schedule": 3600.0,
        "options": {"queue": "maintenance", "expires": 3600},
    },
    "Sum up what reports read": {
        "task": "deliveries.roll_up",
        "schedule": 5.0,
        "options": {"queue": "maintenance", "expires": 5},
    },
    "Count the subscribers": {
        "task": "deliveries.count_subscribers",
        "schedule": 3600.0,
        "options": {"queue": "maintenance", "expires": 3600},
    },
    "Move imports on": {
        "task": "deliveries.move_imports_on",
        "schedule": 1.0,
        "options": {"queue": "maintenance", "expires": 1},
    },
    "Put away what has waited long enough": {
        "task": "deliveries.clean_up",
        "schedule": 300.0,
        "options": {"queue": "maintenance", "expires": 300},
    },
}
