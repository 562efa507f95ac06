"""The whole durable pipeline: real PostgreSQL (fsync on), Valkey, and a Celery worker as in production."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from signalize_console.embedded.valkey import EmbeddedValkey
from tests.benchmarks.sink import Sink

TICKS = os.sysconf("SC_CLK_TCK")


def made(directory: Path) -> Path:
    """A directory that PostgreSQL's own account can reach."""
    directory.mkdir(parents=True)
    for place in (directory, directory.parent, directory.parent.parent):
        place.chmod(0o755)
    return directory


class Pipeline:
    """Use as a context manager; only then may the console's models be imported."""

    def __init__(self, directory: Path, sink: Sink) -> None:
        directory.chmod(0o755)
        self.home = Home(directory)
        self.log = directory / "worker.log"
        self.env = {
            "SIGNALIZE_HOME": str(directory),
            "DATABASE_URL": self.home.database_url,
            "CELERY_BROKER_URL": self.home.broker_url,
            "SIGNALIZE_PUSH_SERVICES": sink.push_services,
            "SIGNALIZE_PUSH_SERVICES_CA": str(sink.certificates.ca_file),
            "DJANGO_SETTINGS_MODULE": "signalize_console.settings",
            "LOG_LEVEL": "WARNING",
        }

    def __enter__(self) -> Self:
        os.environ.update(self.env)
        self.postgres = EmbeddedPostgres(self.home).start()
        self.valkey = EmbeddedValkey(self.home).start()
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)
        self.start_worker()
        return self

    def start_worker(self, processes: int = 1) -> None:
        celery = [sys.executable, "-m", "celery", "-A", "signalize_console", "worker", "--loglevel=WARNING"]
        self.worker = subprocess.Popen(
            [
                *celery,
                "--queues=marketing",
                f"--concurrency={processes}",
                "--without-gossip",
                "--without-mingle",
            ],
            stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT,
        )
        children = Path(f"/proc/{self.worker.pid}/task/{self.worker.pid}/children")
        while len(found := children.read_text().split()) < processes:
            time.sleep(0.1)
        self.senders = [int(pid) for pid in found]

    def cpu_seconds(self) -> float:
        """What the processes that send have used so far."""
        return sum(_used(pid) for pid in self.senders)

    def postgres_cpu_seconds(self) -> float:
        """What PostgreSQL has used so far, with all of its processes, also those that have ended."""
        assert self.postgres.process
        pid = self.postgres.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return _used(pid, ended=True) + sum(_used(int(one)) for one in children)

    def stop_worker(self) -> None:
        self.worker.send_signal(signal.SIGTERM)
        self.worker.wait(60)

    def __exit__(self, *_error: object) -> None:
        self.stop_worker()
        self.valkey.stop()
        self.postgres.stop()


def _used(pid: int, *, ended: bool = False) -> float:
    """Seconds of CPU of a process; with ``ended``, also of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(one) for one in fields[11 : 15 if ended else 13]) / TICKS
