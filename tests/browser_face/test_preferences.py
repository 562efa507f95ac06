"""The preference page's door: only who proves the subscription sees, changes or erases anything."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from signalize_console.activity import events
from signalize_console.activity.models import Event, EventKind
from signalize_console.browser.preferences import PAUSE
from signalize_console.deliveries import outbox
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage, PushMessageText
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.recipients.subscribing import PushSubscription
from signalize_console.websites import asking
from signalize_console.websites.models import Interest, Website
from tests.makers import (
    ORIGIN,
    make_message,
    make_push,
    make_recipient,
    make_subscription,
    make_text,
    make_website,
)

pytestmark = pytest.mark.django_db
DOORS = ["preferences", "preferences/test", "preferences/data", "preferences/erase"]


@pytest.fixture
def website() -> Website:
    website = make_website()
    opt_in = asking.opt_in_of(website)
    for key in ("sale", "new"):
        Interest.objects.create(opt_in=opt_in, key=key, name=key.title(), names={"de": f"{key} auf Deutsch"})
    return website


@pytest.fixture
def push(website: Website) -> PushSubscription:
    return make_push(website)


@pytest.fixture
def recipient(website: Website, push: PushSubscription) -> Recipient:
    recipient = make_recipient(website, language="de-DE", interests=["vip"], customer_id="4711")
    make_subscription(website, push, recipient=recipient)
    return recipient


def post(website: Website, door: str, push: PushSubscription, origin: str = ORIGIN, **body: Any) -> Any:
    said = {"endpoint": push.endpoint, "auth": push.auth, **body}
    return Client().post(
        f"/browser/{website.secure_code}/{door}",
        json.dumps(said),
        "application/json",
        headers={"Origin": origin},
    )


@pytest.mark.parametrize("door", DOORS)
def test_nobody_gets_in_without_the_proof(
    website: Website, push: PushSubscription, recipient: Recipient, door: str
) -> None:
    other = make_push(website)
    make_subscription(website, other)
    answers = [
        post(website, door, push, auth=other.auth),
        post(website, door, push, endpoint=other.endpoint),
        post(website, door, push, auth="x"),
        post(website, door, make_push(website)),
        post(website, door, make_push(website), clientId=recipient.client_id),
        post(make_website(origins=[ORIGIN]), door, push),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.json()["message"] for answer in answers}) == 1
    assert post(website, door, push, clientId=recipient.client_id, endpoint=None).status_code == 400
    assert post(website, door, push, "https://evil.example").status_code == 403
    recipient.refresh_from_db()
    assert not PushMessage.objects.exists()


def test_it_shows_everything_in_the_visitors_language(
    website: Website, push: PushSubscription, recipient: Recipient
) -> None:
    events.record(EventKind.SUBSCRIBED, recipient, push_service="fcm")
    texts = [
        make_text(title="Your order"),
        make_text(language="de", standard=False, title="Deine Bestellung"),
    ]
    outbox.send(make_message(website, transactional=True), texts, [recipient])
    Delivery.objects.update(state="accepted", answered_at=timezone.now())
    outbox.send(make_message(website), [make_text(title="Still waiting")], [recipient])

    answer = post(website, "preferences", push)

    said = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert said["words"]["title"] == "Deine Benachrichtigungen"
    assert [one["title"] for one in said["history"]] == ["Deine Bestellung"]
    assert said["stored"]["customerId"] == "4711"
    assert [one["event"] for one in said["events"]] == ["subscribed"]
    assert said["interests"] == [
        {"key": "sale", "name": "sale auf Deutsch", "chosen": False},
        {"key": "new", "name": "new auf Deutsch", "chosen": False},
    ]
    assert push.auth not in answer.content.decode()
    assert post(website, "preferences", push, language="en").json()["words"]["title"] == "Your notifications"


def test_interests_are_ticked_and_those_of_the_page_stay(
    website: Website, push: PushSubscription, recipient: Recipient
) -> None:
    said = post(website, "preferences", push, interests=["new", "unknown"]).json()

    assert [one["chosen"] for one in said["interests"]] == [False, True]
    recipient.refresh_from_db()
    assert recipient.interests == ["new", "vip"]
    post(website, "preferences", push, interests=[])
    recipient.refresh_from_db()
    assert recipient.interests == ["vip"]
    for wrong in ("sale", {"sale": 1}, [1], [None], 5):
        assert post(website, "preferences", push, interests=wrong).status_code == 400


def test_a_week_of_pause_and_back(website: Website, push: PushSubscription, recipient: Recipient) -> None:
    assert post(website, "preferences", push, paused=True).json()["pausedUntil"]
    recipient.refresh_from_db()
    left = recipient.paused_until - timezone.now()
    assert PAUSE.total_seconds() - 60 < left.total_seconds() <= PAUSE.total_seconds()
    assert post(website, "preferences", push).json()["pausedUntil"]

    assert post(website, "preferences", push, paused=False).json()["pausedUntil"] is None
    for wrong in ("yes", 1, None, []):
        assert post(website, "preferences", push, paused=wrong).status_code == 400


def test_a_test_goes_to_its_own_visitor_three_times_a_minute(
    website: Website, push: PushSubscription, recipient: Recipient
) -> None:
    statuses = [post(website, "preferences/test", push).status_code for _time in range(4)]

    assert statuses == [201, 201, 201, 429]
    assert set(Delivery.objects.values_list("recipient_id", flat=True)) == {recipient.pk}
    assert PushMessage.objects.filter(transactional=True).count() == 3
    text = PushMessageText.objects.first()
    assert (text.title, text.link) == ("Es funktioniert", f"{ORIGIN}/")


def test_an_unsubscribed_visitor_gets_no_test(
    website: Website, push: PushSubscription, recipient: Recipient
) -> None:
    Subscription.objects.update(state="unsubscribed", ended_at=timezone.now())
    assert post(website, "preferences/test", push).json()["errorCode"] == "not_subscribed"
    assert post(website, "preferences", push).status_code == 200


def test_the_data_to_take_along_is_all_of_it(
    website: Website, push: PushSubscription, recipient: Recipient
) -> None:
    outbox.send(make_message(website), [make_text(title="Sale")], [recipient])
    events.record(EventKind.SUBSCRIBED, recipient, push_service="fcm")
    stranger = make_recipient(website, customer_id="secret")
    events.record(EventKind.UNSUBSCRIBED, stranger)

    said = post(website, "preferences/data", push).json()

    assert said["recipient"]["clientId"] == recipient.client_id
    assert said["recipient"]["interests"] == ["vip"]
    assert [one["endpoint"] for one in said["subscriptions"]] == [push.endpoint]
    assert [(one["title"], one["state"]) for one in said["messages"]] == [("Sale", "pending")]
    assert [one["event"] for one in said["events"]] == ["subscribed"]
    assert "secret" not in json.dumps(said)


def test_erased_is_erased(website: Website, push: PushSubscription, recipient: Recipient) -> None:
    events.record(EventKind.SUBSCRIBED, recipient)

    assert post(website, "preferences/erase", push).status_code == 204

    assert not Recipient.objects.filter(pk=recipient.pk).exists()
    assert not Subscription.objects.exists()
    assert not Event.objects.exists()
    assert post(website, "preferences/erase", push).status_code == 403


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("body", ["", "{", "[]", "null", b"\xff", '"x"', "{}"], ids=range(7))
def test_what_is_no_object_is_refused(website: Website, door: str, body: Any) -> None:
    answer = Client().post(
        f"/browser/{website.secure_code}/{door}", body, "application/json", headers={"Origin": ORIGIN}
    )
    assert answer.status_code == 400
