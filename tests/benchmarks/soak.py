"""``make bench-soak``: half an hour at 30 % of what this machine takes: does memory grow, is claiming quick?

The whole console as ``make run`` starts it. What it takes is measured first: calls of the API for one recipient
and events of pages, half and half, as many as are answered, with everything being sent meanwhile.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from signalize_console.embedded.home import Home
from tests.benchmarks import audience, report
from tests.benchmarks.offering import Offered, offer, post, saturate
from tests.benchmarks.pipeline import made
from tests.benchmarks.sink import Sink
from tests.browsers.console import Console
from tests.embedded.living import living

MINUTES = float(os.environ.get("MINUTES", "30"))
TOGETHER, MOST_DRIFT = "the console's own, together", 5.0
SUBSCRIBERS, CONNECTIONS, LOAD = 2_000, 8, 0.3
SEEN_EVERY, EVERYONE_EVERY, FULL_SECONDS = 5, 300, 30
TEXT = {"language": "en", "standard": True, "title": "Your order", "message": "is on its way",
        "link": "https://shop.example/"}  # fmt: skip
# How a process of the console is known, the first that fits.
PARTS = {
    "web": "granian",
    "transactional worker": "--queues=transactional",
    "marketing worker": "--queues=marketing",
    "maintenance worker": "--queues=maintenance",
    "beat": " beat",
    "supervisor": "runconsole",
    "Valkey": "valkey",
}
CLAIMS = (
    "SELECT at_most, sum(count)::bigint FROM deliveries_latency WHERE kind = 'claim' GROUP BY 1 ORDER BY 1"
)
OPEN = "SELECT count(*) FROM deliveries_delivery WHERE state IN ('pending', 'sending')"


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        Sink(made(Path(directory, "sink", "home"))) as sink,
        Console(
            SIGNALIZE_PUSH_SERVICES=sink.push_services,
            SIGNALIZE_PUSH_SERVICES_CA=str(sink.certificates.ca_file),
            SIGNALIZE_TRUSTED_PROXIES="1",
            LOG_LEVEL="WARNING",
        ) as console,
    ):
        figures = measure(console)
    report.table(
        ["part", "MB at first", "MB at last", "drift %"],
        [[name, *values] for name, values in figures["memory"].items()],
    )
    print({name: value for name, value in figures.items() if name != "memory"})
    report.write("soak", figures)
    wrong = above_the_limits(figures)
    for what in wrong:
        print(f"Above the limits: {what}")
    sys.exit(bool(wrong))


def above_the_limits(figures: dict[str, Any]) -> list[str]:
    wrong = []
    if figures["claims_within_20_ms_percent"] < 99:
        wrong.append(f"{figures['claims_within_20_ms_percent']} % of the claims took at most 20 ms")
    _before, _after, drift = figures["memory"][TOGETHER]
    if drift >= MOST_DRIFT:
        wrong.append(f"the console's own memory grew by {drift} %")
    return wrong


def measure(console: Console) -> dict[str, Any]:
    key, website, clients = seed(console)
    requests = mixed(key, website, clients)
    full = asyncio.run(saturate(console.port, requests, CONNECTIONS, FULL_SECONDS))
    wait_until_sent(console)
    print(f"  It takes {full.per_second:.0f} requests a second.", flush=True)
    before, memory, over = dict(console.sql(CLAIMS)), Memory(console.home), threading.Event()
    threads = [
        threading.Thread(target=memory.watch, args=[over]),
        threading.Thread(target=tell_everyone, args=[website, over]),
    ]
    for thread in threads:
        thread.start()
    rate = LOAD * full.per_second
    offered = asyncio.run(offer(console.port, requests, rate, MINUTES * 60))
    over.set()
    for thread in threads:
        thread.join()
    waited = wait_until_sent(console)
    time.sleep(6)  # the processes tell their latencies every few seconds
    claims = {bound: count - before.get(bound, 0) for bound, count in console.sql(CLAIMS)}
    return {
        "minutes": MINUTES,
        "requests_a_second_at_full_load": round(full.per_second),
        "requests_a_second": round(offered.per_second, 1),
        "refused": refused(full) + refused(offered),
        "answer_ms_p50": round(offered.percentile(50), 1),
        "answer_ms_p99": round(offered.percentile(99), 1),
        "claims": sum(claims.values()),
        "claim_ms_p99_at_most": round(1000 * quantile(claims, 0.99)),
        "claims_within_20_ms_percent": round(within(claims, 0.02), 2),
        "deliveries": console.sql("SELECT count(*) FROM deliveries_delivery")[0][0],
        "not_accepted": console.sql("SELECT count(*) FROM deliveries_delivery WHERE state <> 'accepted'")[0][
            0
        ],
        "seconds_until_all_sent": round(waited, 1),
        "memory": memory.drift(),
    }


def seed(console: Console) -> tuple[str, Any, list[str]]:
    os.environ |= {"SIGNALIZE_HOME": str(console.home), "DATABASE_URL": Home(console.home).database_url}
    os.environ["DJANGO_SETTINGS_MODULE"] = "signalize_console.settings"
    import django

    django.setup()
    from signalize_console.api.models import ApiKey
    from signalize_console.api.scopes import EVERYTHING
    from signalize_console.recipients.models import Recipient

    website = audience.seed(SUBSCRIBERS)
    key = ApiKey.issue(website, "soak", EVERYTHING, requests_per_minute=10**9)[1]
    return key, website, list(Recipient.objects.filter(website=website).values_list("client_id", flat=True))


def mixed(key: str, website: Any, clients: list[str]) -> Iterator[bytes]:
    """In turn a system that sends to one recipient, and a page that tells of a view, always somebody else's."""
    number = 0
    while True:
        client_id = clients[number % len(clients)]
        body: dict[str, Any] = {
            "recipients": [{"clientId": client_id}],
            "webPush": {"webPushMessageTexts": [TEXT]},
        }
        address = f"{20 + number % 80}.{number // 256 % 256}.{number % 256}.9"
        yield post("/v3/subscriptions/pushmessages", json.dumps(body).encode(), address, key=key)
        body = {"clientId": client_id, "events": [{"name": "viewed", "properties": {"value": number}}]}
        path = f"/browser/{website.secure_code}/events"
        yield post(path, json.dumps(body).encode(), address, website.origins[0])
        number += 1


