"""Named points at which a process of the console dies (or stops) when it is told to; the product knows none.

A file ``armed/<point>`` holds a signal's number. The first process that comes there takes the file away and
sends the signal to itself: one arming, one death. ``reached/<point>`` then names its process id.
"""

import functools
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.db import connection

POINTS = (
    "after_claim",
    "request_written",
    "answered",
    "while_recording",
    "after_recording",
    "before_expanding",
    "between_chunks",
    "before_settling",
    "reclaiming",
    "purging",
    "api_before_commit",
    "api_after_commit",
    "reporting",
)
# So that an audience of some hundred takes several chunks.
CHUNK = 100


def _is_armed(point: str) -> int:
    """The signal, if this process is the one; the file is gone then."""
    place = Path(os.environ["FAULTS_DIRECTORY"])
    try:
        number = int((place / "armed" / point).read_text())
        (place / "armed" / point).rename(place / "taken" / f"{point}.{os.getpid()}")
    except (FileNotFoundError, ValueError):
        return 0
    reached = place / "reached" / point
    reached.with_suffix(".new").write_text(str(os.getpid()))
    reached.with_suffix(".new").rename(reached)
    return number


def reach(point: str) -> None:
    if number := _is_armed(point):
        os.kill(os.getpid(), number)


def _soon(number: int) -> None:
    """While the next statement is under way, or a moment after it."""

    def end() -> None:
        time.sleep(random.uniform(0.0, 0.003))
        os.kill(os.getpid(), number)

    threading.Thread(target=end, daemon=True).start()


def _around(
    place: Any,
    name: str,
    *,
    before: Callable[..., None] | None = None,
    after: Callable[..., None] | None = None,
) -> None:
    """``before`` gets the arguments, ``after`` the result and the arguments."""
    original = getattr(place, name)

    @functools.wraps(original)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        if before:
            before(*arguments, **named)
        result = original(*arguments, **named)
        if after:
            after(result, *arguments, **named)
        return result

    setattr(place, name, wrapped)


def install_in_worker() -> None:
    """In each of Celery's child processes. The database then knows which of them claims."""
    from signalize_console.deliveries import dispatch, expanding, housekeeping, ledger, progress
    from signalize_console.webpush.transport import Transport

    os.environ["PGAPPNAME"] = f"worker-{os.getpid()}"
    progress.CHUNK = expanding.CHUNK = CHUNK

    def recording(_transactional: bool, results: Sequence[Any], *_more: Any) -> None:
        if results and (number := _is_armed("while_recording")):
            _soon(number)

    def claimed(lists: Any, _transactional: bool, results: Sequence[Any], *_more: Any) -> None:
        if any(lists):
            reach("after_claim")
        if results:
            reach("after_recording")

    def polled(_answers: Any, wire: Transport, *_wait: float) -> None:
        if any(transfer.begun for transfer in wire._busy.values()):
            reach("request_written")

    def taken(_nothing: None, run: dispatch.Dispatch, answers: Sequence[Any]) -> None:
        if any(answer.status == 201 for answer in answers):
            reach("answered")

    def begun(_transactional: bool) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM messaging_pushmessage WHERE state = 'expanding' AND expanded_to = 0"
            )
            if cursor.fetchone():
                reach("before_expanding")

    def expanded(more: bool, *_arguments: Any) -> None:
        if more:
            reach("between_chunks")

    def purging() -> None:
        connection.execute_wrappers.append(_second_statement(functools.partial(reach, "purging")))

    def purged(_nothing: None) -> None:
        connection.execute_wrappers.pop()

    _around(ledger, "record_and_claim", before=recording, after=claimed)
    _around(ledger, "reclaim", after=lambda reclaimed, *_a: reach("reclaiming") if reclaimed else None)
    _around(Transport, "poll", after=polled)
    _around(dispatch.Dispatch, "_take", after=taken)
    _around(expanding, "expand_chunk", before=begun, after=expanded)
    _around(progress, "_settle", before=lambda *_a: reach("before_settling"))
    _around(housekeeping, "clean_up", before=purging, after=purged)


def _second_statement(then: Callable[[], None]) -> Callable[..., Any]:
    seen = 0

    def wrapper(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == 2:
            then()
        return execute(*arguments)

    return wrapper


def install_in_web() -> None:
    from signalize_console.deliveries import outbox, reports
    from signalize_console.deliveries.models import IdempotencyKey

    # The last that an accepted message's transaction writes.
    _around(IdempotencyKey.objects, "create", after=lambda *_a, **_n: reach("api_before_commit"))
    _around(outbox, "send", after=lambda *_a, **_n: reach("api_after_commit"))
    _around(reports, "report", after=lambda *_a: reach("reporting"))


class Arms:
    """The other side: who arms a point and waits until somebody dies there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name in ("armed", "taken", "reached"):
            (directory / name).mkdir(exist_ok=True)

    def arm(self, point: str, by: signal.Signals = signal.SIGKILL) -> None:
        assert point in POINTS, point
        (self.directory / "reached" / point).unlink(missing_ok=True)
        new = self.directory / "taken" / f"{point}.new"
        new.write_text(str(int(by)))
        new.rename(self.directory / "armed" / point)

    def reached(self, point: str, seconds: float, *, disarm: bool = True) -> int:
        """The id of the process that came there; 0 if none did in time, and then it is not armed any more."""
        end = time.monotonic() + seconds
        reached = self.directory / "reached" / point
        while not reached.exists():
            if time.monotonic() >= end:
                if disarm:
                    (self.directory / "armed" / point).unlink(missing_ok=True)
                break
            time.sleep(0.005)
        return int(reached.read_text()) if reached.exists() else 0

    def reached_at(self, point: str) -> float:
        """Unix time."""
        return (self.directory / "reached" / point).stat().st_mtime
