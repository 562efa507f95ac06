"""``make faults``: a thousand kills and everything else that may happen; ends with 1 if a promise is broken."""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import report

SCENARIOS = ("kills", "rolling", "postgres", "broker", "push_service")
# What one kill takes, its share of the waiting for leases included, as measured.
SECONDS_A_KILL = 1.8
LEAST_SNAPSHOTS = 50


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "scenarios", nargs="*", default=SCENARIOS, metavar="scenario", help=", ".join(SCENARIOS)
    )
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--brief", action="store_true", help="few of everything else, as make test has it")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="of the moments and victims"
    )
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    expected = given.kills * SECONDS_A_KILL * ("kills" in given.scenarios) + (150 if given.brief else 700)
    print(f"About {expected / 60:.0f} minutes. Seed {given.seed}.", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as directory:
        figures = run(Path(directory), given)
    facts = {"seed": given.seed, "seconds": round(time.monotonic() - started), "scenarios": figures}
    tell(figures)
    if given.json:
        given.json.write_text(json.dumps(facts, indent=2))
    else:
        report.write("faults", facts)
    wrong = [f"{name}: {one}" for name, facts in figures.items() for one in facts["wrong"]]
    print("\n".join(wrong) or "Every promise was kept.")
    return bool(wrong)


def run(directory: Path, given: argparse.Namespace) -> dict[str, dict[str, object]]:
    from tests.faults.system import System

    with System(directory) as system:
        import django

        django.setup()
        from tests.faults.scenarios import Run, plain

        say = lambda text: print(f"  {text}", flush=True)  # noqa: E731
        run = Run(system, given.seed, say, 45.0 if given.brief else 35.0)
        scenarios = {
            "kills": lambda: run.kills(given.kills),
            "rolling": lambda: run.rolling(4 if given.brief else 50),
            "postgres": lambda: run.postgres(2 if given.brief else 12, 4 if given.brief else 30),
            "broker": lambda: run.broker(4 if given.brief else 30),
            "push_service": lambda: run.push_service(1 if given.brief else 10),
        }
        figures = {}
        for name in given.scenarios:
            began = time.monotonic()
            done = scenarios[name]()
            if done.snapshots < LEAST_SNAPSHOTS:
                done.wrong.append(f"only {done.snapshots} snapshots were looked at")
            if name == "kills" and not (done.unknown or done.transactional_twice):
                done.wrong.append("no kill left anything uncertain: they hit nothing")
            figures[name] = {**plain(done), "seconds": round(time.monotonic() - began)}
            print(f"{done.what}: {figures[name]['seconds']} s", flush=True)
    return figures


def tell(figures: dict[str, dict[str, object]]) -> None:
    columns = {
        "faults": "faults",
        "counted": "hit work",
        "deliveries": "deliveries",
        "lost": "lost",
        "marketing_twice": "marketing twice",
        "transactional_twice": "transactional twice",
        "unknown": "unknown",
        "most_uncertain": "most of one worker",
        "recovery": "recovery s",
        "snapshots": "snapshots",
    }
    rows = [
        [facts["what"], *(round(facts[one], 1) if one == "recovery" else facts[one] for one in columns)]  # type: ignore[call-overload]
        for facts in figures.values()
    ]
    report.table(["fault", *columns.values()], rows)


if __name__ == "__main__":
    sys.exit(main())
