"""A PostgreSQL server of our own: real binaries, a random password, a Unix socket, our child process."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from signalize_console.embedded import processes
from signalize_console.embedded.binaries import copy_for_others, find_postgres
from signalize_console.embedded.cluster import Cluster
from signalize_console.embedded.directories import make_private
from signalize_console.embedded.home import FOR_ALL, Home, is_open_to_others
from signalize_console.embedded.processes import CannotStart

ACCOUNT = "signalize"
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "jit": "off",
}
# For tests that don't speak of durability: three times faster, nothing survives a crash of the machine.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One server for one home. ``start`` returns when it answers."""

    name = "PostgreSQL"

    def __init__(self, home: Home, *, settings: dict[str, str] | None = None) -> None:
        self.home = home
        self.settings = {**SETTINGS, **(settings or {})}
        self.log = home.logs / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 60) -> "EmbeddedPostgres":
        self.account = _account() if os.geteuid() == 0 else {}
        binaries = find_postgres()
        self._make_directories()
        if self.account and not is_open_to_others(binaries / "postgres"):
            binaries = copy_for_others(binaries, self.home.postgres / "binaries")
        self.cluster = Cluster(self.home, binaries, self.account)
        self.cluster.prepare()
        self._run(binaries, seconds)
        self._make_database()
        return self

    def stop(self) -> None:
        processes.stop(self.process, signal.SIGINT, 30)

    def _make_directories(self) -> None:
        """Those that we make above the data are open: PostgreSQL's account must walk through them."""
        place = self.home.postgres
        place.mkdir(parents=True, exist_ok=True)
        for directory in (place, *place.parents) if self.account else ():
            if directory in {self.home.path, FOR_ALL.parent}:
                break
            directory.chmod(0o755)
        link = self.home.path / "postgres-elsewhere"
        if place.parent != self.home.path and not link.is_symlink():
            link.symlink_to(place)
            print(f"PostgreSQL's account can't reach {self.home.path}; its data is in {place}.", flush=True)
        make_private(self.home.postgres_sockets, self.account.get("user", -1), self.account.get("group", -1))

    def _run(self, binaries: Path, seconds: float) -> None:
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        argv: Sequence[str | Path] = [
            binaries / "postgres", "-D", self.cluster.data, "-k", self.home.postgres_sockets, *options,
        ]  # fmt: skip
        self.process = processes.start(argv, log=self.log, ends_by=signal.SIGINT, cwd="/", **self.account)
        end = time.monotonic() + seconds
        while not self.cluster.is_served_by(self.process.pid):
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise CannotStart(f"PostgreSQL did not start:\n{processes.last_lines(self.log)}")
            time.sleep(0.01)

    def _make_database(self) -> None:
        url = self.home.database_url.replace("@/signalize?", "@/postgres?")
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'signalize'").fetchone():
                    connection.execute("CREATE DATABASE signalize")
        except psycopg.Error as error:
            self.stop()
            reason = str(error).strip().splitlines()[-1]
            raise CannotStart(f"PostgreSQL starts, but refuses our database: {reason}") from error


def _account() -> dict[str, Any]:
    """As root, PostgreSQL runs under an account of its own, made when it is missing."""
    for command in ([], ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]):
        if command and shutil.which(command[0]):
            processes.run(command)
        try:
            entry = pwd.getpwnam(ACCOUNT)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
