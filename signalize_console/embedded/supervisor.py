"""Keeps the console's processes running until it is told to stop, and then stops them all."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from signalize_console.embedded import processes
from signalize_console.embedded.processes import CannotStart

FIRST_BACKOFF, LONGEST_BACKOFF, CALM_SECONDS = 0.5, 30.0, 60.0
# A worker ends the requests that are under way: at most 15 seconds.
GRACE_SECONDS = 20


@dataclass
class Child:
    """One process of the console. It is started again, more and more patiently, when it ends by itself."""

    name: str
    log: Path
    launch: Callable[[], subprocess.Popen[bytes] | None]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = field(default_factory=time.monotonic)
    backoff: float = FIRST_BACKOFF
    restart_at: float = 0.0

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = self.launch()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def put_off(self) -> float:
        """Seconds until it is worth another try."""
        if time.monotonic() - self.started_at > CALM_SECONDS:
            self.backoff = FIRST_BACKOFF
        wait, self.backoff = self.backoff, min(self.backoff * 2, LONGEST_BACKOFF)
        self.process, self.restart_at = None, time.monotonic() + wait
        return wait


@dataclass
class Supervisor:
    """``say`` tells the person at the terminal; ``stopping`` is set by Ctrl-C and SIGTERM.

    ``servers`` are only watched: who started them stops them, after all ``children``.
    ``parent`` is the process whose end is ours too, if there is one.
    """

    say: Callable[[str], None]
    parent: int | None = None
    servers: list[Child] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def listen_to_signals(self) -> None:
        numbers = {signal.SIGINT, signal.SIGTERM}
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup wants us to outlive the terminal
            numbers.add(signal.SIGHUP)
        for number in numbers:
            signal.signal(number, lambda *_facts: self.stopping.set())

    def start(self, child: Child) -> None:
        self.children.append(child)
        child.start()

    def keep_running(self) -> None:
        """Returns when it is told to stop."""
        while not self.stopping.wait(0.2) and self.parent in {None, os.getppid()}:
            for child in (*self.servers, *self.children):
                self._look_after(child)

    def _look_after(self, child: Child) -> None:
        if child.is_running:
            return
        if child.process is not None:
            processes.end_group(child.process)
            code = child.process.returncode
            wait = child.put_off()
            self.say(f"{child.name} ended ({code}) and starts again in {wait:.0f} s. See {child.log}")
        elif time.monotonic() >= child.restart_at:
            try:
                child.start()
            except CannotStart as error:
                self.say(f"{error}\nThe next try is in {child.put_off():.0f} s.")

    def stop(self) -> None:
        """All are asked at once; who takes too long is ended."""
        for child in self.children:
            if child.is_running and child.process:
                child.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + GRACE_SECONDS
        for child in self.children:
            processes.stop(child.process, signal.SIGTERM, max(0.1, end - time.monotonic()))


def node(queue: str) -> str:
    """The name by which Celery knows our worker of this queue."""
    return f"{queue}-{os.getpid()}@{socket.gethostname()}"


def console_children(logs: Path, bind: str, port: int, env: Mapping[str, str]) -> list[Child]:
    """The web, a Celery worker for each class and one for all the rest, and beat."""
    celery = ["celery", "-A", "signalize_console"]
    worker = [*celery, "worker", "--loglevel=WARNING", "--concurrency=1"]
    worker += ["--without-gossip", "--without-mingle"]
    web = [
        *("granian", "--interface=wsgi", f"--host={bind}", f"--port={port}"),
        *("--workers=1", "--blocking-threads=8", "--workers-kill-timeout=10"),
        *("--no-ws", "--log-level=warning"),
        "signalize_console.wsgi:application",
    ]
    transactional = ["--queues=transactional", f"--hostname={node('transactional')}"]
    marketing = ["--queues=marketing", f"--hostname={node('marketing')}"]
    # A receiver of webhooks that is slow must not hold up the automations: two processes.
    maintenance = ["--queues=maintenance,automations", f"--hostname={node('maintenance')}", "--concurrency=2"]

    def child(name: str, log: str, module: list[str]) -> Child:
        def launch() -> subprocess.Popen[bytes]:
            return processes.start([sys.executable, "-m", *module], log=logs / log, env=env)

        return Child(name, logs / log, launch)

    return [
        child("The web server", "web.log", web),
        child("The transactional worker", "worker-transactional.log", [*worker, *transactional]),
        child("The marketing worker", "worker-marketing.log", [*worker, *marketing]),
        child("The maintenance worker", "worker-maintenance.log", [*worker, *maintenance]),
        child("Beat", "beat.log", [*celery, "beat", "--loglevel=WARNING", "--pidfile="]),
    ]
