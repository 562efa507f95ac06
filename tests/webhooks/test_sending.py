"""Telling a receiver that may be well, ill, slow, rude or gone."""

import datetime
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from signalize_console.activity import events
from signalize_console.activity.models import EventKind
from signalize_console.recipients.models import Recipient
from signalize_console.webhooks import dispatch, endpoints, ledger, sending, wire
from signalize_console.webhooks.dispatch import Dispatch
from signalize_console.webhooks.models import WebhookDelivery, WebhookEndpoint
from signalize_console.websites.models import Website
from tests.makers import make_recipient
from tests.webhooks.conftest import make_due
from tests.webhooks.receiver import (
    HOST,
    OTHER_HOST,
    Receiver,
    answer,
    dawdle,
    drip,
    flood,
    hang,
    in_turn,
    slam,
    verifies,
)

pytestmark = pytest.mark.django_db(transaction=True)
Listen = Callable[..., endpoints.Made]
Tell = Callable[[], int]


def click(recipient: Recipient, times: int = 1) -> None:
    for _time in range(times):
        events.record(EventKind.CLICKED, recipient, button="button-1")


def states() -> list[str]:
    return list(WebhookDelivery.objects.order_by("id").values_list("state", flat=True))


def only(model: Any = WebhookDelivery) -> Any:
    return model.objects.get()


