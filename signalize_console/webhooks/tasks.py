"""Celery's door: beat knocks every second. The worker of the queue ``maintenance`` sends no push messages."""

from celery import shared_task

from signalize_console.deliveries import installation
from signalize_console.deliveries.tasks import is_stopping
from signalize_console.webhooks import ledger
from signalize_console.webhooks.dispatch import Dispatch


@shared_task(name="webhooks.tell")
def tell() -> None:
    if installation.may_send():
        Dispatch(is_stopping).run()


@shared_task(name="webhooks.forget_old")
def forget_old() -> None:
    ledger.forget_old()
