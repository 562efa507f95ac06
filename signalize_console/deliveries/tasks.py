"""Celery's door to the engine. Beat knocks every second, the outbox when something was accepted."""

import mmap

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from signalize_console.activity import partitions
from signalize_console.deliveries import housekeeping
from signalize_console.deliveries.dispatch import Dispatch

PARTITIONED = ("activity_event", "deliveries_delivery", "deliveries_attempt")

# A byte that is made before Celery forks, so that the children see what the parent is told. Nothing with a
# lock inside: a child that is killed while it holds it would stop all others for ever.
stopping = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def stop_claiming(**_facts: object) -> None:
    stopping[0] = 1


def is_stopping() -> bool:
    return bool(stopping[0])


@shared_task(name="deliveries.dispatch_transactional")
def dispatch_transactional() -> None:
    Dispatch(transactional=True, stop=is_stopping).run()


@shared_task(name="deliveries.dispatch_marketing")
def dispatch_marketing() -> None:
    Dispatch(transactional=False, stop=is_stopping).run()


@shared_task(name="deliveries.make_partitions")
def make_partitions() -> None:
    for table in PARTITIONED:
        partitions.make(table, timezone.now().date())


@shared_task(name="deliveries.clean_up")
def clean_up() -> None:
    housekeeping.clean_up()
