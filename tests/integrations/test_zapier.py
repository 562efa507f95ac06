"""The Zapier app as Zapier runs it (createAppTester), against the running console, up to the push service."""

import json
import subprocess
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from signalize_console.activity import events
from signalize_console.activity.models import Event, EventKind
from signalize_console.api.models import ApiKey
from signalize_console.audiences.models import Segment
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import MessageTemplate, PushMessage, TemplateText
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.webhooks.dispatch import Dispatch
from signalize_console.webhooks.models import WebhookEndpoint
from signalize_console.websites.models import Website
from tests.integrations.conftest import Moody
from tests.programs import lacking, require
from tests.web import Web
from tests.webhooks.receiver import HOST, Receiver

APP = Path(__file__).resolve().parents[2] / "integrations" / "zapier"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


@pytest.fixture(autouse=True)
def app() -> None:
    require("node", "npm")
    if not (APP / "node_modules").exists():
        lacking("needs the app's packages: make integrations/zapier/node_modules")


class Zapier:
    """``zapier("creates.send_to_recipient.operation.perform", title="Hello")``; raises ZapierError."""

    def __init__(self, web: Web, key: str) -> None:
        self.auth = {"server": f"{web.origin}/", "apiKey": key}
        self.node = subprocess.Popen(
            ["node", "test/run.js"], cwd=APP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, path: str, /, bundle: dict[str, Any] | None = None, **inputs: Any) -> Any:
        assert self.node.stdin
        assert self.node.stdout
        asked = {
            "authData": self.auth,
            "inputData": inputs,
            "inputDataRaw": inputs,
            "meta": {"page": 0},
            **(bundle or {}),
        }
        self.node.stdin.write(json.dumps({"path": path, "bundle": asked}) + "\n")
        self.node.stdin.flush()
        said = json.loads(next(line for line in self.node.stdout if line.startswith("> "))[2:])
        if error := said.get("error"):
            raise ZapierError(error["name"], error["message"])
        return said["result"]


class ZapierError(Exception):
    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


@pytest.fixture
def zapier(web: Web, key: str) -> Iterator[Zapier]:
    zapier = Zapier(web, key)
    yield zapier
    zapier.node.kill()
    zapier.node.communicate()


