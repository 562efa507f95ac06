"""``make bench-retention``: ten million deliveries over twelve months, and what it takes to let go of a month.

PostgreSQL with fsync, as in production. Meanwhile page views are stored and messages accepted, as fast as they
come back. Beside it, what a DELETE of as many rows does. SCALE=100000 for fewer deliveries.
"""

import datetime
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks import admin, report
from tests.benchmarks.api import Servers
from tests.web import Web

DELIVERIES, MONTHS = int(os.environ.get("SCALE", "10000000")), 12
PURGED, QUIET_SECONDS, PAUSE = 6, 20, 3
LIMIT_SECONDS, LIMIT_MS = 1.0, 300
TABLES = ("deliveries_delivery", "deliveries_attempt", "activity_event")
# One delivery of 50 needed more than one request.
ATTEMPTS = """
INSERT INTO deliveries_attempt (day, delivery_id, number, outcome, reason, answer, milliseconds, made_at)
SELECT day, id, 1, 'retry', 'unavailable', '', 20, answered_at FROM deliveries_delivery
WHERE push_message_id = %(message)s AND day = %(day)s AND id %% 50 = 0;
"""
VISITS = """
INSERT INTO activity_event (day, website_id, recipient_id, kind, properties, occurred_at)
SELECT %(day)s, website_id, id, 'page_view', '{}', %(at)s FROM recipients_recipient WHERE id %% 2 = 0;
"""
SIZE = """
SELECT sum(pg_total_relation_size(relid))::bigint, sum(coalesce(n_dead_tup, 0))::bigint
FROM unnest(%s::regclass[]) AS parent CROSS JOIN LATERAL pg_partition_tree(parent) AS tree
LEFT JOIN pg_stat_user_tables USING (relid) WHERE tree.isleaf
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        Path(directory).chmod(0o755)
        with Servers(Path(directory)):
            figures = measure()
    report.write("retention", figures)
    slow = [page["page"] for page in figures["pages_after"] if page["p95_ms"] > LIMIT_MS]
    if figures["purge_seconds"]["longest"] > LIMIT_SECONDS:
        slow.append("purging a month")
    for what in slow:
        print(f"Above the limits: {what}")
    sys.exit(bool(slow))


def measure() -> dict[str, Any]:
    import django

    django.setup()
    website, messages = seed()
    figures: dict[str, Any] = {"deliveries": DELIVERIES, "months": MONTHS, "before": size()}
    ingest = Ingest(website)
    with Web(workers=1, threads=4, application="tests.benchmarks.admin_wsgi:application") as web:
        opener = admin.log_in(web)
        figures["pages_before"] = [admin.ask(opener, web, path) for path in pages(messages)]
        with ingest:
            time.sleep(QUIET_SECONDS)
            purges = []
            for message in messages[:PURGED]:
                time.sleep(PAUSE)
                purges.append(purge(message.day))
            time.sleep(PAUSE)
        figures["after"] = size()
        figures["pages_after"] = [admin.ask(opener, web, path) for path in pages(messages)]
        figures["deleting_instead"] = delete(messages[PURGED])
    took = [end - start for start, end in purges]
    figures |= {
        "purged_months": PURGED,
        "purge_seconds": {"median": round(statistics.median(took), 3), "longest": round(max(took), 3)},
        "ingest": ingest.figures(purges),
    }
    tell(figures)
    return figures


def seed() -> tuple[Any, list[Any]]:
    """A message to everyone in each of twelve months, the oldest first; all is summed up."""
    from django.db import connection
    from django.utils import timezone

    from signalize_console.activity import partitions
    from signalize_console.deliveries import outbox, rolling_up
    from signalize_console.messaging.models import PushMessage
    from tests.makers import make_message, make_text, make_website

    website = make_website()
    values: dict[str, Any] = {
        "website": website.pk,
        "key": website.vapid_key.pk,
        "recipients": DELIVERIES // MONTHS,
    }
    messages = []
    with connection.cursor() as cursor:
        cursor.execute(admin.SEED, values)
        cursor.execute("ANALYZE recipients_recipient, recipients_subscription")
        for first in months(timezone.now().date()):
            for table in TABLES:
                partitions.make(table, first)
            at = datetime.datetime.combine(first.replace(day=9), datetime.time(12), datetime.UTC)
            message_id = outbox.send(make_message(website), [make_text(title=f"{first:%B}")]).message_id
            over = {"state": "finished", "due_at": None, "finished_at": at, "valid_until": at}
            PushMessage.objects.filter(pk=message_id).update(
                day=at.date(), created_at=at, total=DELIVERIES // MONTHS, **over
            )
            values |= {"message": message_id, "day": at.date(), "at": at}
            for statement in (admin.DELIVERIES, admin.REPORTS, ATTEMPTS, VISITS):
                cursor.execute(statement, values)
            messages.append(PushMessage.objects.get(pk=message_id))
            print(f"  {first:%Y-%m}: {len(messages) * DELIVERIES // MONTHS:,} deliveries", flush=True)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    rolling_up.rebuild()
    rolling_up.count_subscribers()
    return website, messages


def months(today: datetime.date) -> list[datetime.date]:
    """The first days of the twelve months before the last one."""
    found = [(today.replace(day=1) - datetime.timedelta(days=20)).replace(day=1)]
    while len(found) <= MONTHS:
        found.append((found[-1] - datetime.timedelta(days=1)).replace(day=1))
    return found[:0:-1]


def purge(day: datetime.date) -> tuple[float, float]:
    """Lets go of this day's month by the console's own way; when it began and ended."""
    from django.conf import settings
    from django.utils import timezone

    from signalize_console.activity import horizons, partitions
    from signalize_console.deliveries import retention

    after = partitions.next_month(day.replace(day=1))
    settings.KEEP_DELIVERIES_DAYS = settings.KEEP_EVENTS_DAYS = (timezone.now().date() - after).days
    started = time.perf_counter()
    retention.let_go()
    ended = time.perf_counter()
    if horizons.kept() != (after, after):
        raise SystemExit(f"The month of {day} is still there.")
    return started, ended


def delete(message: Any) -> dict[str, Any]:
    """What the same would cost by DELETE: time, and space that only new rows use again."""
    from django.db import connection

    before = size()
    first = message.day.replace(day=1)
    started = time.perf_counter()
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"DELETE FROM {table} WHERE day >= %s AND day < %s + interval '1 month'",
                [first, first],
            )
    seconds = time.perf_counter() - started
    time.sleep(2)  # the statistics come a moment later
    return {"seconds": round(seconds, 1), "before": before, "after": size()}


def size() -> dict[str, int]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(SIZE, [list(TABLES)])
        octets, dead = cursor.fetchone()
    return {"mb": round(octets / 2**20), "dead_rows": dead}


class Ingest:
    """Page views are stored and transactional messages accepted, one after another, each in a thread."""

    def __init__(self, website: Any) -> None:
        from signalize_console.activity.events import Happened, record_of_page
        from signalize_console.activity.models import EventKind
        from signalize_console.deliveries import outbox
        from signalize_console.recipients.models import Recipient
        from tests.makers import make_message, make_text

        recipient = Recipient.objects.filter(subscriptions__state="active").order_by("pk")[0]
        viewed = [Happened(EventKind.PAGE_VIEW, "", {"page": "https://shop.example/"})]
        self.stopped = threading.Event()
        self.took: dict[str, list[tuple[float, float]]] = {"page view": [], "message": []}
        acts: dict[str, Callable[[], object]] = {
            "page view": lambda: record_of_page(website, recipient.client_id, viewed),
            "message": lambda: outbox.send(
                make_message(website, transactional=True), [make_text()], [recipient]
            ),
        }
        self.threads = [threading.Thread(target=self.repeat, args=one) for one in acts.items()]

    def repeat(self, name: str, act: Callable[[], object]) -> None:
        from django.db import connection

        while not self.stopped.wait(0.005):
            started = time.perf_counter()
            act()
            self.took[name].append((started, time.perf_counter()))
        connection.close()

    def __enter__(self) -> None:
        for thread in self.threads:
            thread.start()

    def __exit__(self, *_error: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def figures(self, purges: list[tuple[float, float]]) -> dict[str, Any]:
        """Without a purge, and of what was under way in one or came within half a second of it."""
        found = {}
        for name, took in self.took.items():
            beside, quiet = [], []
            for start, end in took:
                near = any(start < until + 0.5 and end > since - 0.5 for since, until in purges)
                (beside if near else quiet).append(1000 * (end - start))
            found[name] = {"quiet": spread(quiet), "beside_a_purge": spread(beside)}
        return found


def spread(took: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return {
        "count": len(took),
        "p50_ms": round(cuts[49], 1),
        "p99_ms": round(cuts[98], 1),
        "longest_ms": round(max(took), 1),
    }


def pages(messages: list[Any]) -> list[str]:
    """What reads old months: the reports, a message that was let go of and one that was not, a recipient."""
    from signalize_console.recipients.models import Recipient

    person = Recipient.objects.order_by("pk")[DELIVERIES // MONTHS // 2]
    of_messages = [
        path
        for one in (messages[0], messages[-1])
        for path in (f"/admin/reports/message/{one.pk}/", f"/admin/messaging/pushmessage/{one.pk}/change/")
    ]
    compared = "&".join(f"message={one.pk}" for one in messages[:5])
    return [
        "/admin/",
        *(f"/admin/reports/?days={days}" for days in (7, 30, 90, 364)),
        *of_messages,
        f"/admin/reports/compare/?{compared}",
        "/admin/deliveries/delivery/",
        "/admin/activity/event/",
        f"/admin/recipients/recipient/{person.pk}/change/",
        f"/admin/recipients/recipient/{person.pk}/why/?message={messages[0].pk}",
    ]


def tell(figures: dict[str, Any]) -> None:
    before, after, deleted = figures["before"], figures["after"], figures["deleting_instead"]
    took = figures["purge_seconds"]
    print(f"\n{DELIVERIES:,} deliveries over {MONTHS} months; {PURGED} months were let go of.")
    report.table(
        ["", "seconds a month", "MB before", "MB after", "dead rows after"],
        [
            ["detached", f"{took['median']} (longest {took['longest']})", before["mb"], after["mb"],
             after["dead_rows"]],
            ["one by DELETE", deleted["seconds"], deleted["before"]["mb"], deleted["after"]["mb"],
             deleted["after"]["dead_rows"]],
        ],
    )  # fmt: skip
    print()
    report.table(
        ["ingest", "", "count", "p50 ms", "p99 ms", "longest ms"],
        [
            [name, when.replace("_", " "), *one.values()]
            for name, phases in figures["ingest"].items()
            for when, one in phases.items()
        ],
    )
    print()
    report.table(
        ["page", "p95 ms before", "p95 ms after", "queries"],
        [
            [one["page"], earlier["p95_ms"], one["p95_ms"], one["queries"]]
            for earlier, one in zip(figures["pages_before"], figures["pages_after"], strict=True)
        ],
    )


if __name__ == "__main__":
    main()
