"""``make bench-sizes``: what a recipient, a delivery and a report take: bytes, write-ahead log, and time of cores.

One message to 100,000 (SCALE) through a worker as in production, then "shown" of half of them through the web. Rows
stand as the engine leaves them, after a plain VACUUM. The figures of docs/operations.md, "How much machine".
"""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks import audience, beacons, report
from tests.benchmarks.offering import offer
from tests.benchmarks.pipeline import Pipeline, made
from tests.benchmarks.sink import Sink
from tests.web import Web

RECIPIENTS = int(os.environ.get("SCALE", "100000"))
REPORTS_A_SECOND = 300
# As long as those of FCM and Mozilla; sha256 as ever.
ENDPOINTS = """
UPDATE recipients_subscription SET endpoint = endpoint || repeat('-' || md5(id::text), 4);
UPDATE recipients_subscription SET endpoint_hash = sha256(endpoint::bytea);
VACUUM FULL recipients_subscription; VACUUM FULL recipients_recipient; ANALYZE
"""
SIZE = """
SELECT sum(pg_total_relation_size(relid))::bigint, sum(pg_indexes_size(relid))::bigint
FROM (SELECT relid FROM pg_partition_tree(%(table)s) UNION SELECT %(table)s::regclass) one
"""
TABLES = {
    "recipient": "recipients_recipient",
    "subscription": "recipients_subscription",
    "delivery": "deliveries_delivery",
    "event": "activity_event",
}


def main() -> None:
    os.environ["SIGNALIZE_TRUSTED_PROXIES"] = "1"
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        place = Path(directory, "sizes")
        with Sink(made(place / "sink")) as sink, Pipeline(made(place / "home"), sink) as pipeline:
            figures = measure(pipeline)
    tell(figures)
    report.write("sizes", figures)


def measure(pipeline: Pipeline) -> dict[str, Any]:
    import django

    django.setup()
    audience.seed(RECIPIENTS)
    run(*ENDPOINTS.split(";"))
    beacons.DELIVERIES = RECIPIENTS
    with Used(pipeline) as sent:
        beacons.send_to_everyone()
    reports = beacons.reports(RECIPIENTS // 2)
    with Web() as web:
        before = web.cpu_seconds()
        with Used(pipeline) as reported:
            asyncio.run(offer(web.port, iter(reports), REPORTS_A_SECOND, len(reports) / REPORTS_A_SECOND))
        web_cpu = web.cpu_seconds() - before
    stored = beacons.stored()
    run("VACUUM")
    rows = {"delivery": RECIPIENTS, "event": stored}
    return {
        "recipients": RECIPIENTS,
        "rows": {name: size(table, rows.get(name, RECIPIENTS)) for name, table in TABLES.items()},
        "a_delivery": sent.each(RECIPIENTS),
        "a_report": {**reported.each(stored), "web_us": round(1e6 * web_cpu / stored)},
    }


class Used:
    """What a block of code uses: bytes of write-ahead log, and CPU seconds of the worker and of PostgreSQL."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline

    def __enter__(self) -> "Used":
        run("CHECKPOINT")
        self.began = self.now()
        return self

    def __exit__(self, *_error: object) -> None:
        self.took = [end - begin for begin, end in zip(self.began, self.now(), strict=True)]

    def now(self) -> tuple[float, float, float]:
        written = run("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return float(written), self.pipeline.cpu_seconds(), self.pipeline.postgres_cpu_seconds()

    def each(self, count: int) -> dict[str, int]:
        wal, worker, postgres = self.took
        return {
            "wal_bytes": round(wal / count),
            "worker_us": round(1e6 * worker / count),
            "postgres_us": round(1e6 * postgres / count),
        }


def run(*statements: str) -> Any:
    """Runs them, each by itself; the last one's only value, if it has one."""
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def size(table: str, rows: int) -> dict[str, float]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(SIZE, {"table": table})
        whole, indexes = cursor.fetchone()
    return {"bytes": round(whole / rows), "indexes": round(indexes / whole, 2)}


def tell(figures: dict[str, Any]) -> None:
    report.table(
        ["a row of", "bytes", "of it indexes"],
        [[name, one["bytes"], f"{one['indexes']:.0%}"] for name, one in figures["rows"].items()],
    )
    print()
    report.table(
        ["each", "WAL bytes", "worker's CPU µs", "web's CPU µs", "PostgreSQL's CPU µs"],
        [
            [name, one["wal_bytes"], one["worker_us"], one.get("web_us", 0), one["postgres_us"]]
            for name, one in (("delivery", figures["a_delivery"]), ("report", figures["a_report"]))
        ],
    )


if __name__ == "__main__":
    main()
