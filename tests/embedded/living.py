"""Which processes of a home live: those that name it, were told of it, or work in it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def living(home: Path) -> dict[int, str]:
    """Process id to command line."""
    mark, found = os.fsencode(home), {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            told = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
            if int(place.name) != os.getpid() and mark in told + os.fsencode((place / "cwd").readlink()):
                found[int(place.name)] = (place / "cmdline").read_text().replace("\0", " ")
    return found


def wait_until(true: Callable[[], object], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while not (done := bool(true())) and time.monotonic() < end:
        time.sleep(0.02)
    return done


def kill_all(pids: dict[int, str]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def start_elsewhere(server: str, home: Path) -> subprocess.Popen[str]:
    """A supervising process that starts a server ("postgres.EmbeddedPostgres") and says so on its output."""
    module, name = server.split(".")
    code = (
        f"from signalize_console.embedded.{module} import {name}; from pathlib import Path; import time\n"
        f"from signalize_console.embedded.home import Home\n"
        f"{name}(Home(Path({str(home)!r}))).start(); print('started', flush=True); time.sleep(300)"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen[str]) -> None:
    """With -9, and nothing after it."""
    process.kill()
    process.communicate()
