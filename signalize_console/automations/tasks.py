"""Celery's door: beat knocks every second, and every hour."""

from celery import shared_task

from signalize_console.automations import comparing, forgetting
from signalize_console.automations.engine import run
from signalize_console.deliveries import installation
from signalize_console.deliveries.tasks import is_stopping


@shared_task(name="automations.advance")
def advance() -> None:
    if installation.may_send():
        run(is_stopping)


@shared_task(name="automations.compare")
def compare() -> None:
    comparing.decide()


@shared_task(name="automations.forget_old")
def forget_old() -> None:
    forgetting.forget_old()
