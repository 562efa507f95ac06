"""``make bench-segments``: a million recipients with a million events; counting, sampling and expanding segments.

And what a mark of its transaction costs the engine for each delivery that it records (ADR 8).
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from tests.benchmarks import report

RECIPIENTS = int(os.environ.get("RECIPIENTS", "1000000"))
ROUNDS, RECORDED, GROUP = 5, 9_600, 48
EVENTS = {"field": "event", "name": "order", "within": {"days": 30}}
SEGMENTS: dict[str, Any] = {
    "one attribute (equals, 1 %)": {
        "field": "attribute",
        "name": "city",
        "type": "text",
        "op": "equals",
        "value": "c7",
    },
    "an interest (10 %)": {"field": "interest", "op": "equals", "value": "i3"},
    "language and last visit": {
        "all": [
            {"field": "language", "op": "equals", "value": "de"},
            {"field": "lastVisit", "op": "after", "value": {"daysAgo": 7}},
        ]
    },
    "bought in 30 days": EVENTS,
    "never bought, 3 or more page views": {
        "all": [{**EVENTS, "op": "equals", "value": 0}, {"field": "pageViews", "op": "atLeast", "value": 3}]
    },
}
SEED = """
INSERT INTO recipients_recipient
    (website_id, client_id, customer_id, language, time_zone, attributes, interests, seen_at)
SELECT %(website)s, md5(n::text), '', (ARRAY['de', 'en', 'fr', 'de-AT'])[1 + n %% 4], '',
    jsonb_build_object('city', 'c' || n %% 100, 'age', n %% 80), ARRAY['i' || n %% 10],
    now() - make_interval(days => n %% 60)
FROM generate_series(1, %(recipients)s) n;
INSERT INTO recipients_subscription (website_id, recipient_id, vapid_key_id, endpoint, endpoint_hash, p256dh,
    auth, push_service, state, ended_reason)
SELECT website_id, id, %(key)s, 'https://push.example.net/' || id, sha256(id::text::bytea), '', '', 'fcm',
    'active', '' FROM recipients_recipient;
INSERT INTO activity_event (day, website_id, recipient_id, kind, name, properties, occurred_at)
SELECT (now() - age)::date, website_id, id, CASE WHEN n %% 4 = 0 THEN 'event' ELSE 'page_view' END,
    CASE WHEN n %% 4 = 0 THEN 'order' ELSE '' END, '{}', now() - age
FROM (SELECT *, make_interval(days => (id %% 50)::int, hours => n) AS age
      FROM recipients_recipient, generate_series(1, 4) n WHERE id %% 4 = 0) seen;
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        Path(directory).chmod(0o755)
        home = Home(Path(directory))
        os.environ.update(
            SIGNALIZE_HOME=directory,
            DATABASE_URL=home.database_url,
            DJANGO_SETTINGS_MODULE="signalize_console.settings",
            LOG_LEVEL="ERROR",
        )
        postgres = EmbeddedPostgres(home).start()
        try:
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)
            figures = measure()
        finally:
            postgres.stop()
    for name, value in figures.items():
        print(f"{name}: {value}")
    report.write("segments", figures)


def measure() -> dict[str, Any]:
    import django

    django.setup()
    website = seed()
    return {**segments(website), **recording(website)}


def seed() -> Any:
    from django.db import connection

    from tests.makers import make_website

    website = make_website()
    with connection.cursor() as cursor:
        values = {"website": website.pk, "key": website.vapid_key.pk, "recipients": RECIPIENTS}
        cursor.execute(SEED, values)
        cursor.execute("VACUUM ANALYZE")
    return website


