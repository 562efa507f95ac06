"""``make bench-automations``: events through 20 rules, a million waiting runs beside them, a date rule over all.

Pages tell of the events, as in production: ten in a request to the web server, a hundred requests a second.
SCALE=0.02 is a fiftieth of all of it.
"""

import asyncio
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from signalize_console.embedded.home import Home
from signalize_console.embedded.postgres import EmbeddedPostgres
from tests.benchmarks import report
from tests.benchmarks.offering import offer, post
from tests.web import Web

SCALE = float(os.environ.get("SCALE", "1"))
RECIPIENTS = WAITING = max(1_000, int(1_000_000 * SCALE))
SECONDS = max(5.0, 60 * SCALE)
REQUESTS, EACH, RULES = 100, 10, 20
TAKEN = 204
SEED = """
INSERT INTO recipients_recipient (website_id, client_id, customer_id, language, time_zone, attributes)
SELECT %(website)s, md5(n::text), '', 'de', 'Europe/Berlin',
    jsonb_build_object('birthday', (date '1990-01-01' + n %% 365)::text)
FROM generate_series(1, %(recipients)s) n;
INSERT INTO recipients_subscription (website_id, recipient_id, vapid_key_id, endpoint, endpoint_hash, p256dh,
    auth, push_service, state, ended_reason)
SELECT website_id, id, %(key)s, 'https://push.example.net/' || id, sha256(id::text::bytea), '', '', 'fcm',
    'active', '' FROM recipients_recipient;
ANALYZE recipients_recipient, recipients_subscription
"""
WAIT = """
INSERT INTO automations_run (rule_id, version_id, recipient_id, trigger, triggered_at, facts, state, step, why, due_at)
SELECT %(rule)s, %(version)s, id, 'event-0', now(), '{}', 'waiting', 1, 'wait', now() + interval '1 day'
FROM recipients_recipient
"""
# From the event to the moment at which its run was moved on.
LATENCIES = """
SELECT extract(epoch FROM run.moved_at - event.occurred_at) FROM automations_run run
JOIN activity_event event ON run.trigger = 'event-' || event.id WHERE run.rule_id = ANY(%s)
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
            SIGNALIZE_TRUSTED_PROXIES="1",
        )
        postgres = EmbeddedPostgres(home).start()
        try:
            subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)
            with Web() as web:
                show(measure(web.port))
        finally:
            postgres.stop()


def show(figures: dict[str, float]) -> None:
    report.table(["what", "figure"], [[name, f"{value:,.3f}"] for name, value in figures.items()])
    report.write("automations", figures)


def measure(port: int) -> dict[str, float]:
    import django

    django.setup()
    from django.db import connection

    from signalize_console.automations import engine
    from tests.makers import make_website

    website = make_website()
    with connection.cursor() as cursor:
        cursor.execute(SEED, {"website": website.pk, "key": website.vapid_key.pk, "recipients": RECIPIENTS})
    settle()
    busy = [make_rule(website, {"kind": "event", "name": f"event{n % 10}"}) for n in range(RULES)]
    engine.run(seconds=5)
    for rule in busy:
        rule.switch(on=True)
    figures = stream(port, website, [rule.pk for rule in busy], "with nobody waiting")
    with connection.cursor() as cursor:
        cursor.execute(WAIT, {"rule": busy[0].pk, "version": busy[0].version_id})
    settle()
    figures |= stream(port, website, [rule.pk for rule in busy], f"with {WAITING:,} waiting")
    return {**figures, **birthday(website)}


def settle() -> None:
    """What a million rows at once leave behind is the seed's, not the product's: tidied up before the clock starts."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def make_rule(website: Any, when: dict[str, Any]) -> Any:
    from signalize_console.automations import rules
    from signalize_console.automations.models import Rule
    from signalize_console.messaging.models import MessageTemplate, TemplateText

    number = MessageTemplate.objects.count()
    template = MessageTemplate.objects.create(website=website, name=f"Template {number}")
    TemplateText.objects.create(
        template=template, language="en", standard=True, title="Hello", link="https://shop.example/"
    )
    rule = Rule(website=website, name=f"Rule {number}", reentry="always")
    rules.save(rule, {"when": when, "steps": [{"wait": {"days": 1}}, {"send": {"template": template.pk}}]})
    return rule


def stream(port: int, website: Any, rules: list[int], name: str) -> dict[str, float]:
    """Ten events a request, a hundred requests a second, and beat beside them."""
    from django.db import connection

    from signalize_console.automations import engine

    over = threading.Event()

    def beat() -> None:
        while not over.is_set():
            started = time.monotonic()
            engine.run(over.is_set)
            over.wait(max(0.0, 1 - (time.monotonic() - started)))
        connection.close()

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM automations_run WHERE trigger <> 'event-0'")
        cursor.execute("SELECT client_id FROM recipients_recipient ORDER BY id LIMIT 1000")
        clients = [client for (client,) in cursor.fetchall()]
    thread = threading.Thread(target=beat)
    thread.start()
    happened = [{"name": f"event{n}", "properties": {"value": n}} for n in range(EACH)]
    requests = [
        post(
            f"/browser/{website.secure_code}/events",
            json.dumps({"clientId": clients[n % len(clients)], "events": happened}).encode(),
            f"{20 + n % 80}.{n // 256 % 256}.{n % 256}.9",
            website.origins[0],
        )
        for n in range(int(SECONDS * REQUESTS) + 1)
    ]
    offered = asyncio.run(offer(port, iter(requests), REQUESTS, SECONDS))
    time.sleep(3)
    over.set()
    thread.join()
    with connection.cursor() as cursor:
        cursor.execute(LATENCIES, [rules])
        latencies = [float(seconds) for (seconds,) in cursor.fetchall()]
    return {
        f"{name}: events a second": offered.per_second * EACH,
        f"{name}: requests that were not taken": float(
            sum(offered.statuses.values()) - offered.statuses[TAKEN]
        ),
        f"{name}: runs": float(len(latencies)),
        f"{name}: event to moved run, p50 s": statistics.median(latencies),
        f"{name}: event to moved run, p99 s": statistics.quantiles(latencies, n=100)[98],
        f"{name}: the endpoint, p50 ms": offered.percentile(50),
        f"{name}: the endpoint, p99 ms": offered.percentile(99),
    }


def birthday(website: Any) -> dict[str, float]:
    """One look at all recipients' dates, of whom some have their birthday today, in two minutes."""
    from signalize_console.automations import schedules
    from signalize_console.automations.models import Run

    soon = datetime.datetime.now(ZoneInfo("Europe/Berlin")) + datetime.timedelta(minutes=2)
    when = {"kind": "date", "attribute": "birthday", "every": "year", "at": f"{soon:%H:%M}"}
    rule = make_rule(website, when)
    rule.switch(on=True)
    started = time.monotonic()
    while schedules.tick():
        pass
    return {
        f"a birthday rule over {RECIPIENTS:,} recipients, s": time.monotonic() - started,
        "those whose birthday it is": float(Run.objects.filter(rule=rule).count()),
    }


if __name__ == "__main__":
    main()
