"""The web server as in production, in processes of its own, on a free port."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Self
from urllib.parse import urlsplit

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def database_url() -> str:
    """The tests' own database, for a process of its own."""
    name = connection.settings_dict["NAME"]
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Web:
    """Use as a context manager. ``origin`` is where it answers; the database is the environment's.

    ``cpus`` binds its processes to these cores; ``output`` gets what they print and log.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        threads: int = 8,
        application: str = "signalize_console.wsgi:application",
        cpus: set[int] | None = None,
        output: IO[bytes] | None = None,
        **env: str,
    ) -> None:
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.cpus, self.output = cpus, output
        self.argv = [
            *(sys.executable, "-m", "granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={self.port}"),
            *(f"--workers={workers}", f"--blocking-threads={threads}", "--no-ws", "--log-level=warning"),
            application,
        ]
        self.env = {**os.environ, "SIGNALIZE_DATABASE_POOL": "1", "LOG_LEVEL": "ERROR", **env}

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.argv,
            cwd=ROOT,
            env=self.env,
            start_new_session=True,
            stdout=self.output or subprocess.DEVNULL,
            stderr=self.output,
        )
        if self.cpus:
            os.sched_setaffinity(self.process.pid, self.cpus)
        end = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("The web server did not start.")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.origin}/v3/nothing", timeout=5):
                return True
        except urllib.error.HTTPError as error:
            error.close()
            return True
        except OSError:
            return False

    def cpu_seconds(self) -> float:
        """What all of its processes have used so far."""
        used = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rsplit(")", 1)[1].split()
                if int(fields[2]) == self.process.pid:
                    used += int(fields[11]) + int(fields[12])
        return used / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """All of its processes at once, as when the machine's power fails."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