def segments(website: Any) -> dict[str, Any]:
    from django.utils import timezone

    from signalize_console.audiences import counting, reach
    from signalize_console.console.audience import RECENT
    from signalize_console.deliveries import expanding, outbox
    from tests.makers import make_message, make_text

    figures: dict[str, Any] = {"recipients": RECIPIENTS}
    for name, tree in SEGMENTS.items():
        now = timezone.now()
        count, seconds = timed(lambda tree=tree, now=now: counting.count(website, tree, now, seconds=120))
        _sample, sampled = timed(lambda tree=tree, now=now: counting.sample(website, tree, now, seconds=120))
        found, edited = timed(lambda tree=tree, now=now: reach.reach(website, tree, now, RECENT, seconds=120))
        _standings, explained = timed(
            lambda tree=tree, now=now: reach.standings(website, tree, now, seconds=120)
        )
        outbox.send(make_message(website), [make_text()], segment=tree)
        chunks = []
        while not chunks or chunks[-1][0]:
            chunks.append(timed(lambda: expanding.expand_chunk(False)) if chunks else (start(), 0.0))
            if len(chunks) > 200:
                break
        rate = expanding.SEGMENT_CHUNK * (len(chunks) - 1) / sum(seconds for _more, seconds in chunks)
        figures[name] = (
            f"{count} in {seconds * 1000:.0f} ms, ten samples in {sampled * 1000:.0f} ms, "
            f"about {found.subscriptions} while edited in {edited * 1000:.0f} ms and why not others in "
            f"{explained * 1000:.0f} ms, "
            f"expanding looks at {rate:.0f} subscriptions a second"
        )
        cancel_all()
    return figures


def start() -> bool:
    from signalize_console.deliveries import progress

    with cursor() as one:
        one.execute(progress.START, [False])
    return True


def cancel_all() -> None:
    with cursor() as one:
        one.execute("TRUNCATE deliveries_delivery; DELETE FROM messaging_pushmessagetext")
        one.execute("DELETE FROM messaging_pushmessage")


def cursor() -> Any:
    from django.db import connection

    return connection.cursor()


def recording(website: Any) -> dict[str, Any]:
    """Claiming and recording without the wire, with and without the mark and its index, in turns."""
    from signalize_console.deliveries import ledger

    marked = ledger.RECORD
    mark = ",\n        ended_in = CASE result.state WHEN 'pending' THEN NULL ELSE pg_current_xact_id()::text::bigint END"
    assert mark in marked
    costs: dict[str, list[float]] = {"with": [], "without": []}
    for _round in range(ROUNDS):
        for kind, sql in (("with", marked), ("without", marked.replace(mark, ""))):
            ledger.RECORD = sql
            costs[kind].append(record_all(website))
    ledger.RECORD = marked
    found = {kind: statistics.median(some) for kind, some in costs.items()}
    return {
        "PostgreSQL's CPU to claim and record a delivery, marked": f"{found['with']:.0f} µs",
        "the same, unmarked": f"{found['without']:.0f} µs",
    }


def record_all(website: Any) -> float:
    from signalize_console.deliveries import ledger, outbox
    from signalize_console.deliveries.ledger import Claim
    from tests.makers import make_message, make_text

    outbox.send(make_message(website), [make_text()])
    start()
    with cursor() as one:
        one.execute("UPDATE messaging_pushmessage SET state = 'sending'")
        one.execute(
            "INSERT INTO deliveries_delivery (day, push_message_id, subscription_id, recipient_id, push_service, state)"
            " SELECT message.day, message.id, subscription.id, recipient_id, push_service, 'pending'"
            " FROM messaging_pushmessage message, recipients_subscription subscription LIMIT %s",
            [RECORDED],
        )
    results: list[Any] = []
    started, done = backend_seconds(), 0
    while done < RECORDED:
        (claimed,) = ledger.record_and_claim(False, results, [Claim(GROUP)])
        results = [ledger.Result(each, "accepted", "accepted", status=201) for each in claimed]
        done += len(claimed)
    ledger.record_and_claim(False, results, [])
    seconds = backend_seconds() - started
    cancel_all()
    return 1e6 * seconds / RECORDED


def backend_seconds() -> float:
    """CPU that PostgreSQL has used for us: other work on the machine doesn't count."""
    with cursor() as one:
        one.execute("SELECT pg_backend_pid()")
        (pid,) = one.fetchone()
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(do: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = do()
    return result, time.perf_counter() - started


if __name__ == "__main__":
    main()
