"""What can be told of a person, marked and sent the whole way: each mark is found in its columns, and nowhere else.

Real web and engine in processes of their own; then every table, the broker, every log, ``/metrics`` and
``/health`` are read through. After the erasure nothing is left at all.
"""

import base64
import contextlib
import ipaddress
import json
import os
import re
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis
from django.conf import settings
from django.db import connection

from signalize_console.api.models import ApiKey
from signalize_console.deliveries import erasure_log
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.subscribing import PushSubscription
from tests.api.calling import SEND, body_for
from tests.browser_face.calling import body_of
from tests.makers import ORIGIN, make_website
from tests.web import ROOT, Web, database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

# Each mark, and the only columns that may hold it.
ALLOWED: dict[str, set[str]] = {
    "address": set(),
    "user_agent": set(),
    "api_key": set(),
    "vapid_private_key": set(),
    "endpoint": {"recipients_subscription.endpoint", "deliveries_attempt.answer"},
    "auth": {"recipients_subscription.auth"},
    "client_id": {"recipients_recipient.client_id"},
    "customer_id": {"recipients_recipient.customer_id"},
    "attribute": {"recipients_recipient.attributes", "activity_event.properties"},
    "interest": {"recipients_recipient.interests", "activity_event.name"},
    "event_value": {"activity_event.properties"},
    "message": {"messaging_pushmessagetext.message"},
    "value": {"messaging_pushmessage.data"},
}
WORK = """
import django; django.setup()
from signalize_console.automations import engine
from signalize_console.deliveries import housekeeping, rolling_up
from signalize_console.deliveries.dispatch import Dispatch
for _time in range(2):
    for transactional in (True, False):
        Dispatch(transactional).run(seconds=10)
engine.run()
rolling_up.roll_up()
housekeeping.clean_up()
"""
# Ordinary tables, and those that are made of partitions, whose parts need no look of their own.
TABLES = """
SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition
"""


class Place(NamedTuple):
    """Where something is written down, and what: a column, a key of the broker, a log."""

    name: str
    text: str


def forms(mark: str) -> list[str]:
    """As it may be written: plainly, in hexadecimal, in base64."""
    raw = mark.encode()
    return [mark, raw.hex(), base64.b64encode(raw).decode().rstrip("=")[:-1]]


def tables() -> Iterator[Place]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT to_jsonb(whole_row) FROM "{table}" whole_row')
            for (row,) in cursor.fetchall():
                for column, value in (json.loads(row) if isinstance(row, str) else row).items():
                    yield Place(f"{table}.{column}", json.dumps(value, ensure_ascii=False))


def broker() -> Iterator[Place]:
    with contextlib.closing(redis.Redis.from_url(os.environ["CELERY_BROKER_URL"].replace("redis+socket", "unix").replace("virtual_host", "db"))) as valkey:  # fmt: skip
        for key in valkey.scan_iter():
            read: dict[bytes, Any] = {
                b"list": lambda key: valkey.lrange(key, 0, -1),
                b"set": valkey.smembers,
                b"hash": valkey.hgetall,
                b"zset": lambda key: valkey.zrange(key, 0, -1),
                b"string": valkey.get,
            }
            if (kind := valkey.type(key)) == b"none":
                continue  # gone meanwhile: its time was over
            text = f"{key!r} {read[kind](key)!r}"
            bodies = [base64.b64decode(body) for body in re.findall(r'"body": "([^"]+)"', text)]
            yield Place("broker", f"{text} {bodies}")


def found(marks: dict[str, str], places: list[Place]) -> dict[str, set[str]]:
    return {
        name: {place.name for place in places if any(form in place.text for form in forms(mark))}
        for name, mark in marks.items()
    }


def call(web: Web, path: str, body: Any = None, **headers: str) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(web.origin + path, data)
    for name, value in {"Content-Type": "application/json", "Origin": ORIGIN, **headers}.items():
        request.add_header(name, value)
    with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read().decode()
        return json.loads(text) if text.startswith("{") else text
    return None


