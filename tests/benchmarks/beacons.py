"""``make bench-beacons``: reports from browsers while a message is being sent, and a flood.

The web server is the console's own; every report comes from an address of its own, as behind a proxy.
"""

import argparse
import asyncio
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

from tests.benchmarks import report
from tests.benchmarks.audience import seed
from tests.benchmarks.offering import Offered, offer, post
from tests.benchmarks.pipeline import Pipeline, made
from tests.benchmarks.sink import Sink

DELIVERIES = 8_000
RATES = (500, 1_000)
FLOOD, STRANGERS = 2_000, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each row")
    seconds = parser.parse_args().seconds
    os.environ["SIGNALIZE_TRUSTED_PROXIES"] = "1"
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        place = Path(directory, "beacons")
        with Sink(made(place / "sink")) as sink, Pipeline(made(place / "home"), sink):
            django.setup()
            seed(DELIVERIES)
            threading.Thread(target=knock, daemon=True).start()
            send_to_everyone()
            with web_server() as port:
                figures = measure(port, seconds)
    tell(figures)
    report.write("beacons", figures)


def measure(port: int, seconds: float) -> dict[str, Any]:
    figures: dict[str, Any] = {"seconds": seconds, "deliveries": DELIVERIES}
    for rate in RATES:
        before, requests = stored(), reports(int(rate * seconds) + 1)
        with sending() as sent:
            offered = asyncio.run(offer(port, iter(requests), rate, seconds))
        figures[f"offered_{rate}"] = {
            "per_second": round(offered.per_second),
            "p50_ms": round(offered.percentile(50)),
            "p99_ms": round(offered.percentile(99)),
            "stored": stored() - before,
            "statuses": dict(offered.statuses),
            "sent_per_second_meanwhile": round(sum(sent) / len(sent)) if sent else None,
        }
    figures["flood"] = flood(port, seconds)
    return figures


def flood(port: int, seconds: float) -> dict[str, Any]:
    """A few strangers ask far too often, while somebody works in the admin."""
    from signalize_console.websites.models import Website

    code = Website.objects.latest("id").secure_code
    body = json.dumps({"clientId": "1" * 32, "events": [{"name": "optin_shown"}]}).encode()
    asked = itertools.cycle(
        post(f"/browser/{code}/events", body, f"8.8.8.{number}", "https://shop.example")
        for number in range(STRANGERS)
    )
    before = stored()
    with working_in_the_admin(port) as pages:
        offered: Offered = asyncio.run(offer(port, asked, FLOOD, seconds))
    return {
        "offered_per_second": FLOOD,
        "answered_per_second": round(offered.per_second),
        "refused_share": round(offered.statuses[429] / sum(offered.statuses.values()), 3),
        "statuses": dict(offered.statuses),
        "stored": stored() - before,
        "admin_pages": len(pages),
        "admin_p99_ms": round(sorted(pages)[int(len(pages) * 0.99)] * 1000) if pages else None,
    }


def send_to_everyone() -> float:
    """One message, from accepting to finished; deliveries a second."""
    from signalize_console.deliveries import outbox
    from signalize_console.messaging.models import PushMessage
    from signalize_console.websites.models import Website
    from tests.makers import make_message, make_text

    started = time.perf_counter()
    accepted = outbox.send(make_message(Website.objects.latest("id")), [make_text(message="x" * 200)])
    while not PushMessage.objects.filter(pk=accepted.message_id, state="finished").exists():
        time.sleep(0.05)
    return DELIVERIES / (time.perf_counter() - started)


def knock() -> None:
    """As beat does: a wake-up that was lost costs a second."""
    from signalize_console.deliveries import wake

    while True:
        time.sleep(1)
        wake.publish(transactional=False)


def reports(count: int) -> list[bytes]:
    """Shown and then clicked, of each delivery of the newest message; each browser has an address."""
    from signalize_console.deliveries import tokens
    from signalize_console.deliveries.models import Delivery
    from signalize_console.messaging.models import PushMessage

    message = PushMessage.objects.filter(state="finished").latest("id")
    facts = list(Delivery.objects.of(message).values_list("id", "day"))
    browsers = [
        (tokens.make(*one), f"{20 + n % 80}.{n // 256 % 256}.{n % 256}.9") for n, one in enumerate(facts)
    ]
    said = itertools.cycle(
        post("/browser/reports", json.dumps({"token": token, "event": kind}).encode(), address)
        for kind in ("shown", "clicked")
        for token, address in browsers
    )
    return list(itertools.islice(said, count))


def stored() -> int:
    from signalize_console.activity.models import Event

    return Event.objects.count()


@contextmanager
def sending() -> Iterator[list[float]]:
    """Messages to everyone, one after the other, until the block ends; how many deliveries a second each."""
    rates: list[float] = []
    over = threading.Event()

    def send() -> None:
        from django.db import connection

        while not over.is_set():
            rates.append(send_to_everyone())
        connection.close()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield rates
    finally:
        over.set()
        thread.join()


@contextmanager
def working_in_the_admin(port: int) -> Iterator[list[float]]:
    """Somebody with a login who loads one page after the other; the seconds of each."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.create_superuser("bench"), "django.contrib.auth.backends.ModelBackend")
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    pages: list[float] = []
    over = threading.Event()

    def work() -> None:
        for path in itertools.cycle(["/admin/", "/admin/messaging/pushmessage/", "/admin/activity/event/"]):
            if over.is_set():
                return
            started = time.perf_counter()
            asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Cookie": cookie})
            with urllib.request.urlopen(asked, timeout=60) as answer:
                answer.read()
            pages.append(time.perf_counter() - started)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield pages
    finally:
        over.set()
        thread.join()


@contextmanager
def web_server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [
        *(sys.executable, "-m", "granian", "--interface=wsgi", f"--port={port}", "--workers=1"),
        *("--blocking-threads=8", "--no-ws", "--log-level=warning", "signalize_console.wsgi:application"),
    ]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        for _try in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/code/signalize.js", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        try:
            yield port
        finally:
            server.terminate()


def tell(figures: dict[str, Any]) -> None:
    rows: list[list[Any]] = []
    for rate in RATES:
        row = figures[f"offered_{rate}"]
        rows.append([f"{rate} reports/s while sending", row["per_second"], row["p50_ms"], row["p99_ms"], f"{row['sent_per_second_meanwhile']} deliveries/s"])  # fmt: skip
    flood = figures["flood"]
    rows.append([f"{FLOOD} requests/s of {STRANGERS} strangers", flood["answered_per_second"], "", "", f"{flood['refused_share']:.1%} refused, admin p99 {flood['admin_p99_ms']} ms"])  # fmt: skip
    report.table(["offered", "answered/s", "p50 ms", "p99 ms", "meanwhile"], rows)


if __name__ == "__main__":
    main()
