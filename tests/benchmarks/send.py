"""``make bench-send``: 20,000 deliveries through the whole durable pipeline, beside two plain senders.

All three send to the same local TLS sink, interleaved, five rounds; medians and their ratios.
"""

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import report
from tests.benchmarks.pipeline import Pipeline, made
from tests.benchmarks.sink import HOST, Sink

ROUNDS, DELIVERIES, PLAIN = 5, 20_000, 2_000
SLOW_ROUNDS, SLOW_DELIVERIES = 3, 10_000
PAIRED_ROUNDS, PAIRED_DELIVERIES = 3, 3_000
NODE = report.DIRECTORY / "node"
LOOP = """
import json, sys, time
from pywebpush import webpush
job = json.load(sys.stdin)
started, cpu = time.perf_counter(), time.process_time()
for one in job["subscriptions"]:
    webpush(one, job["payload"], vapid_private_key=job["privateKey"], ttl=3600, timeout=15,
            vapid_claims={"sub": "mailto:web@example.com"})
print(json.dumps({"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}))
"""


def main() -> None:
    install_web_push()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        fast = Path(directory, "fast")
        with Sink(made(fast / "sink")) as sink, Pipeline(made(fast / "home"), sink) as pipeline:
            figures = compare(pipeline, sink)
        for name in ("slow", "paired"):
            place = Path(directory, name)
            # In a process of its own: settings are read once.
            rerun = [sys.executable, "-m", "tests.benchmarks.send", name, str(place)]
            subprocess.run(rerun, check=True, env={**os.environ, "PYTHONPATH": "."})
            figures |= json.loads((place / "figures.json").read_text())
    tell(figures)
    report.write("send", figures)


def compare(pipeline: Pipeline, sink: Sink) -> dict[str, Any]:
    subscriptions, keys = seed(DELIVERIES)
    job = {
        "subscriptions": [
            {**one, "endpoint": sink.url.format(number=n)} for n, one in enumerate(subscriptions[:PLAIN])
        ],
        "payload": json.dumps({"web_push": 8030, "notification": {"title": "Hello", "body": "x" * 200}}),
        "publicKey": keys[0],
        "privateKey": keys[1],
        "modules": str(NODE / "node_modules/"),
    }
    ours, loop, node = [], [], []
    for number in range(1, ROUNDS + 1):
        ours.append(through(pipeline, DELIVERIES))
        loop.append(run([sys.executable, "-c", LOOP], job, REQUESTS_CA_BUNDLE=str(sink.certificates.ca_file)))
        script = str(Path(__file__).with_name("web_push.mjs"))
        node.append(run(["node", script], job, NODE_EXTRA_CA_CERTS=str(sink.certificates.ca_file)))
        print(
            f"  round {number}: {ours[-1][0]:.0f}, {loop[-1][0]:.0f}, {node[-1][0]:.0f} per second",
            flush=True,
        )
    pipeline.stop_worker()
    pipeline.start_worker(processes=2)
    two = [through(pipeline, DELIVERIES) for _round in range(ROUNDS)]
    per_second, cpu = median(ours, 0), median(ours, 1)
    return {
        "rounds": ROUNDS,
        "per_second": round(per_second),
        "cpu_us_per_message": round(cpu),
        "webpush_loop_per_second": round(median(loop, 0)),
        "webpush_loop_cpu_us_per_message": round(median(loop, 1)),
        "node_web_push_per_second": round(median(node, 0)),
        "node_web_push_cpu_us_per_message": round(median(node, 1)),
        "two_processes_per_second": round(median(two, 0)),
        "two_processes_cpu_us_per_message": round(median(two, 1)),
        "ratio_vs_webpush_loop": round(per_second / median(loop, 0), 1),
        "ratio_vs_node_web_push": round(per_second / median(node, 0), 1),
    }


def slow_row(directory: Path) -> dict[str, Any]:
    """A push service that takes 50 ms for each answer."""
    with (
        Sink(made(directory / "sink"), 0.05) as sink,
        Pipeline(made(directory / "home"), sink) as pipeline,
    ):
        seed(SLOW_DELIVERIES)
        measured = [through(pipeline, SLOW_DELIVERIES) for _round in range(SLOW_ROUNDS)]
    return {
        "per_second_at_50_ms": round(median(measured, 0)),
        "cpu_us_per_message_at_50_ms": round(median(measured, 1)),
    }


def paired_row(directory: Path) -> dict[str, Any]:
    """One worker process and two, in turn, where the push service takes 200 ms: cores are not the limit."""
    with (
        Sink(made(directory / "sink"), 0.2) as sink,
        Pipeline(made(directory / "home"), sink) as pipeline,
    ):
        seed(PAIRED_DELIVERIES)
        measured: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
        for _round in range(PAIRED_ROUNDS):
            for processes, rows in measured.items():
                pipeline.stop_worker()
                pipeline.start_worker(processes)
                rows.append(through(pipeline, PAIRED_DELIVERIES))
    one, two = median(measured[1], 0), median(measured[2], 0)
    return {
        "per_second_at_200_ms": round(one),
        "two_processes_per_second_at_200_ms": round(two),
        "ratio_two_processes_at_200_ms": round(two / one, 2),
    }


