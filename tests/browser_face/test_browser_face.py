"""The visitor's door, called by strangers: exact origins, plain refusals, no oracle, no 5xx."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signalize_console.activity.models import Event
from signalize_console.deliveries import outbox, tokens
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Subscription, SubscriptionState
from signalize_console.recipients.subscribing import PushSubscription
from signalize_console.websites.models import Website
from tests.browser_face.calling import FIELDS, body_of, path_of, post
from tests.makers import ORIGIN, make_message, make_push, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db
SCRIPTS = Path(__file__).resolve().parent.parent.parent / "static" / "browser"


@pytest.fixture
def website() -> Website:
    return make_website()


@pytest.fixture
def push(website: Website) -> PushSubscription:
    return make_push(website)


def test_a_visitor_subscribes_and_comes_back(website: Website, push: PushSubscription) -> None:
    first = post(path_of(website), body_of(push))
    again = post(path_of(website), body_of(push, "2" * 32))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == {"clientId": "1" * 32, "person": "", "stale": False}
    assert [event.kind for event in Event.objects.all()] == ["subscribed"]


def test_a_stranger_with_the_endpoint_alone_gets_409(website: Website, push: PushSubscription) -> None:
    post(path_of(website), body_of(push))
    before = Subscription.objects.values().get()

    attack = post(path_of(website), body_of(make_push(website, push.endpoint), "2" * 32))

    assert (attack.status_code, attack.json()["errorCode"]) == (409, "not_your_subscription")
    assert "1" * 32 not in attack.content.decode()
    assert Subscription.objects.values().get() == before


def test_unsubscribing_says_the_same_to_everybody(website: Website, push: PushSubscription) -> None:
    post(path_of(website), body_of(push))
    path = path_of(website, "unsubscribe")

    for auth, state in (
        (make_push(website).auth, "active"),
        (push.auth, "unsubscribed"),
        (push.auth, "unsubscribed"),
    ):
        answer = post(path, {"endpoint": push.endpoint, "auth": auth})
        assert (answer.status_code, answer.content) == (204, b"")
        assert Subscription.objects.get().state == SubscriptionState(state)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil.example",
        "https://a.shop.example",
        "https://shop.example.evil",
        "http://shop.example",
        "https://shop.example:443",
    ],
)
def test_a_page_of_another_origin_is_refused(website: Website, push: PushSubscription, origin: str) -> None:
    answer = post(path_of(website), body_of(push), origin)

    assert (answer.status_code, list(answer.json())) == (403, FIELDS)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert not Subscription.objects.exists()


def test_a_page_of_the_site_itself_is_allowed(website: Website, push: PushSubscription) -> None:
    preflight = Client().options(
        path_of(website), headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    )

    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    answer = post(path_of(website), body_of(push))
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "changed",
    [
        {"clientId": "x"}, {"clientId": None}, {"clientId": 5}, {"clientId": "1" * 33}, {"subscription": None}, {"subscription": []},
        {"subscription": {}}, {"subscription": {"endpoint": "https://fcm.googleapis.com/x"}}, {"applicationServerKey": ["x"]},
        {"timeZone": "x" * 65}, {"timeZone": "a\0b"}, {"timeZone": "a\nb"},
        {"subscription": {"endpoint": "https://127.0.0.1/x", "keys": {"p256dh": "AAAA", "auth": "AAAA"}}},
        {"subscription": {"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": "A" * 87, "auth": "A" * 22}}},
    ],
)  # fmt: skip
def test_a_malformed_subscription_is_refused(
    website: Website, push: PushSubscription, changed: dict[str, Any]
) -> None:
    answer = post(path_of(website), body_of(push, **changed))

    assert (answer.status_code, list(answer.json())) == (400, FIELDS)
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("body", ["", "{", "[]", "null", b"\xff\xfe", "[" * 2000, '"x"', "{}"], ids=range(8))
@pytest.mark.parametrize("name", ["subscriptions", "unsubscribe", "reports"])
def test_what_is_no_object_is_refused(website: Website, body: Any, name: str) -> None:
    path = "/browser/reports" if name == "reports" else path_of(website, name)
    answer = post(path, body)
    assert (answer.status_code, list(answer.json())) == (400, FIELDS)


def test_a_large_body_is_refused(website: Website, push: PushSubscription) -> None:
    for size in (9_000, 2_000_000):
        answer = post(path_of(website), body_of(push, timeZone="x" * size))
        assert (answer.status_code, answer.json()["errorCode"]) == (413, "body_too_large")


def test_events_of_all_ages_come_together(website: Website) -> None:
    """From a page that was offline for days, and with what a stranger calls an age."""
    recipient = make_subscription(website).recipient
    ages = [0, 1, 1500.5, 86_400_000, 10**9, 10**400, 1e300, -5]
    body = {
        "clientId": recipient.client_id,
        "events": [{"name": f"event-{n}", "age": age} for n, age in enumerate(ages)],
    }
    now = timezone.now()
    assert post(path_of(website, "events"), body).status_code == 204
    found = Event.objects.order_by("name").values_list("occurred_at", flat=True)
    seconds = [round((now - at).total_seconds()) for at in found]
    assert seconds == pytest.approx([0, 0, 2, 86_400, 86_400, 86_400, 86_400, 0], abs=2)


NAMES = ["clientId", "subscription", "previous", "keys", "endpoint", "auth", "p256dh", "token", "event", "events", "name", "age",
         "properties", "language", "customerId", "signature", "attributes", "interests", "applicationServerKey"]  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
    | st.sampled_from(["1" * 32, "order", "page_view", "optin_shown", "shown", "\x00", "1.20261125.x"])
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=16,
)
# What a page sends, with one thing changed: gets further than what is all noise.
BATCH = st.fixed_dictionaries({
    "clientId": st.just("1" * 32),
    "events": st.lists(st.fixed_dictionaries({"name": LEAVES, "properties": JSON, "age": LEAVES}), max_size=3),
})  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON | BATCH, st.sampled_from(["subscriptions", "recipient", "events", "unsubscribe", "reports"]))
def test_no_body_makes_it_fail(website: Website, body: Any, name: str) -> None:
    path = "/browser/reports" if name == "reports" else path_of(website, name)
    assert post(path, body).status_code in {204, 400, 409}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=3))
def test_no_change_to_a_good_body_makes_it_fail(website: Website, changed: dict[str, Any]) -> None:
    push = make_push(website)
    assert post(path_of(website), body_of(push, **changed)).status_code in {200, 201, 400, 409}


def test_it_gives_a_page_the_key_and_nothing_else(website: Website) -> None:
    answer = Client().get(path_of(website, "website"), headers={"Origin": ORIGIN})
    assert answer.json() == {"applicationServerKey": website.vapid_key.public_key, "optIn": None}
    for stranger in ("nobody12", "x", "ab%00c", "' OR 1=1", "ä" * 5):
        unknown = Client().get(f"/browser/{stranger}/website")
        assert (unknown.status_code, unknown.json()["errorCode"]) == (404, "unknown_website")
    wrong = Client().get(path_of(website))
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "POST")


@pytest.fixture
def delivery(website: Website) -> Delivery:
    outbox.send(make_message(website), [make_text()], [make_subscription(website).recipient])
    return Delivery.objects.get()


def test_a_report_counts_once_and_a_forged_one_never(delivery: Delivery) -> None:
    token = tokens.make(delivery.pk, delivery.day)

    for one in (token, token, token[:-2] + "xx", f"{delivery.pk + 1}{token[len(str(delivery.pk)) :]}", "x"):
        answer = post(
            "/browser/reports",
            {"token": one, "event": "clicked", "button": "button-1"},
            "https://any.example",
        )
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")

    event = Event.objects.get()
    assert (event.kind, event.delivery_id, event.properties) == (
        "clicked",
        delivery.pk,
        {"button": "button-1"},
    )


def test_an_unknown_report_is_refused(delivery: Delivery) -> None:
    answer = post(
        "/browser/reports", {"token": tokens.make(delivery.pk, delivery.day), "event": "subscribed"}
    )
    assert answer.status_code == 400
    assert not Event.objects.exists()


def test_the_scripts_are_served_for_every_site() -> None:
    snippet, worker = Client().get("/code/signalize.js"), Client().get("/sw.js")

    for script in (snippet, worker):
        assert script.headers["Content-Type"].startswith("text/javascript")
        assert script.headers["Access-Control-Allow-Origin"] == "*"
    assert worker.headers["Service-Worker-Allowed"] == "/"
    assert worker.headers["Cache-Control"] == "no-cache"
    assert b'const home="http://testserver";' in worker.content
    assert (
        Client().get("/code/signalize.js", headers={"If-None-Match": snippet.headers["ETag"]}).status_code
        == 304
    )


def test_the_scripts_are_self_contained() -> None:
    for script in SCRIPTS.glob("*.js"):
        text = script.read_text()
        for word in ("eval(", "new Function", "importScripts(", 'addEventListener("fetch"', "innerHTML"):
            assert word not in text, f"{word} in {script.name}"


class TestDemo:
    @pytest.fixture(autouse=True)
    def demo_is_on(self) -> Any:
        with override_settings(DEMO=True):
            yield

    @pytest.fixture
    def website(self) -> Website:
        return make_website(name="Demo shop", origins=["http://testserver"])

    def test_it_pushes_only_to_whom_the_subscription_belongs(
        self, website: Website, push: PushSubscription
    ) -> None:
        make_subscription(website, push)

        for auth in ("", "x", make_push(website).auth):
            assert post(
                "/demo/push", {"endpoint": push.endpoint, "auth": auth}, "http://testserver"
            ).status_code in {400, 403}
        assert not PushMessage.objects.exists()
        answer = post("/demo/push", {"endpoint": push.endpoint, "auth": push.auth}, "http://testserver")
        assert answer.status_code == 201
        assert Client().get(f"/demo/messages/{answer.json()['status']}").json()["states"] == ["pending"]
        assert Client().get(f"/demo/messages/{answer.json()['messageId']}").status_code == 404

    def test_it_pushes_ten_times_a_minute(self, website: Website, push: PushSubscription) -> None:
        make_subscription(website, push)
        body = {"endpoint": push.endpoint, "auth": push.auth}

        answers = [post("/demo/push", body, "http://testserver").status_code for _time in range(11)]

        assert answers == [201] * 10 + [429]

    def test_it_is_not_there_when_it_is_off(self, website: Website) -> None:
        assert Client().get("/demo/").status_code == 200
        with override_settings(DEMO=False):
            assert Client().get("/demo/").status_code == 404
