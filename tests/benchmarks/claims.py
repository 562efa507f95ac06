"""``make bench-claims``: the ledger alone, in two forms with the same bound of 64 uncertain deliveries.

One step: what was answered is recorded and as many are claimed, in one transaction. Two steps: 500 are claimed
ahead; an intent is committed before each group is posted, and its results after. Interleaved, five rounds.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import audience, report
from tests.benchmarks.pipeline import Pipeline, made
from tests.benchmarks.sink import Sink

ROUNDS, DELIVERIES, GROUP, AHEAD = 5, 10_000, 48, 500
INTENT = """
UPDATE deliveries_delivery delivery SET lease_until = now() + interval '30 seconds'
FROM unnest(%s::bigint[], %s::date[]) AS intent (id, day)
WHERE delivery.id = intent.id AND delivery.day = intent.day AND state = 'sending'
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        home, sink_home = made(Path(directory, "console", "home")), made(Path(directory, "sink", "home"))
        with Sink(sink_home) as sink, Pipeline(home, sink) as pipeline:
            pipeline.stop_worker()
            figures = compare()
            pipeline.start_worker()
    report.table(
        ["form", "deliveries a second"],
        [["one step", figures["one_step"]], ["two steps", figures["two_steps"]]],
    )
    report.write("claims", figures)


def compare() -> dict[str, float]:
    import django

    django.setup()
    website = audience.seed(DELIVERIES)
    rates: dict[str, list[float]] = {"one_step": [], "two_steps": []}
    for _round in range(ROUNDS):
        for name, form in (("one_step", one_step), ("two_steps", two_steps)):
            rates[name].append(timed(website, form))
    medians = {name: round(statistics.median(values)) for name, values in rates.items()}
    return {**medians, "ratio": round(medians["one_step"] / medians["two_steps"], 2)}


def timed(website: object, form: Callable[[], int]) -> float:
    from signalize_console.deliveries import outbox, progress
    from tests.makers import make_message, make_text

    outbox.send(make_message(website), [make_text()])
    while progress.advance(False):
        pass
    started = time.perf_counter()
    count = form()
    seconds = time.perf_counter() - started
    progress.advance(False)
    if count != DELIVERIES:
        raise SystemExit(f"{count} instead of {DELIVERIES} deliveries went through the ledger.")
    return count / seconds


def one_step() -> int:
    from signalize_console.deliveries.ledger import Claim, Result, record_and_claim

    results: list[Result] = []
    count = 0
    while True:
        (claimed,) = record_and_claim(False, results, [Claim(GROUP)])
        if not claimed:
            return count
        results = [Result(one, "accepted", "accepted", status=201) for one in claimed]
        count += len(claimed)


def two_steps() -> int:
    from django.db import connection

    from signalize_console.deliveries.ledger import Claim, Result, record_and_claim

    count = 0
    while True:
        (ahead,) = record_and_claim(False, [], [Claim(AHEAD)])
        if not ahead:
            return count
        for start in range(0, len(ahead), GROUP):
            group = ahead[start : start + GROUP]
            with connection.cursor() as cursor:
                cursor.execute(INTENT, [[one.id for one in group], [one.day for one in group]])
            record_and_claim(False, [Result(one, "accepted", "accepted", status=201) for one in group], [])
            count += len(group)


if __name__ == "__main__":
    main()
