"""What the dashboard and the alert rules ask for is what ``/metrics`` gives; and nothing it gives goes unseen.

A real web with two processes, and the engine, at work on the same database.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import requests
import yaml
from django.core.management import call_command
from django.db import connection

from signalize_console.api.models import ApiKey
from signalize_console.deliveries import backups, gauges, health, heartbeats, latencies, rolling_up
from signalize_console.deliveries.alerts import LONGEST_PROBE, AlertKind, raise_alert
from signalize_console.deliveries.heartbeats import HeartbeatKind
from signalize_console.deliveries.models import Tally
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.api.calling import SEND, body_for
from tests.deliveries.conftest import double, running_double, subscribe, website, work
from tests.embedded.living import wait_until
from tests.web import ROOT, Web, database_url

__all__ = ["double", "running_double", "subscribe", "website", "work"]
pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "a-token-of-some-length"
NAME = re.compile(r"\bsignalize_\w+")
DASHBOARD = json.loads((ROOT / "deploy/grafana.json").read_text())
RULES = yaml.safe_load((ROOT / "deploy/alerts.yaml").read_text())["groups"][0]["rules"]


def panels() -> Iterator[dict[str, Any]]:
    return (one for one in DASHBOARD["panels"] if one["type"] != "row")


def asked_by_dashboard() -> dict[str, set[str]]:
    """Each metric, with the labels that something is asked of."""
    return asked(target["expr"] for one in panels() for target in one["targets"])


def asked(expressions: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for text in expressions:
        labels = {
            label.strip() for group in re.findall(r"by \(([^)]+)\)", text) for label in group.split(",")
        } | set(re.findall(r'(\w+)[!=]=?~?"', text))
        for name in NAME.findall(text):
            found.setdefault(name, set()).update(labels)
    return found


def given(text: str) -> dict[str, set[str]]:
    """Each sample's name, with its labels."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _brace, labels = line.rpartition(" ")[0].partition("{")
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


def test_every_expression_names_what_is_given_and_all_that_is_given_is_shown(
    website: Website, subscribe: Callable[..., Subscription], work: Callable[[], None]
) -> None:
    client_id = subscribe().recipient.client_id
    _key, key = ApiKey.issue(website, "CRM", ["messages:write"])
    headers = {"X-API-Key": key, "Idempotency-Key": "order-1"}
    with Web(workers=2, DATABASE_URL=database_url(), SIGNALIZE_METRICS_TOKEN=TOKEN) as web:

        def metrics() -> str:
            return requests.get(
                f"{web.origin}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
            ).text

        for _repeat in range(2):
            answer = requests.post(
                web.origin + SEND, json=body_for({"clientId": client_id}), headers=headers, timeout=30
            )
            assert answer.status_code == 201, answer.text
        work()
        latencies.stopwatch.add()
        call_command("verify_ledger")
        backups.note()
        assert not rolling_up.roll_up()
        raise_alert(AlertKind.THROTTLED, website.pk, "fcm")
        heartbeats.note(HeartbeatKind.BEAT, "beat-1@here")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT date_trunc('minute', now()) + make_interval(mins => n) FROM generate_series(-1, 1) n"
            )
            for (minute,) in cursor.fetchall():
                Tally.objects.update_or_create(
                    minute=minute, website=website, push_service="fcm", defaults={"accepted": 1}
                )
        accepted = 'signalize_accept_seconds_count{class="transactional"} 1.0'
        assert wait_until(lambda: accepted in metrics(), 60)
        # Whichever process answers, it tells of both.
        text = metrics()
        assert all(accepted in metrics() for _time in range(4))

    answered = re.search(
        r'signalize_post_seconds_count\{class="transactional",push_service="mozilla"\} (\S+)', text
    )
    assert answered
    assert float(answered[1]) >= 1
    assert "signalize_ledger_violations 0.0" in text
    known = given(text)
    for expressions in (asked_by_dashboard(), asked(rule["expr"] for rule in RULES)):
        assert set(expressions) <= set(known)
        assert not {
            name: labels - known[name] for name, labels in expressions.items() if labels - known[name]
        }
    families = {re.sub("_(bucket|count|sum)$", "", name) for name in known}
    assert families == {re.sub("_(bucket|count|sum)$", "", name) for name in asked_by_dashboard()}


