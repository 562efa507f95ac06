"""The processes of one code, and the servers that two of them share."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from signalize_console.embedded import processes
from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from signalize_console.embedded.valkey import EmbeddedValkey
from tests.faults.push_service import AUTHKEY, Door
from tests.faults.system import wait_until
from tests.web import free_port, is_open

PARTS = {
    "transactional": ["worker", "transactional,maintenance,automations"],
    "marketing": ["worker", "marketing"],
    "beat": ["beat"],
}


class Release:
    """One code's processes. ``deploy/start`` starts them, as in production."""

    def __init__(self, name: str, tree: Path, home: Home) -> None:
        self.name, self.tree, self.home, self.port = name, tree, home, free_port()
        self.env = {
            **os.environ,
            "SIGNALIZE_PYTHON": sys.executable,
            "SECRET_KEY": home.secret_key,
            "SIGNALIZE_KEY_ENCRYPTION_KEY": home.key_encryption_key,
            "SIGNALIZE_INSTALLATION": "upgrades",
            "PYTHONPATH": str(tree),
            "PORT": str(self.port),
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, *argv: str) -> str:
        done = subprocess.run(
            [sys.executable, *argv],
            cwd=self.tree,
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def log(self, part: str) -> Path:
        return self.home.logs / f"{self.name}-{part}.log"

    def start(self, part: str) -> None:
        argv = [self.tree / "deploy" / "start", *PARTS.get(part, [part])]
        self.running[part] = processes.start(argv, log=self.log(part), env=self.env, cwd=self.tree)
        if part == "web":
            wait_until(lambda: is_open(self.port), 300, f"No web: {self.log(part)}")

    def stop(self, part: str) -> None:
        processes.stop(self.running.pop(part), signal.SIGTERM, 30)

    def ledger(self) -> list[str]:
        """What ``verify_ledger`` finds."""
        argv = [sys.executable, "manage.py", "verify_ledger"]
        done = subprocess.run(argv, cwd=self.tree, env=self.env, capture_output=True, text=True, check=False)
        return [done.stdout + done.stderr] if done.returncode else []

    def complaints(self) -> list[str]:
        return [
            f"{log.name}: {line}"
            for log in sorted(self.home.logs.glob(f"{self.name}-*.log"))
            for line in log.read_text().splitlines()
            if "ERROR" in line or "CRITICAL" in line or line.startswith("Traceback")
        ]


@contextmanager
def servers(directory: Path, scale: int) -> Iterator[tuple[Home, Any]]:
    directory.mkdir(exist_ok=True)
    home = Home(directory)
    postgres, valkey = EmbeddedPostgres(home), EmbeddedValkey(home)
    postgres.start()
    valkey.start()
    code = f"from tests.faults import push_service; push_service.serve({str(directory)!r})"
    service = processes.start([sys.executable, "-c", code], log=home.logs / "push.log", env={**os.environ})
    door = Door(address=f"{directory}/door", authkey=AUTHKEY)
    try:
        wait_until((directory / "door").exists, 60, "The push service double did not start.")
        door.connect()
        face = door.face()  # type: ignore[attr-defined]
        services, authority = face.places()
        os.environ.update(
            SIGNALIZE_HOME=str(directory),
            DATABASE_URL=home.database_url,
            CELERY_BROKER_URL=home.broker_url,
            SIGNALIZE_PUSH_SERVICES=services,
            SIGNALIZE_PUSH_SERVICES_CA=authority,
            SIGNALIZE_WEB_WORKERS="1",
            LOG_LEVEL="WARNING",
            SCALE=str(scale),
        )
        yield home, face
    finally:
        processes.stop(service, signal.SIGKILL, 5)
        valkey.stop()
        postgres.stop()
