"""Whose browser it is, what they like, what they did on a page, and the consent log."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from signalize_console.activity.models import Event
from signalize_console.deliveries import outbox
from signalize_console.deliveries.models import Delivery
from signalize_console.recipients.consent import client_id_hash
from signalize_console.recipients.models import Consent, Recipient
from signalize_console.recipients.subscribing import PushSubscription
from signalize_console.websites.models import Website
from tests.browser_face.calling import body_of, path_of, post
from tests.makers import ORIGIN, make_message, make_push, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db


@pytest.fixture
def website() -> Website:
    return make_website()


@pytest.fixture
def push(website: Website) -> PushSubscription:
    return make_push(website)


def signed(secret: str, customer_id: str) -> str:
    return hmac.new(secret.encode(), customer_id.encode(), hashlib.sha256).hexdigest()


def tell(website: Website, push: PushSubscription, **said: Any) -> Any:
    return post(path_of(website, "recipient"), {"endpoint": push.endpoint, "auth": push.auth, **said})


def test_a_page_tells_whose_browser_it_is(website: Website, push: PushSubscription) -> None:
    post(path_of(website), body_of(push, interests=["tulips"]))
    secret = website.make_identity_secret()

    answer = tell(
        website,
        push,
        customerId="4711",
        signature=signed(secret, "4711"),
        attributes={"size": "M", "vip": True},
    )
    tell(website, push, attributes={"vip": None}, interests=["roses", "roses", "bulbs"])

    recipient = Recipient.objects.get()
    assert (recipient.customer_id, recipient.customer_verified) == ("4711", True)
    assert (recipient.attributes, recipient.interests) == ({"size": "M"}, ["bulbs", "roses"])
    assert len(answer.json()["person"]) == 12


def test_all_of_it_may_come_with_the_subscription(website: Website, push: PushSubscription) -> None:
    answer = post(
        path_of(website), body_of(push, customerId="4711", interests=["tulips"], attributes={"age": 7})
    )

    recipient = Recipient.objects.get()
    assert (recipient.customer_id, recipient.interests, recipient.attributes) == (
        "4711",
        ["tulips"],
        {"age": 7},
    )
    assert not recipient.customer_verified
    assert answer.json()["person"] == tell(website, push, customerId="4711").json()["person"]


@pytest.mark.parametrize(
    "said",
    [
        {"customerId": 5}, {"customerId": "x" * 129}, {"customerId": "a\nb"}, {"attributes": []}, {"attributes": {"a": {}}},
        {"attributes": {"a": ["x"]}}, {"attributes": {"a": 1e300}}, {"attributes": {f"a{n}": 1 for n in range(51)}},
        {"interests": "x"}, {"interests": [1]}, {"interests": ["x" * 65]}, {"interests": ["x"] * 101}, {"auth": None},
    ],
)  # fmt: skip
def test_a_malformed_profile_is_refused(
    website: Website, push: PushSubscription, said: dict[str, Any]
) -> None:
    post(path_of(website), body_of(push))
    before = Recipient.objects.values().get()

    assert tell(website, push, **said).status_code == 400
    assert Recipient.objects.values().get() == before


def test_consent_is_logged_with_the_text_and_the_place(website: Website, push: PushSubscription) -> None:
    for _visit in range(2):
        post(path_of(website), body_of(push, consentText="2026-11 en"))
    for _time in range(2):
        post(path_of(website, "unsubscribe"), {"endpoint": push.endpoint, "auth": push.auth})
    Recipient.objects.all().delete()

    given, withdrawn = Consent.objects.order_by("id")
    assert (given.kind, given.text_version, given.origin) == ("given", "2026-11 en", ORIGIN)
    assert (withdrawn.kind, withdrawn.origin) == ("withdrawn", ORIGIN)
    assert {bytes(one.client_id_hash) for one in (given, withdrawn)} == {client_id_hash("1" * 32)}


def happened(name: str, age: float = 0, **properties: Any) -> dict[str, Any]:
    return {"name": name, "properties": properties, "age": age}


def test_a_batch_of_events_is_one_statement(
    website: Website, push: PushSubscription, django_assert_num_queries: Any
) -> None:
    post(path_of(website), body_of(push))
    batch = [happened("page_view", page="/tulips", title="Tulips\u2028\x1b[31m"), happened("insertToBasket", 60_000, values=[{"id": 1}]), happened("optin_shown")]  # fmt: skip

    with django_assert_num_queries(2):  # the website, and the insert
        answer = post(path_of(website, "events"), {"clientId": "1" * 32, "events": batch})

    assert (answer.status_code, answer.content) == (204, b"")
    first, second, third = Event.objects.exclude(kind="subscribed").order_by("id")
    assert (first.kind, first.name, first.properties) == (
        "page_view",
        "",
        {"page": "/tulips", "title": "Tulips  [31m"},
    )
    assert (second.kind, second.name, second.properties) == (
        "event",
        "insertToBasket",
        {"values": [{"id": 1}]},
    )
    assert 59 < (first.occurred_at - second.occurred_at).total_seconds() < 61
    assert third.kind == "optin_shown"
    assert {event.recipient_id for event in (first, second, third)} == {Recipient.objects.get().pk}


def test_of_who_has_not_opted_in_only_the_dialog_is_kept(website: Website) -> None:
    batch = [
        happened("page_view", page="/secret"),
        happened("order"),
        happened("optin_no"),
        happened("permission_denied"),
    ]

    answer = post(path_of(website, "events"), {"clientId": "2" * 32, "events": batch})

    assert answer.status_code == 204
    assert list(Event.objects.order_by("id").values_list("kind", "recipient")) == [
        ("optin_no", None),
        ("permission_denied", None),
    ]
    assert not Recipient.objects.exists()


@pytest.mark.parametrize(
    "events",
    [
        None, {}, "x", [1], [{}], [{"name": ""}], [{"name": "x" * 65}], [{"name": "x", "properties": []}], [{"name": "x", "age": "1"}],
        [{"name": "x", "properties": json.loads('{"a":' * 9 + "1" + "}" * 9)}], [{"name": "x"}] * 51,
    ],
)  # fmt: skip
def test_a_malformed_batch_is_refused(website: Website, events: Any) -> None:
    answer = post(path_of(website, "events"), {"clientId": "1" * 32, "events": events})

    assert answer.status_code == 400
    assert answer.json()["message"]
    assert not Event.objects.exists()


def test_a_page_cannot_report_what_only_the_server_knows(website: Website, push: PushSubscription) -> None:
    post(path_of(website), body_of(push))
    post(
        path_of(website, "events"),
        {"clientId": "1" * 32, "events": [happened("shown"), happened("subscribed")]},
    )

    assert list(Event.objects.order_by("id").values_list("kind", "name")) == [("subscribed", ""), ("event", "shown"), ("event", "subscribed")]  # fmt: skip


def test_what_waits_moves_to_the_subscription_that_replaces(website: Website, push: PushSubscription) -> None:
    post(path_of(website), body_of(push))
    outbox.send(make_message(website, transactional=True), [make_text()], [Recipient.objects.get()])
    renewed = make_push(website)

    proof = {"endpoint": push.endpoint, "auth": push.auth}
    answer = post(path_of(website), body_of(renewed, "3" * 32, previous=proof))

    assert (answer.status_code, answer.json()["clientId"]) == (200, "1" * 32)
    delivery = Delivery.objects.select_related("subscription").get()
    assert (delivery.subscription.endpoint, delivery.state) == (renewed.endpoint, "pending")


def test_only_the_person_before_loses_their_messages(website: Website) -> None:
    subscription = make_subscription(website)
    outbox.send(make_message(website, transactional=True), [make_text()], [subscription.recipient])
    push = make_push(website, subscription.endpoint, p256dh=subscription.p256dh, auth=subscription.auth)

    for customer_id, state in (("alice", "pending"), ("alice", "pending"), ("", "cancelled")):
        assert tell(website, push, customerId=customer_id).status_code == 200
        assert Delivery.objects.get().state == state
    assert Delivery.objects.get().reason == "other_person"
