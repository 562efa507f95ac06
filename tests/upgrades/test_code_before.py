"""The code before goes on running over the tables of this one: in small, what ``make upgrades`` does under load."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from signalize_console.activity.models import Event
from signalize_console.api.models import ApiKey
from signalize_console.api.scopes import EVERYTHING
from signalize_console.deliveries import installation
from signalize_console.deliveries.heartbeats import Heartbeat
from signalize_console.deliveries.models import Delivery
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.websites.models import Website
from tests.deliveries.conftest import Subscribe, double, running_double, subscribe, website
from tests.upgrades import previous
from tests.web import database_url

__all__ = ["double", "running_double", "subscribe", "website"]
# It accepts, sends, is reported to, and does once what beat asks for.
LIVE = """
import sys, time, django
django.setup()
from django.test import Client
from signalize_console.celery import app
from signalize_console.deliveries import durability, heartbeats, tokens
from signalize_console.deliveries.models import Delivery
durability.ensure = lambda: None  # the tests' server keeps no promise
key, client_id = sys.argv[1:]
web = Client(headers={"host": "localhost", "x-api-key": key})
text = {"language": "en", "title": "Hello", "message": "You", "link": "https://shop.example/"}
message = {"webPush": {"webPushMessageTexts": [text]}}
def post(path, body):
    answer = web.post(path, body, "application/json")
    assert answer.status_code < 300, answer.content
post("/v3/subscriptions/pushmessages", {**message, "recipients": [{"clientId": client_id}]})
post("/v3/pushmessages", message)
app.loader.import_default_modules()
for entry in app.conf.beat_schedule.values():
    app.tasks[entry["task"]].apply(throw=True)
heartbeats.note("beat", "beat-of-before")
end = time.monotonic() + 60
while Delivery.objects.count() < 2 or Delivery.objects.filter(state__in=["pending", "sending"]).exists():
    assert time.monotonic() < end, list(Delivery.objects.values())
    for name in ("deliveries.dispatch_transactional", "deliveries.dispatch_marketing"):
        app.tasks[name].apply(throw=True)
for delivery in Delivery.objects.all():
    post("/browser/reports", {"token": tokens.make(delivery.pk, delivery.day), "event": "shown"})
app.tasks["deliveries.roll_up"].apply(throw=True)
assert web.get("/health").status_code == web.get("/health/ready").status_code == 200
"""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("before") / "code"
    try:
        previous.unpack(previous.commit(), place)
    except previous.NoHistory as error:
        # Also in CI: it may have checked out the newest commit alone.
        pytest.skip(f"needs a git clone with its history: {error}")
    return place


def test_the_code_before_works_over_the_tables_of_this_one(
    before: Path, website: Website, subscribe: Subscribe, double: PushServiceDouble
) -> None:
    installation.send_from_here("tests")
    recipient = subscribe().recipient
    _row, key = ApiKey.issue(website, "before", EVERYTHING)
    env = {
        **os.environ,
        "PYTHONPATH": str(before),
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "signalize_console.settings",
        "SIGNALIZE_PUSH_SERVICES": double.push_services,
        "SIGNALIZE_PUSH_SERVICES_CA": str(double.ca_file),
    }

    done = subprocess.run(
        [sys.executable, "-c", LIVE, key, recipient.client_id],
        cwd=before, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr
    assert [one.state for one in Delivery.objects.all()] == ["accepted", "accepted"]
    assert double.requests == 2
    assert Event.objects.filter(kind="shown").count() == 2
    assert Heartbeat.objects.get(name="beat-of-before").version == ""