def test_the_reading_stands_still_behind_a_forgotten_transaction() -> None:
    def position() -> float:
        rolling_up.roll_up()
        heartbeats.note(HeartbeatKind.BEAT, "beat-1@here")
        rolling_up.roll_up()
        (gauge,) = (one for one in gauges.read() if one.name == "reader_position")
        return dict(gauge.samples)[(rolling_up.READER,)]

    with psycopg.connect(database_url()) as forgotten:
        forgotten.execute("SELECT pg_current_xact_id()")
        before = position()
        assert position() == before
    assert position() > before


def test_the_documentation_names_each() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    named = set(NAME.findall(text))
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in asked_by_dashboard()} <= named


def test_each_panel_says_what_it_shows() -> None:
    """No Grafana is here to import it: what its schema asks for, as far as it can be said."""
    (variable,) = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    places, ids = [], []
    for one in panels():
        assert one["title"]
        assert one["description"]
        assert one["fieldConfig"]["defaults"]["unit"]
        assert one["datasource"]["uid"] == "${datasource}"
        for target in one["targets"]:
            assert target["datasource"] == one["datasource"]
            assert target["expr"].count("(") == target["expr"].count(")")
        at = one["gridPos"]
        assert 0 <= at["x"] < at["x"] + at["w"] <= 24
        places += [
            (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        ]
        ids.append(one["id"])
    assert len(places) == len(set(places))
    assert len(ids) == len(set(ids))


EVERYBODY = {("beat", ""), ("worker", ""), *(("engine", queue) for queue in sorted(health.QUEUES))}


def silent_by_rule() -> set[tuple[str, ...]]:
    """For whom the rule on silence is true now."""
    (expression,) = [rule["expr"] for rule in RULES if rule["alert"] == "SignalizeProcessSilent"]
    name, bound = re.fullmatch(r"signalize_(\w+) > (\d+)", expression).groups()  # type: ignore[union-attr]
    return {labels for labels, value in gauge(name).items() if value > float(bound)}


def gauge(name: str) -> dict[tuple[str, ...], float]:
    (found,) = [one for one in gauges.read() if one.name == name]
    return dict(found.samples)


def age(interval: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE deliveries_heartbeat SET beat_at = now() - %s::interval", [interval])


def test_who_is_dead_or_never_lived_is_silent_for_the_rule_until_it_lives() -> None:
    assert silent_by_rule() == EVERYBODY
    assert gauge("processes") == dict.fromkeys(EVERYBODY, 0)

    for kind, queue in sorted(EVERYBODY):
        heartbeats.note(HeartbeatKind(kind), f"{queue or kind}-1@here")
    assert silent_by_rule() == set()

    # Each is started anew, under another number: there is one of each, and not two.
    age("31 seconds")
    assert silent_by_rule() == EVERYBODY
    for kind, queue in sorted(EVERYBODY - {("engine", "maintenance")}):
        heartbeats.note(HeartbeatKind(kind), f"{queue or kind}-2@here")
    assert silent_by_rule() == {("engine", "maintenance")}
    assert gauge("processes") == {**dict.fromkeys(EVERYBODY, 1), ("engine", "maintenance"): 0}

    # It stays true for as long as it is.
    age("2 days")
    heartbeats.forget_old()
    assert silent_by_rule() == EVERYBODY


def test_each_rule_says_what_is_wrong() -> None:
    summaries = {rule["alert"]: rule["annotations"]["summary"] for rule in RULES}
    assert len(summaries) == len(RULES)
    assert all(summaries.values())
    assert {rule["labels"]["severity"] for rule in RULES} == {"critical", "warning", "info"}


def test_being_asked_to_slow_down_wakes_nobody_at_once() -> None:
    for rule in RULES:
        if "signalize_alerts_open" in rule["expr"]:
            assert 'kind!="throttled"' in rule["expr"] or rule.get("for") == "6h"


def test_a_refusal_is_seen_for_as_long_as_until_the_next_try() -> None:
    """A stopped lane tries one message from time to time, and the gauge tells of one minute only."""
    (rule,) = [rule for rule in RULES if rule["alert"] == "SignalizeRefused"]
    minutes = re.search(
        r"max_over_time\(signalize_answers_per_minute\{outcome=\"refused\"\}\[(\d+)m\]\)", rule["expr"]
    )
    assert minutes
    assert int(minutes[1]) * 60 > LONGEST_PROBE[AlertKind.CONFIGURATION]
    assert "for" not in rule