def refused(offered: Offered) -> int:
    return sum(count for status, count in offered.statuses.items() if status not in {201, 204})


def tell_everyone(website: Any, over: threading.Event) -> None:
    """A marketing message to all subscribers, every few minutes."""
    from signalize_console.deliveries import outbox
    from tests.makers import make_message, make_text

    while not over.wait(EVERYONE_EVERY):
        outbox.send(make_message(website), [make_text()])


def wait_until_sent(console: Console) -> float:
    started = time.monotonic()
    while console.sql(OPEN)[0][0]:
        if time.monotonic() - started > 300:
            raise SystemExit("Not everything was sent within five minutes.")
        time.sleep(0.2)
    return time.monotonic() - started


def within(claims: dict[float, int], seconds: float) -> float:
    """How many of a hundred took at most so long."""
    return 100 * sum(count for bound, count in claims.items() if bound <= seconds) / sum(claims.values())


def quantile(claims: dict[float, int], share: float) -> float:
    """The bound of the bucket in which it lies."""
    return min(bound for bound in claims if within(claims, bound) >= 100 * share)


class Memory:
    """The proportional set size of each part's processes, from time to time."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.seen: list[dict[str, float]] = []

    def watch(self, over: threading.Event) -> None:
        while not over.wait(SEEN_EVERY):
            self.seen.append(self._look())

    def _look(self) -> dict[str, float]:
        sums: dict[str, float] = {}
        for process, command in living(self.home).items():
            try:
                rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            except OSError:
                continue
            part = next((name for name, word in PARTS.items() if word in command), "PostgreSQL")
            kilobytes = int(rollup.split("Pss:")[1].split()[0])
            sums[part] = sums.get(part, 0.0) + kilobytes / 1024
        return sums

    def drift(self) -> dict[str, tuple[float, float, float]]:
        """For each part: MB in the second fifth of the time and in the last, medians, and the difference in %."""
        fifth = max(1, len(self.seen) // 5)
        first, last = self.seen[fifth : 2 * fifth], self.seen[-fifth:]
        parts: dict[str, tuple[str, ...]] = {name: (name,) for name in [*PARTS, "PostgreSQL"]}
        parts[TOGETHER] = tuple(name for name in PARTS if name != "Valkey")
        return {name: _drift(_median(first, of), _median(last, of)) for name, of in parts.items()}


def _median(seen: list[dict[str, float]], parts: tuple[str, ...]) -> float:
    return statistics.median(sum(one.get(part, 0.0) for part in parts) for one in seen)


def _drift(before: float, after: float) -> tuple[float, float, float]:
    return round(before, 1), round(after, 1), round(100 * (after - before) / before, 2)


if __name__ == "__main__":
    main()
