"""Celery's door: beat knocks every hour."""

from celery import shared_task

from signalize_console.console import forgetting


@shared_task(name="console.forget_old")
def forget_old() -> None:
    forgetting.forget_old()
