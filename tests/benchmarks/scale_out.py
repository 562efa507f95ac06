"""``make bench-scale-out``: one, two and four worker processes over one database and broker.

Once with a push service that answers at once, where the cores are the limit; once with one that takes 200 ms, where
the 64 uncertain deliveries of a process are. What a delivery costs the worker and PostgreSQL says what more machines give.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks import report
from tests.benchmarks.pipeline import Pipeline, made
from tests.benchmarks.send import median, seed, through
from tests.benchmarks.sink import Sink

PROCESSES, ROUNDS = (1, 2, 4), 3
# Milliseconds that the push service takes, and how many deliveries are sent in a round.
CASES = {0: 20_000, 200: 16_000}


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        for milliseconds in CASES:
            place = Path(directory, f"after-{milliseconds}")
            # In a process of its own: settings are read once.
            rerun = [sys.executable, "-m", "tests.benchmarks.scale_out", str(milliseconds), str(place)]
            subprocess.run(rerun, check=True, env={**os.environ, "PYTHONPATH": "."})
            rows += json.loads((place / "rows.json").read_text())
    headings = {
        "milliseconds": "answers after ms",
        "processes": "processes",
        "per_second": "per second",
        "efficiency": "efficiency",
        "worker_us": "worker's CPU µs each",
        "postgres_us": "PostgreSQL's CPU µs each",
    }
    report.table(list(headings.values()), [[row[name] for name in headings] for row in rows])
    report.write("scale-out", {"cores": os.cpu_count(), "rounds": ROUNDS, "rows": rows})


def measure(milliseconds: int, place: Path) -> list[dict[str, Any]]:
    count = CASES[milliseconds]
    with (
        Sink(made(place / "sink"), milliseconds / 1000) as sink,
        Pipeline(made(place / "home"), sink) as pipeline,
    ):
        seed(count)
        measured: dict[int, list[tuple[float, float, float]]] = {processes: [] for processes in PROCESSES}
        for _round in range(ROUNDS):
            for processes, rounds in measured.items():
                pipeline.stop_worker()
                pipeline.start_worker(processes)
                before = pipeline.postgres_cpu_seconds()
                per_second, cpu = through(pipeline, count)
                used = pipeline.postgres_cpu_seconds() - before
                rounds.append((per_second, cpu, 1e6 * used / count))
    alone = median(measured[1], 0)
    return [
        {
            "milliseconds": milliseconds,
            "processes": processes,
            "per_second": round(median(rounds, 0)),
            "efficiency": round(median(rounds, 0) / alone / processes, 2),
            "worker_us": round(median(rounds, 1)),
            "postgres_us": round(median(rounds, 2)),
        }
        for processes, rounds in measured.items()
    ]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        target = Path(sys.argv[2])
        (target / "rows.json").write_text(json.dumps(measure(int(sys.argv[1]), target)))
    else:
        main()
