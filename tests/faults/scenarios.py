"""The stretches of a run: each lets traffic flow, breaks something, waits until all is settled, and reckons."""

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection

from signalize_console.embedded.processes import last_lines
from tests.faults import reckoning
from tests.faults.kills import Killer, count
from tests.faults.reckoning import WINDOW, Books, Watcher
from tests.faults.system import STOPPED, WORKERS, System, state_of, wait_until
from tests.faults.traffic import Traffic

# Shorter than a lease: what was lost with one worker isn't lost again with the next. A shop's worker doesn't
# die twice a second.
BURST_SECONDS = 27.0
# Longer than a lease: the worker wakes when all that it held has been taken over.
ASLEEP_SECONDS = 35.0


@dataclass
class Figures:
    """Of one kind of fault. ``wrong`` is empty when every promise was kept."""

    what: str
    faults: int = 0
    counted: int = 0
    deliveries: int = 0
    lost: int = 0
    marketing_twice: int = 0
    transactional_twice: int = 0
    unknown: int = 0
    most_uncertain: int = 0
    recovery: float = 0.0
    snapshots: int = 0
    snapshots_a_second: float = 0.0
    unreached: list[str] = field(default_factory=list)
    by_kind: dict[str, int] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


class Run:
    """``recovery_limit`` is how many seconds after a kill all must be taken over: the lease and a look."""

    def __init__(self, system: System, seed: int, say: Callable[[str], None], recovery_limit: float) -> None:
        self.system, self.seed, self.say, self.recovery_limit = system, seed, say, recovery_limit
        self.traffic = Traffic(system)
        self.watcher = Watcher()

    @contextlib.contextmanager
    def stretch(self, figures: Figures, *, settle: float = 120) -> Iterator[list[int]]:
        """Traffic flows inside; then it settles and is reckoned. Yields the processes that were killed."""
        killed: list[int] = []
        self.outages: list[float] = []
        reckoning.forget(self.system, self.traffic)
        self.system.wait_for_workers()
        before = self.watcher.snapshots
        with self.watcher:
            self.traffic.start()
            self._warm_up()
            yield killed
            self.traffic.stop()
            self._settle(figures, settle)
        books = reckoning.reckon(self.system, self.traffic, self.outages)
        _enter(figures, books)
        figures.snapshots += self.watcher.snapshots - before
        figures.snapshots_a_second = round(self.watcher.snapshots / self.watcher.seconds, 1)
        figures.wrong += [f"{name}: {one}" for name, one in self.watcher.examples.items()]
        self.watcher.examples.clear()
        if strangers := set(books.lost_with) - set(killed):
            figures.wrong.append(f"lost with nobody that was killed: {strangers}")

    def _settle(self, figures: Figures, seconds: float) -> None:
        try:
            figures.extra["settled_seconds"] = round(reckoning.settle(seconds), 1)
        except TimeoutError as error:
            for name in (*WORKERS, *self.system.beats):
                self.say(f"{name} says: {last_lines(self.system.log(name), 12)}")
            raise error

    def _warm_up(self) -> None:
        """Until each worker has sent something."""
        sql = "SELECT count(DISTINCT worker) FROM faults_claim"
        wait_until(lambda: count(sql) >= len(WORKERS), 180, "Not every worker sends.")

    def kills(self, number: int) -> Figures:
        """kill -9, in bursts. Each ends with one that dies while it takes over, and two that only sleep."""
        figures = Figures("kill -9; SIGSTOP for longer than the lease")
        figures.extra |= {"held_asleep": 0, "woken": 0, "posted_when_awake": 0}
        burst = 0
        while figures.counted < number:
            burst += 1
            killer = Killer(self.system, self.traffic, self.seed + burst)
            with self.stretch(figures) as killed:
                killer.run(time.monotonic() + BURST_SECONDS)
                asleep = [self._put_to_sleep(kind) for kind in ("marketing", "transactional")]
                slept_at = time.monotonic()
                self.traffic.stop()
                killer.at_point("reclaiming", patience=40)
                killer.give_up()
                time.sleep(max(0.0, slept_at + ASLEEP_SECONDS - time.monotonic()))
                self._settle(figures, 120)
                self._wake(figures, asleep)
                killer.confirm()
                killed += [*asleep, *(kill.pid for kill in killer.kills)]
            self._enter_kills(figures, killer)
            self.say(f"{_bar(figures.counted, number)} lost {figures.lost}, twice {figures.marketing_twice}")
        if figures.recovery > self.recovery_limit:
            figures.wrong.append(f"{figures.recovery:.1f} s until what a worker held was taken over")
        if not figures.extra["woken"]:
            figures.wrong.append("No worker that had slept for longer than its lease woke again.")
        return figures

    @staticmethod
    def _enter_kills(figures: Figures, killer: Killer) -> None:
        figures.faults += len(killer.kills)
        figures.unreached += killer.unreached
        for kill in killer.kills:
            figures.counted += kill.counts
            if kill.counts:
                figures.by_kind[kill.what] = figures.by_kind.get(kill.what, 0) + 1
            if taken_over := figures.extra["taken_over_at"].get(kill.pid):
                figures.recovery = max(figures.recovery, taken_over - kill.at)

    def _put_to_sleep(self, kind: str) -> int:
        """A worker process of this class, between its claim and its first post."""
        while True:
            self.system.arms.arm("after_claim", signal.SIGSTOP)
            pid = self.system.arms.reached("after_claim", 20)
            assert pid, "No worker claims."
            # It tells before it stops itself: a SIGCONT that comes in between would be lost, and it slept on.
            wait_until(lambda pid=pid: state_of(pid) == STOPPED, 10, f"{pid} doesn't fall asleep.")
            if any(pid in self.system.children(name) for name in WORKERS if name.startswith(kind)):
                return pid
            os.kill(pid, signal.SIGCONT)

    def _wake(self, figures: Figures, asleep: list[int]) -> None:
        """Long after others have taken over what they held: they must not post it."""
        held = [count(LOST_WITH, f"worker-{pid}") for pid in asleep]
        figures.extra["held_asleep"] += sum(held)
        if not all(held):
            figures.wrong.append("A worker fell asleep with empty hands.")
        requests = self.system.push_service.requests()
        for pid in asleep:
            # The watchdog may have ended one that took no work any more.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                figures.extra["woken"] += 1
        time.sleep(3)
        if posted := self.system.push_service.requests() - requests:
            figures.extra["posted_when_awake"] += posted
            figures.wrong.append(f"A worker posted {posted} after its lease.")

    def rolling(self, number: int) -> Figures:
        """SIGTERM to one worker after the other: nothing uncertain, nothing twice."""
        figures = Figures("SIGTERM, rolling", faults=number)
        with self.stretch(figures):
            for position in range(number):
                name = list(WORKERS)[position % len(WORKERS)]
                (child,) = self.system.children(name)[:1]
                figures.counted += bool(count(HELD_NOW, f"worker-{child}"))
                figures.recovery = max(figures.recovery, self._restart(name))
                self.system.wait_for_workers()
                time.sleep(1.0)
        if figures.unknown or figures.transactional_twice or figures.extra["lost_with"]:
            figures.wrong.append("A clean stop left something uncertain.")
        return figures

    def postgres(self, crashes: int, outage: float) -> Figures:
        """-m immediate, a restart, and an outage. What a worker was told before, it still knows after."""
        figures = Figures(
            f"PostgreSQL: {crashes} crashes, a restart, {outage:.0f} s away", faults=crashes + 2
        )
        with self.stretch(figures) as killed:
            ways = [(signal.SIGQUIT, 0.0)] * crashes + [(signal.SIGINT, 0.0), (signal.SIGINT, outage)]
            for how, away in ways:
                killed.extend(self._workers())
                figures.counted += bool(
                    count("SELECT count(*) FROM deliveries_delivery WHERE state = 'sending'")
                )
                process = self.system.postgres.process
                assert process
                process.send_signal(how)
                process.wait(30)
                self.outages.append(time.time())
                time.sleep(away)
                connection.close()
                self.system.postgres.start()
                figures.recovery = max(figures.recovery, self._next_post())
                time.sleep(1)
        return figures

    def broker(self, outage: float) -> Figures:
        """Killed, emptied, away: it only says "look now"."""
        figures = Figures(f"Valkey: killed, emptied, {outage:.0f} s away", faults=3)
        with self.stretch(figures):
            valkey = self.system.valkey
            for away in (0.0, outage):
                assert valkey.process
                figures.counted += bool(
                    count("SELECT count(*) FROM deliveries_delivery WHERE state = 'sending'")
                )
                valkey.process.kill()
                valkey.process.wait()
                self._accepts_without_broker(figures, away)
                valkey.start()
                figures.recovery = max(figures.recovery, self._next_post())
            self._empty_broker()
            figures.counted += 1
            figures.recovery = max(figures.recovery, self._next_post())
        if figures.transactional_twice or figures.unknown:
            figures.wrong.append("The loss of the broker left something uncertain.")
        return figures

    def _accepts_without_broker(self, figures: Figures, seconds: float) -> None:
        before = len(self.traffic.acknowledged)
        time.sleep(seconds)
        if seconds:
            figures.extra["accepted_without_broker"] = len(self.traffic.acknowledged) - before

    def _empty_broker(self) -> None:
        import redis

        with redis.Redis(unix_socket_path=str(self.system.home.valkey_socket)) as client:
            client.flushall()

    def _next_post(self) -> float:
        """Seconds until a message arrives that was not under way."""
        began = time.time()
        service = self.system.push_service
        known = {post.delivery_id for post in service.posts()}
        time.sleep(0.5)
        wait_until(
            lambda: [
                one
                for one in service.posts(len(known))
                if one.at > began + 0.5 and one.delivery_id not in known
            ],
            60,
            "Sending doesn't go on.",
        )
        return time.time() - began

    def push_service(self, rounds: int) -> Figures:
        """Answers that get lost, a storm of 503, 429, slowness, silence, connections that end."""
        figures = Figures("push service: lost answers, 503, 429, slow, silent")
        service = self.system.push_service
        with self.stretch(figures, settle=240):
            for _round in range(rounds):
                for bad in (
                    lambda: service.fail("reset", 3),
                    lambda: service.fail("close", 3),
                    lambda: service.dawdle(20),
                    lambda: service.refuse(429, {"Retry-After": "2"}, 5),
                    lambda: service.fail("hang", 2),
                    lambda: service.refuse(503, {}, 60),
                ):
                    bad()
                    figures.faults += 1
                    time.sleep(1.5)
            self._lose_answers_of_both_kinds(figures)
            service.clear_up()
            figures.counted = figures.faults
        if not (figures.unknown and figures.transactional_twice):
            figures.wrong.append("No answer was lost: nothing was shown.")
        return figures

    def in_turn(self, number: int) -> Figures:
        """Each part is restarted, one after the other, and the wire to the database cut and silent, until so many
        deliveries have gone through it."""
        system, figures = self.system, Figures("each part in turn: restarted, cut off, silent")
        figures.extra["broker"] = system.broker.name
        while figures.deliveries < number:
            with self.stretch(figures, settle=240) as killed:
                for name in (*WORKERS, *system.beats, *system.webs):
                    self._restart(name)
                    figures.faults += 1
                    time.sleep(2)
                servers = [(system.broker, signal.SIGTERM), (system.postgres, signal.SIGINT)]
                servers += [(system.pgbouncer, signal.SIGTERM)] if system.pgbouncer else []
                for server, how in servers:
                    killed.extend(self._workers())
                    assert server.process
                    server.process.send_signal(how)
                    server.process.wait(60)
                    self.outages.append(time.time())
                    connection.close()
                    server.start()
                    figures.faults += 1
                    time.sleep(3)
                if system.wire:
                    killed.extend(self._workers())
                    figures.counted += bool(system.wire.cut())
                    self.outages.append(time.time())
                    time.sleep(3)
                    system.wire.silence(4)
                    time.sleep(7)
                    figures.faults += 2
            self.say(
                f"{figures.deliveries} of {number}, lost {figures.lost}, twice {figures.marketing_twice}"
            )
        return figures

    def _restart(self, name: str) -> float:
        """Told to end, and started again by who supervises it. Returns the seconds until it had ended."""
        process, began = self.system.running[name], time.monotonic()
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: process.poll() is not None, 30, f"{name} doesn't end.")
        seconds = time.monotonic() - began
        wait_until(lambda: self.system.running[name] is not process, 5, "")
        return seconds

    def _workers(self) -> list[int]:
        return [pid for name in WORKERS for pid in self.system.children(name)]

    def _lose_answers_of_both_kinds(self, figures: Figures) -> None:
        """Until a marketing delivery is uncertain for that, and a transactional one came a second time."""
        service, end = self.system.push_service, time.monotonic() + 60
        while time.monotonic() < end:
            times = Counter(post.delivery_id for post in service.posts())
            if count(UNCERTAIN) and max(times.values()) > 1:
                return
            service.fail("reset", 3)
            figures.faults += 1
            time.sleep(1.5)


