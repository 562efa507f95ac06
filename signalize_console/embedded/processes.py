"""Child processes that end with their parent, however that one ends."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1


class CannotStart(Exception):
    """Something is missing or wrong. ``str()`` is one plain line with the remedy."""


def ends_with_parent(by: signal.Signals) -> Callable[[], None]:
    """For ``preexec_fn``: Linux sends the signal when the thread that forked ends. Elsewhere nothing."""
    if sys.platform != "linux":
        return lambda: None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, by)


def start(
    argv: Sequence[str | Path],
    *,
    log: Path,
    ends_by: signal.Signals = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """A child in its own session, so that Ctrl-C reaches only its parent. Output is added to ``log``."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(one) for one in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=ends_with_parent(ends_by),  # noqa: PLW1509 - prctl only
            env=env,
            **options,
        )


def stop(process: subprocess.Popen[bytes] | None, by: signal.Signals, seconds: float) -> None:
    """Asks the process to end, and after ``seconds`` ends it."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(by)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log, for an error message."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-count:])
