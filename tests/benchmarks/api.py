"""``make bench-api``: how fast the REST API accepts, beside a view that only inserts one row.

The web has one core; PostgreSQL (fsync on) and wrk share the rest. Interleaved, medians of five rounds.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.benchmarks import report
from tests.benchmarks.send import seed
from tests.web import Web

ROUNDS, SECONDS, CONNECTIONS = 5, 8, 8
BULK, BULK_CALLS = 1_000, 40
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-API-Key"] = "{key}"
wrk.body = [==[{body}]==]
function done(summary, latency)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.stderr:write(string.format('{{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failed": %d}}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), failed))
end
"""
TEXTS = [
    {"language": "en", "standard": True, "title": "Your order is on its way", "message": "It comes tomorrow.",
     "link": "https://shop.example/orders/4711"},
    {"language": "de", "title": "Ihre Bestellung ist unterwegs", "message": "Sie kommt morgen.",
     "link": "https://shop.example/de/orders/4711"},
]  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        Path(directory).chmod(0o755)
        with Servers(Path(directory)):
            figures = measure()
    tell(figures)
    report.write("api", figures)


class Servers:
    """PostgreSQL and Valkey, with an empty database; only then may the console's models be imported."""

    def __init__(self, directory: Path) -> None:
        from signalize_console.embedded.home import Home

        self.home = Home(directory)
        os.environ.update(
            SIGNALIZE_HOME=str(directory),
            DATABASE_URL=self.home.database_url,
            CELERY_BROKER_URL=self.home.broker_url,
            DJANGO_SETTINGS_MODULE="signalize_console.settings",
            LOG_LEVEL="WARNING",
        )

    def __enter__(self) -> None:
        from signalize_console.embedded.postgres import EmbeddedPostgres
        from signalize_console.embedded.valkey import EmbeddedValkey

        self.postgres = EmbeddedPostgres(self.home).start()
        self.valkey = EmbeddedValkey(self.home).start()
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)

    def __exit__(self, *_error: object) -> None:
        self.valkey.stop()
        self.postgres.stop()


def measure() -> dict[str, Any]:
    seed(BULK)
    from signalize_console.api.models import ApiKey
    from signalize_console.recipients.models import Recipient
    from signalize_console.websites.models import Website

    website = Website.objects.get()
    key = ApiKey.issue(website, "bench", requests_per_minute=10**9)[1]
    ids = list(Recipient.objects.values_list("client_id", flat=True))
    one = {"recipients": [{"clientId": ids[0]}], "webPush": {"webPushMessageTexts": TEXTS}}
    many = {**one, "recipients": [{"clientId": client_id} for client_id in ids]}
    cores = sorted(os.sched_getaffinity(0))
    accepting, minimal, bulk = [], [], []
    with (
        Web(cpus={cores[-1]}) as web,
        Web(cpus={cores[-1]}, application="tests.benchmarks.minimal:application") as bare,
    ):
        os.sched_setaffinity(0, set(cores[:-1]) or set(cores))
        for number in range(1, ROUNDS + 1):
            accepting.append(wrk(web, "/v3/subscriptions/pushmessages", key, one))
            minimal.append(wrk(bare, "/minimal", key, {"website": website.pk}))
            bulk += call(f"{web.origin}/v3/subscriptions/pushmessages", key, many)
            print(
                f"  round {number}: {rate(accepting[-1]):.0f}, {rate(minimal[-1]):.0f} a second", flush=True
            )
    return {
        "rounds": ROUNDS,
        "connections": CONNECTIONS,
        "per_second": round(statistics.median(map(rate, accepting))),
        "p50_ms": round(statistics.median(one["p50"] for one in accepting) / 1000, 1),
        "p99_ms": round(statistics.median(one["p99"] for one in accepting) / 1000, 1),
        "failed": sum(one["failed"] for one in [*accepting, *minimal]),
        "minimal_per_second": round(statistics.median(map(rate, minimal))),
        "cpu_us": round(statistics.median(one["cpu"] for one in accepting)),
        "minimal_cpu_us": round(statistics.median(one["cpu"] for one in minimal)),
        "cost_vs_minimal": round(
            statistics.median(map(rate, minimal)) / statistics.median(map(rate, accepting)), 2
        ),
        "thousand_recipients_p50_ms": round(statistics.median(bulk) * 1000),
        "thousand_recipients_p99_ms": round(statistics.quantiles(bulk, n=100)[98] * 1000),
    }


def rate(measured: dict[str, Any]) -> float:
    return float(measured["requests"] / measured["microseconds"] * 1e6)


def wrk(web: Web, path: str, key: str, body: object) -> dict[str, Any]:
    """One round of one thread with CONNECTIONS kept-alive connections; ``cpu``: µs of the web's for each."""
    before = web.cpu_seconds()
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT.format(key=key, body=json.dumps(body)))
        script.flush()
        argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", script.name, f"{web.origin}{path}"]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
    said = dict(json.loads(done.stderr))
    return {**said, "cpu": (web.cpu_seconds() - before) / said["requests"] * 1e6}


def call(url: str, key: str, body: object) -> list[float]:
    """Seconds for each of some calls, one after the other."""
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    took = []
    for _call in range(BULK_CALLS // ROUNDS):
        started = time.perf_counter()
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = json.load(answer)
        took.append(time.perf_counter() - started)
        if said["deliveries"] != BULK:
            raise SystemExit(f"Not all were accepted: {said['deliveries']}")
    return took


def tell(figures: dict[str, Any]) -> None:
    report.table(
        ["call", "per second", "p50 ms", "p99 ms", "CPU µs"],
        [
            [
                "one recipient, accepted (201)",
                *(figures["per_second"], figures["p50_ms"], figures["p99_ms"], figures["cpu_us"]),
            ],
            [
                "a view that only inserts one row",
                *(figures["minimal_per_second"], "", "", figures["minimal_cpu_us"]),
            ],
            [
                "1,000 recipients in one call",
                "",
                figures["thousand_recipients_p50_ms"],
                figures["thousand_recipients_p99_ms"],
                "",
            ],
        ],
    )
    print(
        f"\nAccepting costs {figures['cost_vs_minimal']} times the bare insert; {figures['failed']} failed."
    )


if __name__ == "__main__":
    main()
