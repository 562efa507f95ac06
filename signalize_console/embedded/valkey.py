"""A Valkey server of our own, on a Unix socket: the broker that Celery's messages pass through."""

import signal
import subprocess
import time

import redis

from signalize_console.embedded import processes
from signalize_console.embedded.binaries import find_valkey
from signalize_console.embedded.directories import make_private
from signalize_console.embedded.home import Home
from signalize_console.embedded.processes import CannotStart


class EmbeddedValkey:
    """One server for one home. ``start`` returns when it answers."""

    name = "Valkey"

    def __init__(self, home: Home) -> None:
        self.home = home
        self.log = home.logs / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 20) -> "EmbeddedValkey":
        binary, data, socket = find_valkey(), self.home.path / "valkey", self.home.valkey_socket
        for directory in (data, socket.parent):
            make_private(directory)
        processes.wait_for_predecessor(data, binary.name)
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
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self.process = processes.start([binary, *arguments], log=self.log, ends_by=signal.SIGTERM, cwd="/")
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
