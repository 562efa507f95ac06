"""How long accepting, claiming and posting take: histograms over all processes on all machines, in one table.

A process counts in its memory and adds that to the table every few seconds; the rows are as many as there are
kinds, classes, push services and buckets, and are never reset. What a process counted in its last seconds
is lost.
"""

import bisect
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db import connection, models

# The longest time that a bucket counts, in seconds; one more bucket takes what took longer.
BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, float("inf"))
# Always in the same order: several processes add at once.
ADD = """
INSERT INTO deliveries_latency AS known (kind, transactional, push_service, at_most, count, seconds)
SELECT * FROM unnest(%s::text[], %s::bool[], %s::text[], %s::float[], %s::bigint[], %s::float[])
ORDER BY 1, 2, 3, 4
ON CONFLICT (kind, transactional, push_service, at_most) DO UPDATE
SET count = known.count + excluded.count, seconds = known.seconds + excluded.seconds
"""
READ = """
SELECT kind, transactional, push_service, array_agg(at_most), array_agg(count)::bigint[], sum(seconds)
FROM deliveries_latency GROUP BY kind, transactional, push_service ORDER BY 1, 2, 3
"""


class LatencyKind(StrEnum):
    """A call of the API that was accepted; a transaction that claimed; a request that was answered."""

    ACCEPT = "accept"
    CLAIM = "claim"
    POST = "post"


class Latency(models.Model):
    """A bucket: so many took at most so long, and longer than the bucket before; ``seconds`` in sum."""

    kind = models.CharField(max_length=8)
    transactional = models.BooleanField()
    push_service = models.CharField(max_length=16)
    at_most = models.FloatField()
    count = models.BigIntegerField()
    seconds = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "transactional", "push_service", "at_most"], name="one_latency_a_bucket"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.push_service} {self.at_most}"


Key = tuple[str, bool, str, float]


class Stopwatch:
    """What this process has counted and not added yet. Its threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: dict[Key, tuple[int, float]] = {}

    def note(self, kind: LatencyKind, seconds: float, *, transactional: bool, push_service: str = "") -> None:
        at_most = BOUNDS[bisect.bisect_left(BOUNDS, seconds)]
        key = (kind.value, transactional, push_service, at_most)
        with self._lock:
            count, total = self._counted.get(key, (0, 0.0))
            self._counted[key] = (count + 1, total + seconds)

    def add(self) -> None:
        """Adds what was counted to the table. Where the database fails it is lost: it isn't worth a wait."""
        with self._lock:
            counted, self._counted = self._counted, {}
        if counted:
            rows: list[Sequence[object]] = [(*key, *sums) for key, sums in counted.items()]
            with connection.cursor() as cursor:
                cursor.execute(ADD, [list(column) for column in zip(*rows, strict=True)])


stopwatch = Stopwatch()


@dataclass(frozen=True)
class Histogram:
    """``counts``: for each of BOUNDS, how many took at most so long. ``seconds`` is the sum of all."""

    kind: str
    transactional: bool
    push_service: str
    counts: Sequence[int]
    seconds: float


def read() -> list[Histogram]:
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return [
            Histogram(kind, transactional, service, _cumulated(limits, counts), seconds)
            for kind, transactional, service, limits, counts, seconds in cursor.fetchall()
        ]


def _cumulated(limits: Sequence[float], counts: Sequence[int]) -> list[int]:
    both = [*zip(limits, counts, strict=True)]
    return [sum(count for limit, count in both if limit <= bound) for bound in BOUNDS]