def test_an_event_arrives_signed_and_says_what_is_documented(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    made = listen("clicked")
    recipient = make_recipient(website, customer_id="c-1")
    before = timezone.now()
    click(recipient)

    assert tell() == 1

    (received,) = receiver.received()
    assert verifies(received, made.secret)
    assert received.headers["content-type"] == "application/json"
    told = received.json
    at = datetime.datetime.fromisoformat(told.pop("timestamp"))
    assert abs(at - before) < datetime.timedelta(seconds=5)
    assert told == {
        "type": "clicked",
        "data": {"clientId": recipient.client_id, "customerId": "c-1", "button": "button-1"},
    }
    delivery = only()
    assert received.headers["webhook-id"] == delivery.webhook_id
    assert (delivery.state, delivery.status_code, delivery.attempts) == ("delivered", 204, 1)


def test_a_changed_secret_signs_beside_the_one_before_for_a_day(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    made = listen("clicked")
    renewed = endpoints.rotate_secret(made.endpoint)
    click(make_recipient(website))
    tell()
    (received,) = receiver.received()
    assert renewed != made.secret
    assert verifies(received, made.secret)
    assert verifies(received, renewed)

    WebhookEndpoint.objects.update(former_until=timezone.now())
    click(make_recipient(website))
    tell()
    received = receiver.received()[-1]
    assert not verifies(received, made.secret)
    assert verifies(received, renewed)


def test_whom_an_erased_recipient_was_is_not_told(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    listen("clicked")
    receiver.behave("/hook", in_turn(answer(500), answer(204)))
    recipient = make_recipient(website, customer_id="c-1")
    click(recipient)
    tell()
    recipient.delete()
    make_due()
    tell()
    first, second = receiver.received()
    assert "clientId" in first.json["data"]
    assert second.json["data"] == {"button": "button-1"}
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


@pytest.mark.parametrize(
    ("behaviour", "status", "reason"),
    [
        (answer(500), 500, "status_500"),
        (answer(400), 400, "status_400"),
        (answer(429), 429, "status_429"),
        (answer(302, Location=f"https://{HOST}/elsewhere"), 302, "redirect"),
        (answer(304), 304, "redirect"),
        (slam, None, "broken_after_sending"),
    ],
)
def test_what_is_not_taken_is_tried_again(
    receiver: Receiver,
    website: Website,
    listen: Listen,
    tell: Tell,
    behaviour: Any,
    status: int | None,
    reason: str,
) -> None:
    listen("clicked")
    receiver.behave("/hook", in_turn(behaviour, answer(200)))
    click(make_recipient(website))
    assert tell() == 1
    delivery = only()
    assert (delivery.state, delivery.status_code, delivery.reason) == ("pending", status, reason)
    assert 7 < (delivery.due_at - timezone.now()).total_seconds() < 13
    assert tell() == 0
    make_due()
    assert tell() == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.reason) == ("delivered", 2, "")
    assert {one.path for one in receiver.received()} == {"/hook"}
    assert only(WebhookEndpoint).failing_since is None


@pytest.mark.parametrize("behaviour", [hang(3), drip(3)])
def test_a_slow_receiver_is_given_up_in_time(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell, behaviour: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(wire, "REQUEST_SECONDS", 1)
    listen("clicked")
    wire._transport_of.cache_clear()
    receiver.behave("/hook", behaviour)
    click(make_recipient(website))
    started = time.monotonic()
    tell()
    assert time.monotonic() - started < 3
    assert (only().state, only().reason) == ("pending", "timeout_after_sending")


def test_an_answer_is_read_no_further_than_its_limit(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    listen("clicked")
    receiver.behave("/hook", flood)
    click(make_recipient(website))
    tell()
    delivery = only()
    assert (delivery.state, len(delivery.answer)) == ("delivered", 500)


def test_gone_switches_the_endpoint_off(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    listen("clicked")
    receiver.behave("/hook", answer(410))
    click(make_recipient(website), 3)
    tell()
    endpoint = only(WebhookEndpoint)
    assert (endpoint.active, endpoint.disabled_because) == (False, "gone")
    make_due()
    assert tell() == 0
    receiver.behave("/hook", answer(204))
    endpoints.enable(endpoint)
    assert tell() == 3
    assert states() == ["delivered"] * 3


def test_three_days_of_failure_switch_the_endpoint_off(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    listen("clicked")
    receiver.behave("/hook", answer(503))
    click(make_recipient(website))
    tell()
    endpoint = only(WebhookEndpoint)
    assert endpoint.active
    assert endpoint.failing_since is not None
    WebhookEndpoint.objects.update(failing_since=timezone.now() - datetime.timedelta(days=3, minutes=1))
    make_due()
    tell()
    endpoint.refresh_from_db()
    assert (endpoint.active, endpoint.disabled_because) == (False, "failing")


def test_an_event_is_tried_for_three_days_and_can_be_told_once_more(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    listen("clicked")
    receiver.behave("/hook", answer(400))
    click(make_recipient(website))
    tell()
    delivery = only()
    assert abs(delivery.give_up_at - delivery.created_at - datetime.timedelta(days=3)).total_seconds() < 1
    WebhookDelivery.objects.update(give_up_at=timezone.now() + datetime.timedelta(seconds=2))
    make_due()
    tell()
    assert states() == ["failed"]
    receiver.behave("/hook", answer(204))
    assert endpoints.redeliver(WebhookDelivery.objects.all()) == 1
    tell()
    assert states() == ["delivered"]
    assert len({one.headers["webhook-id"] for one in receiver.received()}) == 1
    assert endpoints.redeliver(WebhookDelivery.objects.filter(state="pending")) == 0


def test_what_waits_for_an_endpoint_that_is_off_is_given_up_too(
    website: Website, listen: Listen, tell: Tell
) -> None:
    made = listen("clicked")
    click(make_recipient(website))
    while dispatch.telling.read_on():
        pass
    endpoints.disable(made.endpoint)
    WebhookDelivery.objects.update(give_up_at=timezone.now() - datetime.timedelta(seconds=1))
    tell()
    assert (only().state, only().reason) == ("failed", "given_up")


def test_the_waits_between_tries_grow() -> None:
    waits = [[sending.backoff(attempts) for _time in range(200)] for attempts in range(1, 20)]
    for attempts, some in enumerate(waits):
        middle = min(10.0 * 4**attempts, 6 * 3600.0)
        assert min(some) >= middle * 0.8
        assert max(some) <= middle * 1.2
        assert max(some) - min(some) > middle * 0.2


def test_retry_after_is_obeyed(receiver: Receiver, website: Website, listen: Listen, tell: Tell) -> None:
    listen("clicked")
    receiver.behave("/hook", answer(503, Retry_After="1800"))
    click(make_recipient(website))
    tell()
    now = timezone.now()
    assert (only().due_at - now).total_seconds() > 1790
    assert (only(WebhookEndpoint).rests_until - now).total_seconds() > 1790


def test_a_failing_endpoint_rests_and_is_asked_by_one_event(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    listen("clicked")
    receiver.behave("/hook", answer(500))
    for _number in range(80):
        click(make_recipient(website))
    tell()
    asked = len(receiver.received())
    assert asked <= 2 * ledger.EACH  # those that were on their way when the first failed
    make_due()
    tell()
    assert len(receiver.received()) == asked + 1
    receiver.behave("/hook", answer(204))
    make_due()
    tell()
    assert states() == ["delivered"] * 80


def test_one_endpoint_that_fails_holds_up_no_other(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    ill, well = listen("clicked", path="/ill").endpoint, listen("clicked", path="/well").endpoint
    receiver.behave("/ill", answer(500))
    for _number in range(40):
        click(make_recipient(website))
    tell()
    assert WebhookDelivery.objects.filter(endpoint=well, state="delivered").count() == 40
    assert WebhookDelivery.objects.filter(endpoint=ill, state="delivered").count() == 0


def test_a_slow_endpoint_slows_no_other(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    listen("clicked", path="/slow", host=OTHER_HOST)
    well = listen("clicked", path="/well").endpoint
    receiver.behave("/slow", dawdle(2))
    for _number in range(40):
        click(make_recipient(website))
    tell()
    slow = [one.at for one in receiver.received("/slow")]
    arrived = [one.at for one in receiver.received("/well")]
    assert max(arrived) < sorted(slow)[20]  # at most sixteen at once, two seconds each
    assert WebhookDelivery.objects.filter(endpoint=well, state="delivered").count() == 40


def test_the_events_of_a_recipient_arrive_in_order(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    """The first is refused twice: the second and third of the same recipient wait, those of others don't."""
    listen("clicked", "shown")
    refused, other = make_recipient(website), make_recipient(website)
    events.record(EventKind.SHOWN, refused)
    click(refused, 2)
    click(other)
    receiver.behave(
        "/hook", lambda handler: handler.say(422 if _of(handler, refused) and not open_again else 204)
    )
    open_again: list[bool] = []
    tell()
    assert [one.json["data"]["clientId"] for one in receiver.received()].count(refused.client_id) == 1
    assert WebhookDelivery.objects.filter(recipient=other, state="delivered").count() == 1
    make_due()
    tell()
    open_again.append(True)
    make_due()
    tell()
    kinds = [
        one.json["type"] for one in receiver.received() if one.json["data"]["clientId"] == refused.client_id
    ]
    assert kinds == ["shown", "shown", "shown", "clicked", "clicked"]
    ids = [
        one.headers["webhook-id"]
        for one in receiver.received()
        if one.json["data"]["clientId"] == refused.client_id
    ]
    assert ids[3:] == sorted(ids[3:], key=lambda one: int(one.removeprefix("event-")))


def _of(handler: Any, recipient: Recipient) -> bool:
    return handler.server.received[-1].json["data"]["clientId"] == recipient.client_id


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "https://", "ftp://hooks.example.com/", "https://user:pw@hooks.example.com/",
        "https://hooks.example.com/#x", "https://hooks.example.com/ x", "javascript:alert(1)", "https://a/" + "x" * 1000,
    ],
)  # fmt: skip
def test_a_bad_address_is_refused(website: Website, url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        endpoints.create(website, url, ["clicked"])
    assert set(refused.value.message_dict) == {"url"}
    with pytest.raises(ValidationError) as refused:
        endpoints.create(website, "https://hooks.example.com/", ["clacked"])
    assert set(refused.value.message_dict) == {"kinds"}
    with pytest.raises(ValidationError):
        endpoints.create(website, "https://hooks.example.com/", [])
    assert not WebhookEndpoint.objects.exists()


INSIDE = [
    "127.0.0.1", "127.1.2.3", "[::1]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "[::ffff:127.0.0.1]", "[fd00::1]", "[fe80::1]", "[64:ff9b::7f00:1]", "2130706433", "0x7f.1", "localhost",
]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
def test_nothing_is_sent_inside(
    website: Website, receiver: Receiver, listen: Listen, tell: Tell, host: str
) -> None:
    """Whatever the address is called, it is looked at when dialling."""
    with override_settings(WEBHOOK_PLACES=""):
        wire._transport_of.cache_clear()
        made = listen("clicked")
        WebhookEndpoint.objects.update(url=f"https://{host}:{receiver.port}/hook")
        click(make_recipient(website))
        tell()
        assert not receiver.received()
        assert only().reason in {"address_refused", "name_not_resolved", "no_connection"}
        assert made.endpoint.pk
        wire.transport().close()
    wire._transport_of.cache_clear()


def test_a_worker_that_dies_leaves_its_events_to_the_next(
    receiver: Receiver, website: Website, listen: Listen, tell: Tell
) -> None:
    """A process is killed while the receiver still thinks; every event arrives, some perhaps twice."""
    listen("clicked")
    for _number in range(20):
        click(make_recipient(website))
    receiver.behave("/hook", in_turn(answer(204), answer(204), answer(204), hang(30)))
    child = worker(receiver)
    deadline = time.monotonic() + 60
    while len(receiver.received()) < 6 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(receiver.received()) >= 6
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert "sending" in states()
    receiver.behave("/hook", answer(204))
    assert tell() <= 20 - states().count("sending")  # what it held stays its own until the lease ends
    make_due()
    tell()
    assert states() == ["delivered"] * 20
    told = [one.headers["webhook-id"] for one in receiver.received()]
    assert len(set(told)) == 20


def worker(receiver: Receiver) -> subprocess.Popen[bytes]:
    database = connection.settings_dict
    url = (
        f"postgresql://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?host={database['HOST']}"
    )
    if database["PORT"]:
        url += f"&port={database['PORT']}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "SIGNALIZE_WEBHOOK_PLACES": receiver.place,
        "SIGNALIZE_WEBHOOK_CA": receiver.ca_file,
        "SIGNALIZE_KEY_ENCRYPTION_KEY": settings.KEY_ENCRYPTION_KEYS[0],
    }
    run = "from signalize_console.webhooks.dispatch import Dispatch; Dispatch().run()"
    command = [sys.executable, "-c", f"import django; django.setup(); {run}"]
    environment["DJANGO_SETTINGS_MODULE"] = "signalize_console.settings"
    return subprocess.Popen(command, env=environment)


def test_who_wakes_after_its_lease_records_nothing(website: Website, listen: Listen) -> None:
    listen("clicked")
    click(make_recipient(website))
    while dispatch.telling.read_on():
        pass
    (late,) = ledger.claim(10, [])
    assert ledger.claim(10, []) == []
    make_due()
    ledger.reclaim()
    (anew,) = ledger.claim(10, [])
    assert (late.id, anew.attempts) == (anew.id, 2)
    ledger.record([ledger.Result(late, True, 204)])
    assert states() == ["sending"]
    ledger.record([ledger.Result(anew, True, 204)])
    assert states() == ["delivered"]


def test_it_stops_when_it_is_told_to(receiver: Receiver, website: Website, listen: Listen) -> None:
    listen("clicked")
    for _number in range(200):
        click(make_recipient(website))
    told = Dispatch(stop=lambda: len(receiver.received()) > 20).run(seconds=20)
    assert 20 < told < 200
    assert set(states()) == {"delivered", "pending"}


def test_what_is_over_for_a_month_is_forgotten(website: Website, listen: Listen, tell: Tell) -> None:
    listen("clicked")
    click(make_recipient(website), 3)
    tell()
    old = WebhookDelivery.objects.order_by("id")[0].pk
    WebhookDelivery.objects.filter(pk=old).update(created_at=timezone.now() - datetime.timedelta(days=31))
    ledger.forget_old()
    assert WebhookDelivery.objects.count() == 2


def test_ten_thousand_events_flow(receiver: Receiver, website: Website, listen: Listen, tell: Tell) -> None:
    listen("clicked")
    make_recipient(website)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO recipients_recipient (website_id, client_id, customer_id, language, time_zone, attributes)"
            " SELECT %s, md5(n::text), '', '', '', '{}' FROM generate_series(1, 2500) n",
            [website.pk],
        )
        cursor.execute(
            "INSERT INTO activity_event (day, website_id, recipient_id, kind, properties)"
            " SELECT current_date, website_id, id, 'clicked', '{}'"
            " FROM recipients_recipient, generate_series(1, 4) WHERE customer_id = '' AND website_id = %s LIMIT 10000",
            [website.pk],
        )
    started, told = time.monotonic(), 0
    while time.monotonic() < started + 90 and told < 10_000:
        told += Dispatch().run(seconds=20)
    seconds = time.monotonic() - started
    print(f"\n{told / seconds:.0f} webhooks a second, receiver and database beside")
    assert states() == ["delivered"] * 10_000
    received = [one.headers["webhook-id"] for one in receiver.received()]
    assert (len(received), len(set(received))) == (10_000, 10_000)
