"""The Celery app with an impatient watchdog: ``celery -A tests.deliveries.quick_watchdog``."""

from celery.signals import worker_init

from signalize_console.celery import app

__all__ = ["app"]


@worker_init.connect
def hurry(**_facts: object) -> None:
    from signalize_console.deliveries import watchdog

    watchdog.LOOK_EVERY, watchdog.DEAF_SECONDS = 0.5, 8.0
