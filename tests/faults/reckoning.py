"""What must hold: in every snapshot while it happens, and in the books of both sides when it is over."""

import collections
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from django.db import DatabaseError, InterfaceError, connection

from signalize_console.deliveries import invariants
from tests.faults.system import System, wait_until
from tests.faults.traffic import AUDIENCE, Traffic

WINDOW = 64
OPEN = """
SELECT (SELECT count(*) FROM deliveries_delivery WHERE state IN ('pending', 'sending'))
     + (SELECT count(*) FROM messaging_pushmessage WHERE state NOT IN ('finished', 'cancelled'))
"""
STILL_OPEN = """
SELECT message.transactional, message.state, message.due_at - now(), delivery.state, delivery.reason,
    count(*), min(delivery.due_at - now()), min(delivery.lease_until - now()),
    (SELECT count(*) FROM deliveries_alert WHERE ended_at IS NULL)
FROM messaging_pushmessage message LEFT JOIN deliveries_delivery delivery
  ON delivery.push_message_id = message.id AND delivery.state IN ('pending', 'sending')
WHERE message.state NOT IN ('finished', 'cancelled') OR delivery.id IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
"""
# Of each worker process: how many of its deliveries one fault left uncertain, and when the last was taken over.
# It may live through several faults; ``outages`` are their moments.
LOST_WITH = """
SELECT worker, max(lost), max(taken_over_at) FROM (
    SELECT worker, count(*) AS lost, max(extract(epoch FROM at)) AS taken_over_at
    FROM faults_lost JOIN faults_claim USING (delivery_id, attempts)
    GROUP BY worker, width_bucket(extract(epoch FROM claimed_at)::float8, %s::float8[])
) by_fault GROUP BY worker
"""
BOOKS = """
SELECT delivery.id, message.transactional, delivery.state, delivery.reason
FROM deliveries_delivery delivery JOIN messaging_pushmessage message
  ON message.id = delivery.push_message_id AND message.day = delivery.day
"""
FORGET = """
TRUNCATE messaging_pushmessage, deliveries_delivery, deliveries_attempt, activity_event, deliveries_alert,
    deliveries_tally, faults_claim, faults_lost, faults_changed CASCADE
"""


# The sums and the leases in every snapshot, all the rest in every fifth.
QUICK = [
    check
    for check in invariants.CHECKS
    if check.name in {"total", "lease", "open_after_end", "no_appointment", "unknown_transactional"}
]


class Watcher:
    """Checks the invariants ten times a second in a thread of its own, as a context manager."""

    def __init__(self) -> None:
        self.snapshots, self.violations = 0, collections.Counter[str]()
        self.examples: dict[str, str] = {}
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._started = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()
        self.seconds += time.monotonic() - self._started

    def _watch(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                checks = QUICK if self.snapshots % 5 else invariants.CHECKS
                for violation in invariants.violations(checks=checks):
                    self.violations[violation.check.name] += 1
                    self.examples.setdefault(violation.check.name, str(violation))
                self.snapshots += 1
            except (DatabaseError, InterfaceError):
                connection.close()  # down: nothing can be seen
            self._stop.wait(max(0.0, 0.09 - (time.monotonic() - began)))
        connection.close()


@dataclass
class Books:
    """What a stretch of traffic came to. ``lost_with`` has for each worker process the most that one fault left."""

    deliveries: int = 0
    posts: int = 0
    lost: int = 0
    marketing_twice: int = 0
    transactional_twice: int = 0
    unknown: int = 0
    wrong: list[str] = field(default_factory=list)
    lost_with: dict[int, int] = field(default_factory=dict)
    taken_over_at: dict[int, float] = field(default_factory=dict)


def settle(seconds: float = 120) -> float:
    """Waits until nothing is open. Returns the seconds that it took."""
    started = time.monotonic()

    def is_done() -> bool:
        try:
            with connection.cursor() as cursor:
                cursor.execute(OPEN)
                return bool(cursor.fetchone()[0] == 0)
        except (DatabaseError, InterfaceError):
            connection.close()
            return False

    try:
        wait_until(is_done, seconds, "")
    except TimeoutError:
        with connection.cursor() as cursor:
            cursor.execute(STILL_OPEN)
            raise TimeoutError(f"Not everything came to an end: {cursor.fetchall()}") from None
    return time.monotonic() - started


def reckon(system: System, traffic: Traffic, outages: Sequence[float]) -> Books:
    """Compares the ledger of the push service with ours, the shops' and the browsers'."""
    books = Books()
    posts = collections.Counter(post.delivery_id for post in system.push_service.posts())
    books.posts = posts.total()
    states = collections.Counter[tuple[bool, str, str]]()
    with connection.cursor() as cursor:
        cursor.execute(BOOKS)
        for delivery, transactional, state, reason in cursor.fetchall():
            books.deliveries += 1
            states[transactional, state, reason if state != "accepted" else ""] += 1
            times = posts.pop(delivery, 0)
            if transactional:
                books.transactional_twice += max(0, times - 1)
                books.lost += times == 0 or state != "accepted"
            else:
                books.marketing_twice += max(0, times - 1)
                books.unknown += state == "unknown"
                books.lost += state not in {"accepted", "unknown"} or (state == "accepted" and not times)
        cursor.execute(LOST_WITH, [list(outages)])
        for worker, count, at in cursor.fetchall():
            pid = int(worker.rpartition("-")[2])
            books.lost_with[pid], books.taken_over_at[pid] = count, float(at)
        _check(books, traffic, cursor)
    if posts:
        books.wrong.append(f"{len(posts)} posts of deliveries that don't exist")
    if rejected := system.push_service.rejected():
        books.wrong.append(f"The push service refused {len(rejected)}: {rejected[0]}")
    if books.lost or books.marketing_twice:
        books.wrong.append(f"{dict(states)}")
    return books


def _check(books: Books, traffic: Traffic, cursor: object) -> None:
    def ask(sql: str) -> list[tuple[object, ...]]:
        cursor.execute(sql)  # type: ignore[attr-defined]
        return list(cursor.fetchall())  # type: ignore[attr-defined]

    expected = {
        "messages of shops": (
            sorted(traffic.acknowledged.values()),
            [one for (one,) in ask("SELECT id FROM messaging_pushmessage WHERE transactional ORDER BY id")],
        ),
        "messages to everyone": (
            [(one, AUDIENCE) for one in sorted(traffic.marketing)],
            ask("SELECT id, total FROM messaging_pushmessage WHERE NOT transactional ORDER BY id"),
        ),
        "reports": (
            sorted(int(token.split(".")[0]) for token in traffic.reported),
            [one for (one,) in ask("SELECT delivery_id FROM activity_event ORDER BY 1")],
        ),
        "ended deliveries that changed": ([], ask("SELECT * FROM faults_changed")),
    }
    for what, (ours, theirs) in expected.items():
        if ours != theirs:
            books.wrong.append(f"{what}: {len(ours)} acknowledged, {len(theirs)} stored")


def forget(system: System, traffic: Traffic) -> None:
    """A new page, so that looking at it stays quick."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET)
    system.push_service.forget()
    traffic.forget()
