"""Signalize Console: push messages to website visitors, from one's own server."""

from signalize_console.celery import app as celery_app

__all__ = ["celery_app"]
__version__ = "0.1.0"
