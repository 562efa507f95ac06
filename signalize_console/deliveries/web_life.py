"""What a web process does beside its requests: it shows that it lives, and adds what it has counted."""

import contextlib
import threading
import time

from django.db import Error, connection

from signalize_console.deliveries import heartbeats
from signalize_console.deliveries.heartbeats import EVERY_SECONDS, HeartbeatKind
from signalize_console.deliveries.latencies import stopwatch
from signalize_console.messaging import media


def start() -> None:
    """In a thread of its own, so that no request waits for it."""
    threading.Thread(target=_live, name="web-life", daemon=True).start()


def _live() -> None:
    while True:
        time.sleep(EVERY_SECONDS)
        with contextlib.suppress(Error):
            show_life()
        connection.close()


def show_life() -> None:
    stopwatch.add()
    heartbeats.note(HeartbeatKind.WEB, heartbeats.process("web"), missing_picture=media.missing())