def seed(count: int) -> tuple[list[dict[str, Any]], tuple[str, str]]:
    """A website with ``count`` subscriptions, each with keys of its own."""
    import django

    django.setup()
    from signalize_console.recipients.models import Recipient, Subscription, endpoint_hash
    from tests.makers import make_push, make_website

    website = make_website()
    key = website.vapid_key
    recipients = Recipient.objects.bulk_create(
        [Recipient(website=website, language="en") for _ in range(count)]
    )
    pushes = [make_push(website, f"https://{HOST}/wpush/v2/{one.pk}") for one in recipients]
    Subscription.objects.bulk_create(
        Subscription(
            website=website, recipient=recipient, vapid_key=key, endpoint=push.endpoint, p256dh=push.p256dh,
            auth=push.auth, endpoint_hash=endpoint_hash(push.endpoint), push_service="mozilla",
        )
        for recipient, push in zip(recipients, pushes, strict=True)
    )  # fmt: skip
    private = base64.urlsafe_b64encode(key.private_key).rstrip(b"=").decode()
    return [{"keys": {"p256dh": one.p256dh, "auth": one.auth}} for one in pushes], (key.public_key, private)


def through(pipeline: Pipeline, count: int) -> tuple[float, float]:
    """Deliveries a second from accepting to finished, and the sender's CPU microseconds for each."""
    from signalize_console.deliveries import outbox, wake
    from signalize_console.deliveries.models import Delivery
    from signalize_console.messaging.models import PushMessage
    from signalize_console.websites.models import Website
    from tests.makers import make_message, make_text

    cpu, started = pipeline.cpu_seconds(), time.perf_counter()
    website = Website.objects.latest("id")
    accepted = outbox.send(make_message(website), [make_text(message="x" * 200)])
    message = PushMessage.objects.get(pk=accepted.message_id)
    knocked = 0.0
    while message.state != "finished":
        time.sleep(0.05)
        message.refresh_from_db()
        if len(pipeline.senders) > 1 and time.perf_counter() > knocked + 1:
            # As beat does: a process that found nothing while the audience was being expanded looks again.
            knocked = time.perf_counter()
            wake.publish(transactional=False)
    seconds = time.perf_counter() - started
    if (states := Delivery.objects.of(message).by_state()) != {"accepted": count}:
        raise SystemExit(f"Not all was accepted: {states}")
    return count / seconds, (pipeline.cpu_seconds() - cpu) / count * 1e6


def run(argv: list[str], job: dict[str, Any], **env: str) -> tuple[float, float]:
    done = subprocess.run(
        argv, input=json.dumps(job), capture_output=True, text=True, check=False, env={**os.environ, **env}
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    said = json.loads(done.stdout)
    return PLAIN / said["seconds"], said["cpu"] / PLAIN * 1e6


def install_web_push() -> None:
    if not (NODE / "node_modules" / "web-push").exists():
        NODE.mkdir(parents=True, exist_ok=True)
        command = [
            "npm",
            "install",
            "--no-audit",
            "--no-fund",
            "--silent",
            "--prefix",
            str(NODE),
            "web-push@3.6.7",
        ]
        subprocess.run(command, check=True)


def median(measured: list[tuple[float, float]], column: int) -> float:
    return statistics.median(row[column] for row in measured)


def tell(figures: dict[str, Any]) -> None:
    report.table(
        ["sender", "per second", "CPU µs each", "ours is faster by"],
        [
            [
                "the durable pipeline, one worker process",
                figures["per_second"],
                figures["cpu_us_per_message"],
                "",
            ],
            [
                "a loop over pywebpush.webpush()",
                figures["webpush_loop_per_second"],
                figures["webpush_loop_cpu_us_per_message"],
                f"{figures['ratio_vs_webpush_loop']}×",
            ],
            [
                "Node's web-push, 100 at once",
                figures["node_web_push_per_second"],
                figures["node_web_push_cpu_us_per_message"],
                f"{figures['ratio_vs_node_web_push']}×",
            ],
            [
                "the durable pipeline, two worker processes",
                figures["two_processes_per_second"],
                figures["two_processes_cpu_us_per_message"],
                "",
            ],
            [
                "the durable pipeline, push service takes 50 ms",
                figures["per_second_at_50_ms"],
                figures["cpu_us_per_message_at_50_ms"],
                "",
            ],
        ],
    )
    print(
        f"\nWhere the push service takes 200 ms, two worker processes send {figures['two_processes_per_second_at_200_ms']}"
        f" a second and one {figures['per_second_at_200_ms']}: {figures['ratio_two_processes_at_200_ms']}×."
    )


ROWS = {"slow": slow_row, "paired": paired_row}

if __name__ == "__main__":
    if sys.argv[1:]:
        place = Path(sys.argv[2])
        figures = ROWS[sys.argv[1]](place)
        (place / "figures.json").write_text(json.dumps(figures))
    else:
        main()
