"""PostgreSQL's data directory (in its words, a database cluster): made whole or not at all."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

from signalize_console.embedded import processes
from signalize_console.embedded.home import Home, sync_directory
from signalize_console.embedded.processes import CannotStart

# Since this version PostgreSQL brings UTF-8 rules of its own, whatever locales the system has.
BUILTIN_LOCALES = 17


class Cluster:
    """``account`` is the keyword arguments by which a child runs under PostgreSQL's account."""

    def __init__(self, home: Home, binaries: Path, account: dict[str, Any]) -> None:
        self.home, self.binaries, self.account = home, binaries, account
        self.data = home.postgres / "data"

    def prepare(self) -> None:
        """Makes the data directory if there is none. Raises CannotStart when it is not for us to use."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        processes.wait_for_predecessor(self.data, "postgres")
        self._remove_stale_pid_file()

    def is_served_by(self, pid: int) -> bool:
        """Whether this server takes connections."""
        lines = self._pid_file.read_text().splitlines() if self._pid_file.exists() else []
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    @property
    def _pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def _remove_stale_pid_file(self) -> None:
        """Its number may be another program's by now, which PostgreSQL would take for a server."""
        if self._pid_file.exists():
            pid = self._pid_file.read_text().partition("\n")[0].strip()
            if not pid or Path(f"/proc/{pid}").exists():
                self._pid_file.unlink()

    def _initialise(self) -> None:
        new = self.data.with_name("data.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        password_file = self.home.postgres_sockets / "password"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        try:
            password_file.write_text(self.home.database_password)
            for place in (new, password_file):
                os.chown(place, self.account.get("user", -1), self.account.get("group", -1))
            self._initdb(new, password_file)
            new.rename(self.data)
        except OSError as error:
            raise CannotStart(f"{self.data} can't be made: {error.strerror}.") from error
        finally:
            password_file.unlink()
        sync_directory(self.data.parent)

    def _initdb(self, directory: Path, password_file: Path) -> None:
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        locale = builtin if self._major_version() >= BUILTIN_LOCALES else ["--locale=C.UTF-8"]
        done = self._run(
            *("initdb", "-D", str(directory), "-U", "signalize", "--encoding=UTF8", *locale),
            *("--auth=scram-sha-256", f"--pwfile={password_file}", "--no-instructions"),
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"initdb ended with {done.returncode}"]
            reason = next((line for line in lines if re.search("error:|FATAL:|PANIC:", line)), lines[-1])
            raise CannotStart(f"PostgreSQL could not make its data directory {self.data}: {reason}")

    def _run(self, program: str, *arguments: str) -> Any:
        return processes.run([self.binaries / program, *arguments], cwd="/", **self.account)

    def _major_version(self) -> int:
        done = self._run("postgres", "--version")
        if done.returncode:
            raise CannotStart(f"{self.binaries / 'postgres'} does not run: {done.stderr.strip()}")
        return int(done.stdout.split()[2].partition(".")[0])

    def _check_version(self) -> None:
        made_by, ours = (self.data / "PG_VERSION").read_text().strip(), self._major_version()
        if made_by != str(ours):
            raise CannotStart(
                f"{self.data} was made by PostgreSQL {made_by}, these binaries are {ours}. Point "
                f"SIGNALIZE_PG_BIN to PostgreSQL {made_by}, or move the data with pg_dump or pg_upgrade."
            )
