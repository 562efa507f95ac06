"""What those who start, stop and watch over the console's processes ask it."""

import copy
import datetime
import json
import logging
import logging.config
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from signalize_console.console import health
from signalize_console.deliveries.alerts import AlertKind, raise_alert
from signalize_console.deliveries.models import Tally
from tests.makers import make_message, make_website

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-some-length"


@pytest.fixture(autouse=True)
def nothing_known() -> Any:
    health._check_migrated.cache_clear()
    yield
    health._check_migrated.cache_clear()


def test_a_process_that_answers_lives_whatever_the_database_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: Any) -> None:
        raise DatabaseError("gone")

    assert Client().get("/health/ready").json() == {"status": "ok"}
    monkeypatch.setattr(connection, "cursor", away)
    assert Client().get("/health/live").json() == {"status": "ok"}
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "no database"})


def test_who_lacks_a_migration_serves_nobody_yet() -> None:
    last = MigrationRecorder.Migration.objects.filter(app="deliveries").latest("id")
    last.delete()
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert f"deliveries.{last.name}" in answer.json()["missing"]


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}])
def test_metrics_are_not_for_strangers(settings: Any, header: dict[str, str]) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert Client().get("/metrics", headers=header).status_code == 404


def test_without_a_token_there_are_no_metrics(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_metrics_tell_what_waits_and_what_was_answered(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    website = make_website()
    message = make_message(website)
    message.state, message.due_at = "sending", datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    message.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_trunc('minute', now()) - interval '1 minute'")
        (minute,) = cursor.fetchone()
    Tally.objects.create(minute=minute, website=website, push_service="fcm", accepted=7, gone=2)
    raise_alert(AlertKind.OUTAGE, None, "apple")

    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    lines = answer.content.decode().splitlines()
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'signalize_messages_due{class="marketing"} 1.0' in lines
    assert 'signalize_messages_due{class="transactional"} 0.0' in lines
    assert 'signalize_messages{state="sending"} 1.0' in lines
    assert 'signalize_answers_per_minute{outcome="accepted",push_service="fcm"} 7.0' in lines
    assert 'signalize_answers_per_minute{outcome="gone",push_service="fcm"} 2.0' in lines
    assert 'signalize_alerts_open{kind="outage",push_service="apple"} 1.0' in lines
    late = next(
        line for line in lines if line.startswith('signalize_messages_due_seconds{class="marketing"}')
    )
    assert float(late.split()[1]) > 86_400


def test_a_line_of_the_log_can_be_read_by_a_machine(settings: Any) -> None:
    """LOG_FORMAT=json."""
    config = copy.deepcopy(settings.LOGGING["formatters"]["json"])
    configurator = logging.config.DictConfigurator({"version": 1, "formatters": {"json": config}})
    formatter = configurator.configure_formatter(config)
    record = logging.LogRecord(
        "signalize", logging.WARNING, __file__, 1, "Line %s\nwith a break", ("one",), None
    )

    said = json.loads(formatter.format(record))

    assert said["level"] == "WARNING"
    assert said["logger"] == "signalize"
    assert said["message"] == "Line one\nwith a break"
