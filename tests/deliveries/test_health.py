"""What the engine says of itself, and what is made of it."""

from collections.abc import Callable

from django.db import connection
from django.test import Client

from signalize_console import __version__
from signalize_console.deliveries import dispatch, health, heartbeats, housekeeping
from signalize_console.deliveries.alerts import AlertKind, raise_alert
from signalize_console.deliveries.heartbeats import Heartbeat, HeartbeatKind
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.deliveries.test_engine import send_to

Work = Callable[[], None]
Subscribe = Callable[..., Subscription]


def age(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE deliveries_heartbeat SET beat_at = now() - make_interval(secs => %s)", [seconds]
        )


def all_live() -> None:
    heartbeats.note(HeartbeatKind.BEAT, "beat-1@here", 0.0)
    heartbeats.note(HeartbeatKind.WORKER, "transactional@here", 0.0)
    heartbeats.note(HeartbeatKind.ENGINE, "transactional-1@here", 0.0)
    heartbeats.note(HeartbeatKind.ENGINE, "marketing-1@here", 0.0)
    heartbeats.note(HeartbeatKind.ENGINE, "maintenance-1@here", 0.0)
    heartbeats.note(HeartbeatKind.ENGINE, "automations-1@here", 0.0)


def test_the_engine_shows_that_it_lives(website: Website, work: Work) -> None:
    dispatch._life_of.cache_clear()  # as after the seconds for which a process says it only once
    work()

    names = [name.split("-")[0] for name in Heartbeat.objects.order_by("id").values_list("name", flat=True)]
    assert names == ["transactional", "marketing"]
    assert health.look().silent == ["beat", "worker", "maintenance", "automations"]


def test_who_is_silent_is_named(transactional_db: None) -> None:
    all_live()
    assert health.look().is_good
    age(31)
    heartbeats.note(HeartbeatKind.ENGINE, "marketing-2@there", 0.0)
    found = Client().get("/health").json()
    assert found["status"] == "degraded"
    assert found["silent"] == ["beat", "worker", "transactional", "maintenance", "automations"]


def test_a_message_that_waits_too_long_is_seen(website: Website, subscribe: Subscribe) -> None:
    all_live()
    message = send_to(subscribe(), website)
    assert Client().get("/health").json()["status"] == "ok"
    type(message).objects.update(due_at="2026-01-01T00:00:00Z")

    found = Client().get("/health").json()

    assert found["status"] == "degraded"
    assert found["secondsLate"] > 10


def test_an_alert_is_seen(website: Website) -> None:
    all_live()
    raise_alert(AlertKind.OUTAGE, None, "fcm")
    found = Client().get("/health").json()
    assert (found["status"], found["openAlerts"]) == ("degraded", 1)


def test_other_versions_at_work_are_named(website: Website) -> None:
    all_live()
    found = Client().get("/health").json()
    assert (found["version"], found["otherVersions"]) == (__version__, [])
    Heartbeat.objects.filter(kind=HeartbeatKind.BEAT).update(version="0.0.9")
    Heartbeat.objects.filter(kind=HeartbeatKind.WORKER).update(version="")

    found = Client().get("/health").json()

    # An update under way is no reason to wake anybody.
    assert (found["status"], found["otherVersions"]) == ("ok", ["0.0.9", "unknown"])
    age(31)
    assert Client().get("/health").json()["otherVersions"] == []


def test_old_signs_of_life_are_forgotten(website: Website) -> None:
    all_live()
    age(90_000)
    heartbeats.note(HeartbeatKind.BEAT, "beat-2@here")
    housekeeping.clean_up()
    assert list(Heartbeat.objects.values_list("name", flat=True)) == ["beat-2@here"]
