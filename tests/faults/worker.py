"""``celery -A tests.faults.worker``: the console's own app, in processes that can be told where to die."""

from celery.signals import worker_process_init

from signalize_console.celery import app
from tests.faults import crashing

__all__ = ["app"]

# A worker that sleeps longer than its lease is to wake, not to be killed by its parent for taking too long.
app.conf.task_time_limit = 300


@worker_process_init.connect
def begin(**_facts: object) -> None:
    crashing.install_in_worker()
