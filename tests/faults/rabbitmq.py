"""A RabbitMQ server of our own, from Debian's package: the other broker that the console speaks to."""

import os
import signal
import subprocess
import time
from pathlib import Path

from signalize_console.embedded import processes
from tests.web import free_port, is_open

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class RabbitMq:
    """``start`` returns when it answers. Durable, as it comes; its data and Erlang's own port are apart from others."""

    name = "RabbitMQ"

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "rabbitmq"
        self.port, self.epmd_port = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self, seconds: float = 90) -> "RabbitMq":
        if not SERVER.exists():
            raise processes.CannotStart("RabbitMQ is missing: apt install rabbitmq-server")
        self.directory.mkdir(exist_ok=True)
        (self.directory / "plugins").write_text("[].\n")
        self.process = processes.start(
            [SERVER], log=self.directory / "log", ends_by=signal.SIGTERM, env=self._env(), cwd="/"
        )
        end = time.monotonic() + seconds
        while not is_open(self.port):
            if self.process.poll() is not None or time.monotonic() > end:
                raise processes.CannotStart(processes.last_lines(self.directory / "log"))
            time.sleep(0.1)
        return self

    def stop(self) -> None:
        processes.stop(self.process, signal.SIGTERM, 30)
        subprocess.run(["epmd", "-kill"], env=self._env(), capture_output=True, check=False)

    def _env(self) -> dict[str, str]:
        own = {
            "HOME": str(self.directory),
            "RABBITMQ_NODENAME": f"faults-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.directory / "pid"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self.directory / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.epmd_port),
        }
        return {**os.environ, **own}
