"""kill -9 of worker children, worker parents, web and beat: at random moments and at named points."""

import contextlib
import os
import random
import signal
import time
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, connection

from tests.faults.crashing import POINTS
from tests.faults.system import DEAD, STOPPED, WORKERS, System, state_of, wait_until
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
# Of ten looks a second: how many arm a point, and how many of the kills hit another than a sender.
ARMING, PARENTS = 1 / 10, 1 / 7


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
        self.purged_at = 0.0
        self.unreached: list[str] = []

    def run(self, until: float) -> None:
        """As many as it finds before ``until`` (monotonic). Now and then a point is armed for whoever comes."""
        points = self.random.sample(POINTS, len(POINTS))
        points.remove("reclaiming")  # comes when the first lease is over
        while time.monotonic() < until:
            if points and self.random.random() < ARMING:
                self._arm(points.pop())
            self.at_random()
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

    def at_random(self) -> None:
        """A process that has something in its hands, if any has. Some are no senders: their parents, web and beat."""
        victims = [
            (name, pid) for name in WORKERS for pid in self._living(name) if count(HELD, f"worker-{pid}")
        ]
        if not victims:
            return
        if self.random.random() < PARENTS:
            self._kill_parent(self.random.choice(["web", "beat", *WORKERS]))
        else:
            self._kill_frozen(*self.random.choice(victims))

    def _living(self, name: str) -> list[int]:
        """Its children. Who was killed stays among them until the parent looks, some seconds later."""
        return [pid for pid in self.system.children(name) if state_of(pid) not in DEAD]

    def _kill_frozen(self, name: str, pid: int) -> None:
        """Frozen first, so that what is counted as in flight is what dies with it; unless it is dead already."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: state_of(pid) in {*DEAD, STOPPED}, 10, f"{pid} doesn't stop.")
            if state_of(pid) == STOPPED:
                held = count(HELD, f"worker-{pid}")
                os.kill(pid, signal.SIGKILL)
                self.kills.append(Kill(name, pid, time.time(), held))

    def _kill_parent(self, name: str) -> None:
        """With its whole group, as the kernel does to a service that takes too much memory."""
        process = self.system.running[name]
        children = self._living(name)
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

    def _collect(self) -> None:
        """Who died at a point: a web server had a request in its hands there, by what the point is."""
        if "purging" in self.armed:
            self._purge()
        for point in list(self.armed):
            if (pid := self.system.arms.reached(point, 0, disarm=False)) == 0:
                continue
            self.armed.remove(point)
            in_flight = 1 if point in WEB_POINTS else count(HELD, f"worker-{pid}")
            at = self.system.arms.reached_at(point)
            self.kills.append(Kill(f"at {point}", pid, at, in_flight))

    def _purge(self) -> None:
        """Every other second: a task that waits in a worker is lost with it."""
        from signalize_console.celery import app

        if time.monotonic() < self.purged_at + 2.0:
            return
        self.purged_at = time.monotonic()
        with contextlib.suppress(Exception):
            app.send_task("deliveries.clean_up", queue="maintenance", retry=False)

    def confirm(self) -> None:
        """A kill counts if its process ended with −9 and something was in its hands: once for each process."""
        counted = set[int]()
        for kill in self.kills:
            kill.counts = bool(kill.in_flight) and kill.pid not in counted and self._ended(kill)
            if kill.counts:
                counted.add(kill.pid)

    def _ended(self, kill: Kill) -> bool:
        if kill.what.removeprefix("at ") in WEB_POINTS:
            return not os.path.exists(f"/proc/{kill.pid}")
        return self.system.died_of_9(kill.pid)