def test_the_definition_is_one_that_zapier_takes() -> None:
    done = subprocess.run(
        ["npm", "test"],
        cwd=APP,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "# pass 3" in done.stdout


def test_its_packages_are_the_ones_that_were_locked() -> None:
    packages = json.loads((APP / "package-lock.json").read_text())["packages"]
    locked = {name: one for name, one in packages.items() if name}
    assert len(locked) > 50
    registry = "https://registry.npmjs.org/"
    elsewhere = [
        name for name, one in locked.items() if not one.get("resolved", registry).startswith(registry)
    ]
    assert elsewhere == []
    assert [name for name, one in locked.items() if not one["integrity"].startswith("sha512-")] == []


def test_the_connection_is_tested(zapier: Zapier, website: Website) -> None:
    assert zapier("authentication.test")["name"] == website.name
    zapier.auth["apiKey"] = "sk_00000000_nothing"
    with pytest.raises(ZapierError, match=r"ExpiredAuthError.*API key is unknown"):
        zapier("authentication.test")


def test_the_key_goes_to_the_console_only(zapier: Zapier, moody: ThreadingHTTPServer) -> None:
    zapier.auth["server"] = "http://push.example.com"
    with pytest.raises(ZapierError, match="https"):
        zapier("authentication.test")
    zapier.auth["server"] = address = f"http://127.0.0.1:{moody.server_port}"
    Moody.answers = [(301, {"Location": f"{address}/elsewhere"}, b"")]
    with pytest.raises(ZapierError, match=f"another address: {address}/elsewhere"):
        zapier(SEND, customerId="K-1", title="Hello", happened="1")
    assert len(Moody.keys) == 1


SEND = "creates.send_to_recipient.operation.perform"


def test_a_recipient_is_sent_to_once(
    zapier: Zapier,
    subscribe: Callable[..., Subscription],
    double: PushServiceDouble,
    work: Callable[[], None],
) -> None:
    one = subscribe(customer_id="K-1")
    inputs = {"customerId": "K-1", "title": "On its way", "message": "Tomorrow", "happened": "order-1"}
    first = zapier(SEND, **inputs)
    again = zapier(SEND, **inputs)
    other = zapier(SEND, **{**inputs, "happened": "order-2"})
    work()

    assert first == again == {"id": first["id"], "deliveries": 1}
    assert other["id"] != first["id"]
    assert [push.endpoint for push in double.received] == [one.endpoint] * 2
    assert json.loads(double.received[0].plaintext or b"")["notification"]["title"] == "On its way"


def test_a_template_with_values_is_chosen_from_the_dropdown(
    zapier: Zapier,
    website: Website,
    subscribe: Callable[..., Subscription],
    double: PushServiceDouble,
    work: Callable[[], None],
) -> None:
    one = subscribe()
    template = MessageTemplate.objects.create(website=website, name="Dispatched")
    TemplateText.objects.create(
        template=template,
        language="en",
        standard=True,
        title="Order {{ number }}",
        link="https://shop.example/",
    )
    choices = zapier("triggers.template_choices.operation.perform")
    assert choices == [{"id": template.pk, "name": "Dispatched"}]

    zapier(
        SEND,
        clientId=one.recipient.client_id,
        templateId=choices[0]["id"],
        data={"number": "4711"},
        happened="1",
    )
    work()

    assert json.loads(double.received[0].plaintext or b"")["notification"]["title"] == "Order 4711"


def test_a_segment_is_sent_to(
    zapier: Zapier,
    website: Website,
    subscribe: Callable[..., Subscription],
    double: PushServiceDouble,
    work: Callable[[], None],
) -> None:
    german, _english = subscribe(language="de"), subscribe(language="en")
    definition = {"field": "language", "op": "equals", "value": "de"}
    segment = Segment.objects.create(website=website, name="Germans", definition=definition)
    assert zapier("triggers.segment_choices.operation.perform") == [{"id": segment.pk, "name": "Germans"}]

    for _time in range(2):
        zapier("creates.send_to_segment.operation.perform", segmentId=segment.pk, title="Hallo", happened="1")
    work()

    assert [push.endpoint for push in double.received] == [german.endpoint]


def test_a_recipient_is_updated_found_and_told_of(zapier: Zapier, website: Website) -> None:
    client_id = "1" * 32
    zapier(
        "creates.update_recipient.operation.perform",
        clientId=client_id,
        customerId="K-1",
        language="de",
        attributes={"club": "gold"},
        interests=["news"],
    )
    recipient = Recipient.objects.get()
    assert (recipient.customer_id, recipient.attributes, recipient.interests) == (
        "K-1",
        {"club": "gold"},
        ["news"],
    )

    find = "searches.find_recipient.operation.perform"
    for asked in ({"clientId": client_id}, {"customerId": "K-1"}):
        (found,) = zapier(find, **asked)
        assert (found["id"], found["customerId"]) == (client_id, "K-1")
    assert zapier(find, clientId="2" * 32) == zapier(find, customerId="nobody") == []

    for whose in ({"clientId": client_id}, {"customerId": "K-1"}):
        said = zapier(
            "creates.track_event.operation.perform", **whose, name="order", properties={"total": "12"}
        )
        assert said["recorded"] == 1
    happened = Event.objects.filter(recipient=recipient, kind=EventKind.EVENT)
    assert [one.name for one in happened] == ["order", "order"]


def test_what_the_console_refuses_is_told_in_its_words(zapier: Zapier, website: Website) -> None:
    Recipient.objects.create(website=website, client_id="1" * 32)
    text = {"title": "x", "happened": "1"}
    for inputs, said in (
        ({"clientId": "1" * 32, **text}, "HaltedError.*opted in"),
        ({"clientId": "short", **text}, "AppError.*32 hexadecimal"),
        ({"clientId": "1" * 32, "customerId": "K", **text}, "AppError.*either"),
        ({"clientId": "1" * 32, "happened": "1"}, "AppError.*template, or write a title"),
        ({"clientId": "1" * 32, "templateId": 999, "happened": "1"}, "AppError.*no template"),
    ):
        with pytest.raises(ZapierError, match=said):
            zapier(SEND, **inputs)
    assert not PushMessage.objects.exists()


@pytest.mark.parametrize("kind", ["subscribed", "unsubscribed", "clicked", "failed"])
def test_a_zap_is_started_by_a_webhook(
    zapier: Zapier,
    kind: str,
    website: Website,
    receiver: Receiver,
    subscribe: Callable[..., Subscription],
    work: Callable[[], None],
) -> None:
    trigger = f"triggers.{kind}.operation"
    Dispatch().run(seconds=2)
    subscribed = zapier(f"{trigger}.performSubscribe", {"targetUrl": f"https://{HOST}/zap"})
    endpoint = WebhookEndpoint.objects.get()
    assert (str(endpoint.pk), endpoint.kinds) == (subscribed["id"], [kind])
    one = subscribe(customer_id="K-1")

    if kind in {"clicked", "failed"}:
        zapier(SEND, customerId="K-1", title="x", happened="1")
        if kind == "failed":
            Subscription.objects.update(p256dh="AAAA")
        work()
        delivery = Delivery.objects.get()
        if kind == "clicked":
            Event.objects.create(
                day=delivery.day,
                website=website,
                recipient=one.recipient,
                kind=EventKind.CLICKED,
                push_message_id=delivery.push_message_id,
                delivery_id=delivery.pk,
            )
    else:
        events.record(EventKind(kind), one.recipient, push_service="mozilla")
        if kind == "unsubscribed":
            Subscription.objects.end("unsubscribed", "visitor")  # type: ignore[arg-type]
    Dispatch().run(seconds=15)

    (told,) = receiver.received("/zap")
    bundle = {"cleanedRequest": told.json}
    (started,) = zapier(f"{trigger}.perform", bundle)
    assert (started["clientId"], started["customerId"]) == (one.recipient.client_id, "K-1")
    assert zapier(f"{trigger}.perform", bundle)[0]["id"] == started["id"]
    assert zapier(f"{trigger}.perform", {"cleanedRequest": {**told.json, "type": "other"}}) == []
    samples = zapier(f"{trigger}.performList")
    assert [sample["clientId"] for sample in samples] == [one.recipient.client_id]
    assert all(sample["id"] for sample in samples)

    zapier(f"{trigger}.performUnsubscribe", {"subscribeData": subscribed})
    assert not WebhookEndpoint.objects.exists()


def test_too_many_requests_are_tried_again_later(zapier: Zapier) -> None:
    ApiKey.objects.update(requests_per_minute=1)
    outcomes = [outcome(zapier) for _time in range(4)]  # a minute may begin between two
    assert any("ThrottledError" in one and "Retry-After" in one for one in outcomes), outcomes


def outcome(zapier: Zapier) -> str:
    try:
        zapier("authentication.test")
    except ZapierError as error:
        return str(error)
    return ""