def test_what_is_told_of_a_person_stays_in_its_columns(transactional_db: None, tmp_path: Path) -> None:
    website = make_website()
    _key, key = ApiKey.issue(website, "CRM", ["messages:write", "recipients:write"])
    marks = {
        # A public one: what the limits keep of others is nothing.
        "address": f"93.{secrets.randbelow(156) + 100}.{secrets.randbelow(156) + 100}.{secrets.randbelow(156) + 100}",
        "user_agent": f"Canary/{secrets.token_hex(8)}",
        "api_key": key,
        "vapid_private_key": base64.urlsafe_b64encode(website.vapid_key.private_key).decode().rstrip("="),
        "client_id": secrets.token_hex(16),
        **{
            name: f"{name}-{secrets.token_hex(8)}"
            for name in ("customer_id", "attribute", "interest", "event_value", "message", "value")
        },
    }
    visitor = {
        "User-Agent": f"Mozilla/5.0 (X11; Linux) {marks['user_agent']}",
        "X-Forwarded-For": marks["address"],
    }
    assert ipaddress.ip_address(marks["address"]).is_global
    log = tmp_path / "log"
    with PushServiceDouble() as double, log.open("wb") as output:
        env = {
            "DATABASE_URL": database_url(),
            "SIGNALIZE_TRUSTED_PROXIES": "1",
            "SIGNALIZE_METRICS_TOKEN": "watch",
            "SIGNALIZE_PUSH_SERVICES": double.push_services,
            "SIGNALIZE_PUSH_SERVICES_CA": str(double.ca_file),
            "LOG_LEVEL": "DEBUG",
        }
        subscriber = double.make_subscriber("mozilla", application_server_key=website.vapid_key.public_key)
        push = PushSubscription(
            subscriber.endpoint, subscriber.p256dh, subscriber.auth, website.vapid_key.public_key
        )
        marks |= {"endpoint": push.endpoint.rpartition("/")[2], "auth": push.auth}
        about = {
            "customerId": marks["customer_id"],
            "attributes": {"club": marks["attribute"]},
            "interests": [marks["interest"]],
        }
        with Web(output=output, **env) as web:
            door = f"/browser/{website.secure_code}"
            proof = {"endpoint": push.endpoint, "auth": push.auth}
            assert call(web, f"{door}/subscriptions", body_of(push, marks["client_id"], **about), **visitor)
            event = {"name": "order", "properties": {"note": marks["event_value"]}}
            batch = {"clientId": marks["client_id"], "events": [event]}
            call(web, f"{door}/events", batch, **visitor)
            # What is refused may end in a log more easily than what is taken.
            for broken in ("subscriptions", "recipient", "events"):
                call(
                    web,
                    f"{door}/{broken}",
                    {**batch, **proof, **about, "events": marks["event_value"]},
                    **visitor,
                )
            said = body_for({"clientId": marks["client_id"]}, message=marks["message"] + " {{ order }}")
            said["data"] = {"order": marks["value"]}
            for idempotency in ("one", "two"):
                told = call(web, SEND, said, **{"X-API-Key": key, "Idempotency-Key": idempotency}, **visitor)
                assert told, "not accepted"
            double.answer_next(500, body=marks["endpoint"].encode())
            run_engine(env, output)
            assert double.received
            token = json.loads(double.received[0].plaintext)["notification"]["data"]["token"]
            call(web, "/browser/reports", {"event": "shown", "token": token}, **visitor)
            places = [
                *tables(),
                *broker(),
                Place("/health", json.dumps(call(web, "/health"))),
                Place("/metrics", call(web, "/metrics", Authorization="Bearer watch")),
                *(Place(file.name, file.read_text(errors="replace")) for file in logs(log)),
            ]
            assert {"/metrics", "/health", "log", "postgres.log", "broker"} <= {
                place.name for place in places
            }

            assert found(marks, places) == ALLOWED

            call(web, f"{door}/preferences/erase", proof, **visitor)
            run_engine(env, output)
            left = [
                *tables(),
                *broker(),
                *(Place(file.name, file.read_text(errors="replace")) for file in logs(log)),
            ]
    assert found(marks, left) == {name: set() for name in marks}
    assert marks["client_id"] not in erasure_log.path().read_text()


def run_engine(env: dict[str, str], output: Any) -> None:
    whole = {**os.environ, "DJANGO_SETTINGS_MODULE": "signalize_console.settings", **env}
    subprocess.run(
        [sys.executable, "-c", WORK], cwd=ROOT, env=whole, stdout=output, stderr=output, check=True
    )


def logs(own: Path) -> list[Path]:
    return [own, *settings.HOME.logs.iterdir()]
