"""``make upgrades``: from the release before to this code, with a million rows of each kind, while the console works.

The code before runs web, workers and beat; shop and visitors go on all the time, and nothing they ask is asked twice.
``migrate`` of this code runs beside it, with a backup and a forgotten transaction in its way; then the code before goes on
over the new tables, and this code takes over, part by part. SCALE=20000 for less. Takes a clone with its history.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

from signalize_console.embedded import migrating
from signalize_console.embedded.home import Home
from tests.benchmarks import report
from tests.upgrades import previous
from tests.upgrades.reckoning import reckon
from tests.upgrades.release import PARTS, Release, servers
from tests.upgrades.traffic import Request, Traffic
from tests.upgrades.watching import InTheWay, Waits
from tests.web import ROOT

SCALE = int(os.environ.get("SCALE", "1000000"))
QUIET_SECONDS, IN_THE_WAY = 20.0, 20.0
MIGRATING = "migrate, with others in its way"
LONGEST_REQUEST = migrating.LOCK_SECONDS + 1.0


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="upgrades-") as directory:
        path = Path(directory)
        path.chmod(0o755)
        os.environ |= {
            "SIGNALIZE_HOME": str(path / "home"),
            "DJANGO_SETTINGS_MODULE": "signalize_console.settings",
        }
        django.setup()
        try:
            commit = previous.commit()
        except previous.NoHistory as error:
            print(f"This needs a git clone with its history: {error}")
            return 2
        previous.unpack(commit, path / "before")
        with servers(path / "home", SCALE) as (home, push_service):
            upgrade = Upgrade(path, home, push_service)
            figures = upgrade.run(upgrade.seed())
    figures = {"scale": SCALE, "from": commit[:7], **figures}
    tell(figures)
    report.write("upgrades", figures)
    return bool(figures["wrong"])


class Upgrade:
    def __init__(self, directory: Path, home: Home, push_service: Any) -> None:
        self.home, self.push_service = home, push_service
        self.before = Release("before", directory / "before", home)
        self.after = Release("after", ROOT, home)
        self.phases: list[dict[str, object]] = []
        self.wrong: list[str] = []

    def seed(self) -> str:
        self.before.run("manage.py", "migrate", "--verbosity=0")
        return self.before.run(str(ROOT / "tests" / "upgrades" / "seed.py"), str(self.home.path / "door"))

    def run(self, seeded: str) -> dict[str, Any]:
        for part in ("web", *PARTS):
            self.before.start(part)
        self.traffic = Traffic(f"http://127.0.0.1:{self.before.port}", json.loads(seeded), self.push_service)
        self.traffic.start()
        time.sleep(QUIET_SECONDS)  # a process's first requests are slow by themselves
        with Waits(self.home.database_url) as self.waits:
            with self.phase("before"):
                time.sleep(QUIET_SECONDS)
            with self.phase(MIGRATING):
                seconds = self.migrate()
            with self.phase("the code before on the new tables"):
                time.sleep(QUIET_SECONDS)
            with self.phase("taking over"):
                self.take_over()
            with self.phase("after"):
                time.sleep(QUIET_SECONDS)
        self.traffic.stop()
        books, wrong = reckon(self.traffic, self.push_service, self.home.database_url)
        self.wrong += [*wrong, *self.after.ledger()]
        for part in ("web", *PARTS):
            self.after.stop(part)
        self.wrong += [*self.before.complaints(), *self.after.complaints()]
        return {
            "migrate_seconds": round(seconds, 1),
            "books": books,
            "phases": self.phases,
            "wrong": self.wrong,
        }

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        print(f"  {name} …", flush=True)
        self.waits.forget()
        began = time.monotonic()
        yield
        took = [one for one in list(self.traffic.requests) if one.ended >= began]
        self.phases.append(
            {"phase": name, **spread(took), "longest_wait_ms": round(1000 * self.waits.longest)}
        )
        if failed := [one for one in took if one.said]:
            first = failed[0]
            self.wrong.append(f"{name}: {len(failed)} failed, {first.kind} with {first.status}: {first.said}")
        longest = max(one.ended - one.began for one in took)
        if name == MIGRATING and max(longest, self.waits.longest) > LONGEST_REQUEST:
            self.wrong.append(f"{name}: a request took {longest:.1f} s, a wait {self.waits.longest:.1f} s")

    def migrate(self) -> float:
        others = InTheWay(self.home.database_url, IN_THE_WAY)
        others.start()
        began = time.monotonic()
        print(self.after.run("manage.py", "migrate", "--no-input"), flush=True)
        seconds = time.monotonic() - began
        others.join()
        return seconds

    def take_over(self) -> None:
        """As in docs/operations.md: first the workers and beat, then the web."""
        for part in PARTS:
            self.after.start(part)
            self.before.stop(part)
        self.after.start("web")
        self.traffic.url = f"http://127.0.0.1:{self.after.port}"
        time.sleep(1)  # what was asked of the other one is answered
        self.before.stop("web")


def spread(requests: list[Request]) -> dict[str, object]:
    took = [1000 * (one.ended - one.began) for one in requests]
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    longest = max(requests, key=lambda one: one.ended - one.began)
    return {
        "requests": len(took),
        "failed": sum(bool(one.said) for one in requests),
        "p50_ms": round(cuts[49]),
        "p99_ms": round(cuts[98]),
        "longest_ms": round(max(took)),
        "longest_is": longest.kind,
    }


def tell(figures: dict[str, Any]) -> None:
    phases = figures["phases"]
    print(f"\nmigrate took {figures['migrate_seconds']} s. Meanwhile: {figures['books']}.")
    report.table(list(phases[0]), [list(one.values()) for one in phases])
    for what in figures["wrong"]:
        print(f"Wrong: {what}")


if __name__ == "__main__":
    sys.exit(main())
