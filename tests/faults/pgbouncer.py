"""PgBouncer in transaction mode, from Debian's package, before a PostgreSQL of ours."""

import os
import pwd
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from signalize_console.embedded import processes
from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import ACCOUNT
from tests.web import free_port, is_open

BINARY = Path("/usr/sbin/pgbouncer")


class PgBouncer:
    """``start`` returns when it answers. Twenty connections to the server for all of its clients, whoever they
    are; or by ``settings`` of one's own."""

    name = "PgBouncer"

    def __init__(self, home: Home) -> None:
        self.home, self.port = home, free_port()
        self.directory = home.path / "pgbouncer"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 30, settings: str = "") -> "PgBouncer":
        if not BINARY.exists():
            raise processes.CannotStart("PgBouncer is missing: apt install pgbouncer")
        self.directory.mkdir(exist_ok=True)
        self.directory.chmod(0o777)
        file = self.directory / "pgbouncer.ini"
        file.write_text(
            settings
            or f"""[databases]
signalize = host={self.home.postgres_sockets} user=signalize password={self.home.database_password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
server_login_retry = 1
"""
        )
        # Its own option to change the account would undo that it ends with its parent.
        group = pwd.getpwnam(ACCOUNT).pw_gid if os.geteuid() == 0 else None
        account: dict[str, Any] = {"user": ACCOUNT, "group": group, "extra_groups": []} if group else {}
        log = self.home.logs / "pgbouncer.log"
        self.process = processes.start([BINARY, file], log=log, ends_by=signal.SIGINT, **account)
        end = time.monotonic() + seconds
        while not is_open(self.port):
            if self.process.poll() is not None or time.monotonic() > end:
                raise processes.CannotStart(processes.last_lines(self.home.logs / "pgbouncer.log"))
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        processes.stop(self.process, signal.SIGINT, 10)
