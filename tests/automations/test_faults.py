"""Killed in the middle, and woken twice: each run sends once."""

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection

from signalize_console.automations import advancing, engine
from signalize_console.automations.models import Rule, Run, RunState
from signalize_console.deliveries.models import Delivery
from signalize_console.websites.models import Website
from tests.automations.conftest import MakeRule

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parent.parent.parent
RUNS = 10_000

RECIPIENTS = """
WITH made AS (
    INSERT INTO recipients_recipient (website_id, client_id, customer_id, language, time_zone, attributes)
    SELECT %(website)s, md5(n::text), '', '', '', '{}' FROM generate_series(1, %(count)s) n RETURNING id
), subscribed AS (
    INSERT INTO recipients_subscription (website_id, recipient_id, vapid_key_id, endpoint, endpoint_hash, p256dh,
        auth, push_service, state, ended_reason)
    SELECT %(website)s, id, %(key)s, 'https://push.example.net/' || id, sha256(id::text::bytea), '', '', 'fcm',
        'active', '' FROM made
)
INSERT INTO automations_run (rule_id, version_id, recipient_id, trigger, triggered_at, facts, state, due_at)
SELECT %(rule)s, %(version)s, id, 'event-' || id, now(), '{"number": 1}', 'waiting', now() FROM made
"""
ENGINE = (
    "import django; django.setup(); from signalize_console.automations import engine; engine.run(seconds=20)"
)


def make_runs(website: Website, rule: Rule) -> None:
    values = {
        "website": website.pk,
        "key": website.vapid_key.pk,
        "rule": rule.pk,
        "version": rule.version_id,
        "count": RUNS,
    }
    with connection.cursor() as cursor:
        cursor.execute(RECIPIENTS, values)


def each_once() -> None:
    assert Run.objects.filter(state=RunState.FINISHED).count() == RUNS
    assert Delivery.objects.count() == RUNS
    assert Delivery.objects.values("recipient").distinct().count() == RUNS


def test_a_killed_engine_sends_each_once(website: Website, make_rule: MakeRule) -> None:
    make_runs(website, make_rule({"kind": "event", "name": "order"}))
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "signalize_console.settings", "LOG_LEVEL": "ERROR"}
    name = connection.settings_dict["NAME"]
    env["DATABASE_URL"] = os.environ["DATABASE_URL"].replace("@/signalize?", f"@/{name}?")
    assert name in env["DATABASE_URL"]
    killed = 0
    while Run.objects.filter(state=RunState.WAITING).exists():
        before = Run.objects.filter(state=RunState.WAITING).count()
        process = subprocess.Popen([sys.executable, "-c", ENGINE], cwd=ROOT, env=env)
        if killed < 3:
            # In the middle: as soon as the first chunk was committed, and a moment later.
            end = time.monotonic() + 30
            while Run.objects.filter(state=RunState.WAITING).count() == before and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(random.uniform(0, 0.2))
            process.kill()
            killed += 1
        process.wait(60)
    assert killed >= 1
    each_once()


def test_engines_that_run_at_once_send_each_once(
    website: Website, make_rule: MakeRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_runs(website, make_rule({"kind": "event", "name": "order"}))
    monkeypatch.setattr(advancing, "CHUNK", 50)

    def beat() -> None:
        engine.run(seconds=30)
        connection.close()

    threads = [threading.Thread(target=beat) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.run(seconds=10)
    each_once()
