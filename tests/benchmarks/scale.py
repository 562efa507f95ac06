"""``make bench-scale``: one message to a million recipients, everything on this machine.

Reports the rate over time, the marketing worker's memory, and how long transactional messages take meanwhile.
``SCALE=100000 make bench-scale`` for fewer.
"""

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import audience, report
from tests.benchmarks.latency import percentile
from tests.benchmarks.pipeline import Pipeline, made
from tests.benchmarks.sink import Sink

RECIPIENTS = int(os.environ.get("SCALE", "1000000"))
TIMED = 300
EVERY = 1.0


@dataclass
class Samples:
    """What was seen each second: (seconds since the start, deliveries accepted, resident MB of the sender)."""

    seen: list[tuple[float, int, float]] = field(default_factory=list)
    accepted_at: dict[str, float] = field(default_factory=dict)
    finished: threading.Event = field(default_factory=threading.Event)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        sink_home, home = made(Path(directory, "sink", "home")), made(Path(directory, "console", "home"))
        with Sink(sink_home) as sink, Pipeline(home, sink) as pipeline, transactional_side():
            import django

            django.setup()
            figures = run(pipeline, sink)
    tell(figures)
    report.write("scale", figures)


class transactional_side:  # noqa: N801 - a context manager, used like a function
    """A worker for transactional messages and beat, as ``make run`` starts them."""

    def __enter__(self) -> None:
        worker = [
            "worker",
            "--queues=transactional,maintenance",
            "--concurrency=1",
            "--hostname=transactional@here",
        ]
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "signalize_console", *command, "--loglevel=WARNING"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for command in ([*worker, "--without-gossip", "--without-mingle"], ["beat", "--pidfile="])
        ]  # fmt: skip

    def __exit__(self, *_error: object) -> None:
        for process in self.processes:
            process.terminate()
            process.wait(60)


def run(pipeline: Pipeline, sink: Sink) -> dict[str, Any]:
    from signalize_console.deliveries import outbox
    from signalize_console.deliveries.models import Delivery
    from signalize_console.messaging.models import PushMessage
    from tests.makers import make_message, make_text

    print(f"  Making {RECIPIENTS:,} recipients …", flush=True)
    website = audience.seed(RECIPIENTS)
    timed = audience.add_timed(audience.seed(1), TIMED)
    samples = Samples()
    started = time.monotonic()
    accepted = outbox.send(make_message(website, ttl=86_400), [make_text(message="x" * 200)])
    sender = threading.Thread(target=send_transactional, args=[timed, samples])
    sender.start()
    message = PushMessage.objects.get(pk=accepted.message_id)
    while message.state != "finished":
        time.sleep(EVERY)
        message.refresh_from_db()
        samples.seen.append(
            (time.monotonic() - started, accepted_so_far(website), resident_mb(pipeline.senders[0]))
        )
        show(samples)
    seconds = time.monotonic() - started
    samples.finished.set()
    sender.join()
    if (states := Delivery.objects.of(message).by_state()) != {"accepted": RECIPIENTS}:
        raise SystemExit(f"Not all was accepted: {states}")
    return figures_of(samples, sink, seconds)


def send_transactional(recipients: Sequence[Any], samples: Samples) -> None:
    """One a second, as long as the large message runs."""
    from django.db import connection

    from signalize_console.deliveries import outbox
    from tests.makers import make_message, make_text

    for recipient in recipients:
        if samples.finished.wait(EVERY):
            break
        outbox.send(make_message(recipient.website, transactional=True), [make_text()], [recipient])
        samples.accepted_at[f"timed-{recipient.pk}"] = time.time()
    connection.close()


def accepted_so_far(website: Any) -> int:
    from django.db.models import Sum

    from signalize_console.deliveries.models import Tally

    return Tally.objects.filter(website=website).aggregate(sum=Sum("accepted"))["sum"] or 0


def resident_mb(pid: int) -> float:
    line = next(
        one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")
    )
    return int(line.split()[1]) / 1024


def show(samples: Samples) -> None:
    seconds, accepted, mb = samples.seen[-1]
    done = int(30 * accepted / RECIPIENTS)
    bar = "█" * done + "·" * (30 - done)
    end = "\n" if accepted >= RECIPIENTS else "\r"
    print(
        f"  {bar} {accepted:,} in {seconds:.0f} s, {accepted / seconds:,.0f}/s, {mb:.0f} MB  ",
        end=end,
        flush=True,
    )


def figures_of(samples: Samples, sink: Sink, seconds: float) -> dict[str, Any]:
    time.sleep(2)
    arrived = sink.arrivals()
    ways = [(arrived[name] - at) * 1000 for name, at in samples.accepted_at.items() if name in arrived]
    tenths = rates(samples)
    memory = [mb for at, _accepted, mb in samples.seen if at > seconds * 0.1]
    return {
        "recipients": RECIPIENTS,
        "seconds": round(seconds, 1),
        "per_second": round(RECIPIENTS / seconds),
        "per_second_by_tenth": tenths,
        "last_tenth_to_first": round(tenths[-1] / tenths[0], 2),
        "worker_mb": [round(min(memory)), round(max(memory))],
        "transactional_messages": len(samples.accepted_at),
        "transactional_lost": len(samples.accepted_at) - len(ways),
        "transactional_ms_p50": round(statistics.median(ways)),
        "transactional_ms_p99": round(percentile(ways, 99)),
    }


def rates(samples: Samples) -> list[int]:
    """Deliveries a second while each tenth of them was accepted."""
    moments, want = [0.0], 1
    for at, accepted, _mb in samples.seen:
        while want <= 10 and accepted >= RECIPIENTS * want / 10:
            moments.append(at)
            want += 1
    return [
        round(RECIPIENTS / 10 / max(EVERY / 2, after - before))
        for before, after in itertools.pairwise(moments)
    ]


def tell(figures: dict[str, Any]) -> None:
    least, most = figures["worker_mb"]
    report.table(
        [
            "one message to",
            "seconds",
            "per second",
            "last tenth / first",
            "worker MB",
            "transactional p50, p99 ms",
        ],
        [
            [
                f"{figures['recipients']:,}",
                figures["seconds"],
                figures["per_second"],
                figures["last_tenth_to_first"],
                f"{least}–{most}",
                f"{figures['transactional_ms_p50']}, {figures['transactional_ms_p99']}",
            ]
        ],
    )


if __name__ == "__main__":
    main()
