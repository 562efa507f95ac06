"""The loop of the automations: read on, look at the schedules, move runs on; for at most 20 seconds."""

import time
from collections.abc import Callable

from signalize_console.automations import advancing, reading, schedules

SECONDS = 20.0


def run(stop: Callable[[], bool] = lambda: False, seconds: float = SECONDS) -> None:
    """Until nothing is left to do, or the time is over."""
    end = time.monotonic() + seconds
    more = True
    while more and time.monotonic() < end and not stop():
        # What happened comes first: it may cancel what is due.
        more = reading.read_on()
        more = schedules.tick() or more
        more = advancing.advance() or more
