"""``make bench-latency``: from the REST call of one transactional message to its POST at the push service.

The whole console as ``make run`` starts it, otherwise idle; then with its broker gone, and back.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from signalize_console.embedded.home import Home
from signalize_console.embedded.valkey import EmbeddedValkey
from tests.benchmarks import audience, report
from tests.benchmarks.pipeline import made
from tests.benchmarks.sink import Sink
from tests.browsers.console import Console

IDLE, OUTAGE, PAUSE = 200, 40, 0.05
TEXT = {
    "language": "en",
    "standard": True,
    "title": "Your order",
    "message": "is on its way",
    "link": "https://shop.example/",
}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        broker_home = Home(made(Path(directory, "broker", "home")))
        broker = EmbeddedValkey(broker_home).start()
        try:
            with (
                Sink(made(Path(directory, "sink", "home"))) as sink,
                console_on(sink, broker_home) as console,
            ):
                figures = measure(console, sink, broker)
        finally:
            broker.stop()
    tell(figures)
    report.write("latency", figures)


def console_on(sink: Sink, broker_home: Home) -> Console:
    return Console(
        CELERY_BROKER_URL=broker_home.broker_url,
        SIGNALIZE_PUSH_SERVICES=sink.push_services,
        SIGNALIZE_PUSH_SERVICES_CA=str(sink.certificates.ca_file),
    )


def measure(console: Console, sink: Sink, broker: EmbeddedValkey) -> dict[str, Any]:
    recipients = seed(console)
    idle = [send(console, one) for one in recipients[:IDLE]]
    arrived = wait_for(sink, IDLE)
    ways = [(arrived[key] - begun) * 1000 for key, begun, _answered in idle]
    broker.stop()
    time.sleep(2)
    without = [send(console, one) for one in recipients[IDLE : IDLE + OUTAGE]]
    returned = time.time()
    broker.start()
    arrived = wait_for(sink, IDLE + OUTAGE)
    again = [send(console, one) for one in recipients[IDLE + OUTAGE :]]
    arrived = wait_for(sink, len(recipients))
    return {
        "messages": len(recipients),
        "lost": len(recipients) - len(arrived),
        "accept_to_post_ms_p50": round(statistics.median(ways), 1),
        "accept_to_post_ms_p99": round(percentile(ways, 99), 1),
        "accept_ms_p50": round(statistics.median(took(idle)), 1),
        "accept_ms_p99": round(percentile(took(idle), 99), 1),
        "accept_ms_p50_without_broker": round(statistics.median(took(without)), 1),
        "accept_ms_p99_without_broker": round(percentile(took(without), 99), 1),
        "seconds_until_all_sent_after_broker": round(max(0.0, max(arrived[k] for k, *_ in without) - returned), 1),
        "accept_to_post_ms_p50_after_broker": round(
            statistics.median([(arrived[key] - begun) * 1000 for key, begun, _answered in again]), 1
        ),
    }  # fmt: skip


def seed(console: Console) -> list[tuple[str, str, str]]:
    """(what the sink calls it, recipient id, API key) of each recipient."""
    os.environ |= {"SIGNALIZE_HOME": str(console.home), "DATABASE_URL": Home(console.home).database_url}
    os.environ["DJANGO_SETTINGS_MODULE"] = "signalize_console.settings"
    import django

    django.setup()
    from signalize_console.api.models import ApiKey

    website = audience.seed(1)
    key = ApiKey.issue(website, "bench")[1]
    return [
        (f"timed-{one.pk}", one.client_id, key) for one in audience.add_timed(website, IDLE + OUTAGE + OUTAGE)
    ]


def send(console: Console, recipient: tuple[str, str, str]) -> tuple[str, float, float]:
    """Its name, when the call began, and how long until it was answered."""
    name, client_id, key = recipient
    body = {"recipients": [{"clientId": client_id}], "webPush": {"webPushMessageTexts": [TEXT]}}
    begun = time.time()
    status, said = console.call("/v3/subscriptions/pushmessages", body, **{"X-API-Key": key})
    if status != 201:
        raise SystemExit(f"Refused: {said}")
    took = time.time() - begun
    time.sleep(PAUSE)
    return name, begun, took


def wait_for(sink: Sink, count: int) -> dict[str, float]:
    end = time.monotonic() + 60
    while len(arrived := sink.arrivals()) < count and time.monotonic() < end:
        time.sleep(0.1)
    return arrived


def took(sends: Sequence[tuple[str, float, float]]) -> list[float]:
    return [seconds * 1000 for _name, _begun, seconds in sends]


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def tell(figures: dict[str, Any]) -> None:
    rows = [
        ("from the call to the POST, idle", "accept_to_post_ms_p50", "accept_to_post_ms_p99"),
        ("the call's own answer, idle", "accept_ms_p50", "accept_ms_p99"),
        ("the call's own answer, no broker", "accept_ms_p50_without_broker", "accept_ms_p99_without_broker"),
    ]
    report.table(
        ["milliseconds", "p50", "p99"], [[label, figures[p50], figures[p99]] for label, p50, p99 in rows]
    )
    print(
        f"\nLost: {figures['lost']} of {figures['messages']}. All that was accepted without a broker was sent "
        f"{figures['seconds_until_all_sent_after_broker']} s after it was back."
    )


if __name__ == "__main__":
    main()
