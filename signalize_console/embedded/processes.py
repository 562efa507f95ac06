"""Child processes that end with their parent, however that one ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
LARGEST_LOG = 10_000_000


class CannotStart(Exception):
    """Something is missing or wrong. ``str()`` is one plain line with the remedy."""


def ends_with_parent(by: signal.Signals) -> Callable[[], None]:
    """For ``preexec_fn``: Linux sends the signal when the thread that forked ends. Elsewhere nothing."""
    if sys.platform != "linux":
        return lambda: None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def in_child() -> None:
        libc.prctl(PR_SET_PDEATHSIG, by)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)

    return in_child


def start(
    argv: Sequence[str | Path],
    *,
    log: Path,
    ends_by: signal.Signals = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """A child in its own session, so that Ctrl-C reaches only its parent. Output is added to ``log``."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
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


def run(argv: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """A child that does one thing and ends, in its own session too. The result has its output as text."""
    return subprocess.run(
        [str(one) for one in argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        preexec_fn=ends_with_parent(signal.SIGKILL),
        **options,
    )


def stop(process: subprocess.Popen[bytes] | None, by: signal.Signals, seconds: float) -> None:
    """Asks the process to end, and after ``seconds`` ends it, and with it what it left behind."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(by)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends the children of a process that ended this moment: killed, it could not do so itself."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def working_in(directory: Path, program: str) -> list[int]:
    """The processes of ``program`` whose working directory this is. Only Linux shows them."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name = (place / "comm").read_text().strip()
            if name == program[:15] and (place / "cwd").readlink() == directory.resolve():
                found.append(int(place.name))
    return found


def wait_for_predecessor(directory: Path, program: str, seconds: float = 15) -> None:
    """A server whose supervisor was killed is just ending. Raises CannotStart when it doesn't."""
    end = time.monotonic() + seconds
    while others := working_in(directory, program):
        if time.monotonic() > end:
            raise CannotStart(f"Another {program} (process {others[0]}) uses {directory}. End it first.")
        time.sleep(0.05)


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log, for an error message."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-count:])
