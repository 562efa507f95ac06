"""``make outages``: as on several machines, with each part restarted in turn. Over Valkey; or over RabbitMQ and
PgBouncer."""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import report

BROKERS = ("valkey", "rabbitmq")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.spread", description=__doc__)
    parser.add_argument("broker", choices=BROKERS)
    parser.add_argument("--deliveries", type=int, default=200_000)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="spread-") as directory:
        figures = run(Path(directory), given)
    figures["seconds"] = round(time.monotonic() - started)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2))
    else:
        report.write(f"outages-{given.broker}", figures)
    for name, value in figures.items():
        print(f"{name}: {value}")
    return bool(figures["wrong"])


def run(directory: Path, given: argparse.Namespace) -> dict[str, object]:
    from tests.faults.system import System

    with System(directory, spread=True, others=given.broker == "rabbitmq") as system:
        import django

        django.setup()
        from tests.faults.scenarios import Run, plain

        say = lambda text: print(f"  {text}", flush=True)  # noqa: E731
        figures = Run(system, random.randrange(10**6), say, 60.0).in_turn(given.deliveries)
        done = subprocess.run(
            [sys.executable, "manage.py", "verify_ledger"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            figures.wrong.append(done.stdout + done.stderr)
        return dict(plain(figures))


if __name__ == "__main__":
    sys.exit(main())