UNCERTAIN = "SELECT count(*) FROM deliveries_delivery WHERE state = 'unknown'"
LOST_WITH = (
    "SELECT count(*) FROM faults_claim JOIN faults_lost USING (delivery_id, attempts) WHERE worker = %s"
)
HELD_NOW = """
SELECT count(*) FROM faults_claim JOIN deliveries_delivery delivery
  ON delivery.id = delivery_id AND delivery.attempts = faults_claim.attempts
WHERE worker = %s AND delivery.state = 'sending'
"""


def _bar(done: int, wanted: int) -> str:
    full = min(30, 30 * done // wanted)
    return f"[{'#' * full}{'.' * (30 - full)}] {done} of {wanted} kills,"


def _enter(figures: Figures, books: Books) -> None:
    figures.deliveries += books.deliveries
    figures.lost += books.lost
    figures.marketing_twice += books.marketing_twice
    figures.transactional_twice += books.transactional_twice
    figures.unknown += books.unknown
    figures.most_uncertain = max(figures.most_uncertain, max(books.lost_with.values(), default=0))
    figures.wrong += books.wrong
    figures.extra["taken_over_at"] = books.taken_over_at
    figures.extra["lost_with"] = len(books.lost_with)
    if books.lost:
        figures.wrong.append(f"{books.lost} deliveries lost")
    if books.marketing_twice:
        figures.wrong.append(f"{books.marketing_twice} marketing deliveries posted twice")
    if figures.most_uncertain > WINDOW:
        figures.wrong.append(f"{figures.most_uncertain} uncertain deliveries of one worker process")


def plain(figures: Figures) -> dict[str, Any]:
    """For JSON."""
    facts = asdict(figures)
    facts["extra"].pop("taken_over_at", None)
    return facts
