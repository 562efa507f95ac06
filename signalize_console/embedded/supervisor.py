"""Keeps the console's processes running until it is told to stop, and then stops them all."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from signalize_console.embedded import processes

FIRST_BACKOFF, LONGEST_BACKOFF, CALM_SECONDS = 0.5, 30.0, 60.0
# A worker ends the requests that are under way: at most 15 seconds.
GRACE_SECONDS = 20
LARGEST_LOG = 10_000_000


@dataclass
class Child:
    """One process of the console. It is started again, more and more patiently, when it ends by itself."""

    name: str
    argv: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    backoff: float = FIRST_BACKOFF
    restart_at: float = 0.0

    def start(self, env: Mapping[str, str]) -> None:
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        self.process = processes.start(self.argv, log=self.log, env=env)
        self.started_at = time.monotonic()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def put_off(self) -> float:
        """Seconds until it is worth another try."""
        if time.monotonic() - self.started_at > CALM_SECONDS:
            self.backoff = FIRST_BACKOFF
        wait, self.backoff = self.backoff, min(self.backoff * 2, LONGEST_BACKOFF)
        self.restart_at = time.monotonic() + wait
        return wait


@dataclass
class Supervisor:
    """``say`` tells the person at the terminal; ``stopping`` is set by Ctrl-C and SIGTERM."""

    env: Mapping[str, str]
    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def listen_to_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_facts: self.stopping.set())

    def start(self, child: Child) -> None:
        self.children.append(child)
        child.start(self.env)

    def keep_running(self) -> None:
        """Returns when it is told to stop."""
        while not self.stopping.wait(0.2):
            for child in self.children:
                self._look_after(child)

    def _look_after(self, child: Child) -> None:
        if child.is_running:
            return
        if child.process is not None:
            code, child.process = child.process.returncode, None
            wait = child.put_off()
            self.say(f"{child.name} ended ({code}) and starts again in {wait:.0f} s. See {child.log}")
        elif time.monotonic() >= child.restart_at:
            child.start(self.env)

    def stop(self) -> None:
        """All are asked at once; who takes too long is ended."""
        for child in self.children:
            if child.is_running and child.process:
                child.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + GRACE_SECONDS
        for child in self.children:
            processes.stop(child.process, signal.SIGTERM, max(0.1, end - time.monotonic()))


def console_children(logs: Path, bind: str, port: int) -> list[Child]:
    """The web, a Celery worker for each class, and beat."""
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "signalize_console"]
    worker = [
        *celery,
        "worker",
        "--loglevel=WARNING",
        "--concurrency=1",
        "--without-gossip",
        "--without-mingle",
    ]
    beat = [*celery, "beat", "--loglevel=INFO", "--pidfile="]
    web = [
        *(python, "-m", "granian", "--interface=wsgi", f"--host={bind}", f"--port={port}"),
        *("--workers=1", "--blocking-threads=8", "--no-ws", "--log-level=warning"),
        "signalize_console.wsgi:application",
    ]
    ours = f"{os.getpid()}@%h"
    return [
        Child("web", web, logs / "web.log"),
        Child(
            "transactional worker",
            [*worker, "--queues=transactional,maintenance", f"--hostname=transactional-{ours}"],
            logs / "worker-transactional.log",
        ),
        Child(
            "marketing worker",
            [*worker, "--queues=marketing", f"--hostname=marketing-{ours}"],
            logs / "worker-marketing.log",
        ),
        Child("beat", beat, logs / "beat.log"),
    ]
