"""``celery -A tests.faults.worker``: the console's own app, in processes that can be told where to die."""

from celery.signals import worker_process_init

from signalize_console.celery import app
from tests.faults import crashing

__all__ = ["app"]


@worker_process_init.connect
def begin(**_facts: object) -> None:
    crashing.install_in_worker()
