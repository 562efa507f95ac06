"""kill -9 of worker children, worker parents, web and beat: at random moments and at named points."""

import contextlib
import os
import random
import signal
import time
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, connection

from tests.faults.crashing import POINTS
from tests.faults.system import WORKERS, System, wait_until
from tests.faults.traffic import Traffic

HELD = """
SELECT count(*) FROM faults_claim JOIN deliveries_delivery delivery
  ON delivery.id = delivery_id AND delivery.attempts = faults_claim.attempts
WHERE worker = %s AND delivery.state = 'sending'
"""
SENDING = "SELECT count(*) FROM deliveries_delivery WHERE state = 'sending'"
WEB_POINTS = {"api_before_commit", "api_after_commit", "reporting"}
# A task for maintenance waits until a worker has ended its run of 20 seconds.
PATIENCE = 25.0


@dataclass
class Kill:
    """``in_flight``: deliveries in the hands of a killed worker; open requests of a killed web server."""

    what: str
    pid: int
    at: float
    in_flight: int
    counts: bool = False


def count(sql: str, *values: object) -> int:
    """0 while there is no database."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return int(cursor.fetchone()[0])
    except (DatabaseError, InterfaceError):
        connection.close()
        return 0


class Killer:
    def __init__(self, system: System, traffic: Traffic, seed: int) -> None:
        self.system, self.traffic = system, traffic
        self.random = random.Random(seed)
        self.kills: list[Kill] = []
        self.armed: list[str] = []
        self.unreached: list[str] = []

    def run(self, number: int, until: float) -> None:
        """Up to so many, all before ``until`` (monotonic). Now and then a point is armed for whoever comes."""
        points = self.random.sample(POINTS, len(POINTS))
        points.remove("reclaiming")  # comes when the first lease is over
        for position in range(number):
            if time.monotonic() > until:
                break
            if position % 3 == 0 and points:
                self._arm(points.pop())
            self.at_random(position)
            self._collect()
            time.sleep(self.random.uniform(0.0, 0.2))
        for point in points:
            self._arm(point)
        end = time.monotonic() + PATIENCE
        while self.armed and time.monotonic() < end:
            self._collect()
            time.sleep(0.05)

    def give_up(self) -> None:
        """Nobody came there."""
        for point in self.armed:
            if not self.system.arms.reached(point, 0):
                self.unreached.append(point)
        self.armed.clear()

    def at_random(self, position: int) -> None:
        """Each seventh is not a sender: its parent, the web or beat."""
        if position % 7 == 3:
            name = self.random.choice(["web", "beat", *WORKERS])
            self._kill_parent(name)
        else:
            name = self.random.choice(list(WORKERS))
            for pid in self.system.children(name)[:1]:
                self._kill_frozen(name, pid)

    def _kill_frozen(self, name: str, pid: int) -> None:
        """Frozen first, so that what is counted as in flight is what dies with it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            held = count(HELD, f"worker-{pid}")
            os.kill(pid, signal.SIGKILL)
            self.kills.append(Kill(name, pid, time.time(), held))

    def _kill_parent(self, name: str) -> None:
        """With its whole group, as the kernel does to a service that takes too much memory."""
        process = self.system.running[name]
        children = self.system.children(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGSTOP)
            if name == "web":
                in_flight = self.traffic.open_requests
            elif name == "beat":
                in_flight = count(SENDING)
            else:
                in_flight = sum(count(HELD, f"worker-{pid}") for pid in children)
            os.killpg(process.pid, signal.SIGKILL)
            # What its child held is the child's; it has no parent any more that could tell of its end.
            self.kills += [Kill(f"{name} (group)", one, time.time(), 0) for one in children]
            self.kills.append(Kill(f"{name} (parent)", process.pid, time.time(), in_flight))

    def at_point(self, point: str, patience: float) -> None:
        """Waits for somebody to die there."""
        self._arm(point)
        self.system.arms.reached(point, patience)
        self._collect()

    def _arm(self, point: str) -> None:
        self.armed.append(point)
        self.system.arms.arm(point)
        if point == "purging":
            self._purge()

    def _collect(self) -> None:
        """Who died at a point: a web server had a request in its hands there, by what the point is."""
        for point in list(self.armed):
            if (pid := self.system.arms.reached(point, 0, disarm=False)) == 0:
                continue
            self.armed.remove(point)
            in_flight = 1 if point in WEB_POINTS else count(HELD, f"worker-{pid}")
            at = self.system.arms.reached_at(point)
            self.kills.append(Kill(f"at {point}", pid, at, in_flight))

    @staticmethod
    def _purge() -> None:
        from signalize_console.celery import app

        with contextlib.suppress(Exception):
            app.send_task("deliveries.clean_up", queue="maintenance", retry=False)

    def confirm(self) -> None:
        """A kill counts if its process ended with −9 and something was in its hands."""
        for kill in self.kills:
            if kill.counts or not kill.in_flight:
                continue
            with contextlib.suppress(TimeoutError):
                wait_until(lambda kill=kill: self._ended(kill), 5, "")  # type: ignore[misc]
                kill.counts = True

    def _ended(self, kill: Kill) -> bool:
        if kill.what.removeprefix("at ") in WEB_POINTS:
            return not os.path.exists(f"/proc/{kill.pid}")
        return self.system.died_of_9(kill.pid)
