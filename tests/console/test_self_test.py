"""The self-test: what each step says when it is well, and what when it isn't."""

import base64
import hashlib
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from signalize_console.deliveries import reports, tokens
from signalize_console.deliveries.heartbeats import HeartbeatKind, note
from signalize_console.deliveries.models import Delivery
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import VapidKey, Website
from signalize_console.websites.sealing import seal
from tests.console.logins import log_in
from tests.makers import make_push, make_subscription, make_website

PAGE = "/admin/self-test/"
Work = Callable[[], None]


@pytest.fixture
def website(transactional_db: None) -> Website:
    return make_website(contact="mailto:web@shop-of-flowers.de")


@pytest.fixture
def tester(website: Website) -> Client:
    return log_in("self_test", "send_pushmessage")


def read(client: Client, **look: str) -> list[str]:
    """The six steps, as a person reads them."""
    answer = client.post(PAGE, look) if look else client.get(PAGE)
    assert answer.status_code == 200
    steps = answer.content.decode().split('<li class="card step">')[1:]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", step)) for step in steps]


def alive() -> None:
    note(HeartbeatKind.BEAT, "beat-1")
    note(HeartbeatKind.WORKER, "worker-1")
    note(HeartbeatKind.ENGINE, "transactional-1", 0)
    note(HeartbeatKind.ENGINE, "marketing-1", 0)
    note(HeartbeatKind.ENGINE, "maintenance-1", 0)
    note(HeartbeatKind.ENGINE, "automations-1", 0)


def test_all_is_well(tester: Client) -> None:
    alive()
    keys, contact, services, workers, installed, push = read(tester)
    assert "Keys good" in keys
    assert "1 key opens and matches" in keys
    assert "Contact good" in contact
    assert "Workers good" in workers
    assert "The broker answers" in workers
    assert "Look now" in services
    assert "Look now" in installed
    assert "Push to this browser" in push


def test_a_key_that_can_not_be_opened_and_one_that_does_not_match(tester: Client) -> None:
    key = VapidKey.objects.get()
    with override_settings(KEY_ENCRYPTION_KEYS=["A" * 43]):
        assert "can&#x27;t be opened" in read(tester)[0]
        assert "Set the key-encryption key" in read(tester)[0]
    other = make_website(name="Other").vapid_key.private_key
    key.sealed_private_key = seal(other, key.public_key)
    key.save()
    (step, *_rest) = read(tester)
    assert "Keys needs a look" in step
    assert "don&#x27;t match" in step
    assert "1 key opens and matches" in step


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        ("mailto:web@localhost", "push services refuse mailto:web@localhost"),
        ("mailto: <web@shop.de>", "push services refuse"),
        ("mailto:web@example.com", "is an example"),
        ("https://example.org/contact", "is an example"),
    ],
)
def test_a_contact_that_apple_would_refuse(tester: Client, contact: str, said: str) -> None:
    Website.objects.update(contact=contact)
    assert said in read(tester)[1]


def test_nobody_at_work(tester: Client) -> None:
    workers = read(tester)[3]
    assert "Workers needs a look" in workers
    assert "Beat gives no sign of life" in workers
    alive()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE deliveries_heartbeat SET beat_at = now() - interval '5 minutes' WHERE kind = 'beat'"
        )
    workers = read(tester)[3]
    assert "Beat gives no sign of life" in workers
    assert "A worker: seen" in workers


def test_push_services_are_looked_at_only_by_a_click(
    double: PushServiceDouble, tester: Client, website: Website
) -> None:
    make_subscription(website, make_push(website, "https://web.push.apple.com/x"), push_service="apple")
    assert "Google" not in read(tester)[2]
    services = read(tester, look="services")[2]
    for name in ("Google", "Mozilla", "Apple", "Microsoft", "The push service"):
        assert f"{name} is reached in" in services, name
    assert double.requests == 0
    with override_settings(PUSH_SERVICES_CA=""):
        services = read(tester, look="services")[2]
    assert "Apple can&#x27;t be reached" in services
    assert "certificate is not to be trusted" in services


def test_a_host_that_is_no_longer_allowed_is_not_knocked_at(
    double: PushServiceDouble, tester: Client, website: Website
) -> None:
    make_subscription(website, make_push(website, "https://gone.example/1"), push_service="mozilla")
    services = read(tester, look="services")[2]
    assert "gone.example" not in services
    assert "Mozilla is reached in" in services


def test_websites_are_looked_at_by_a_click(tester: Client) -> None:
    Website.objects.update(origins=["http://testserver", "http://localhost:9"])
    installed = read(tester, look="installed")[4]
    assert "http://testserver: today" in installed
    assert "http://localhost:9: on a computer of its own" in installed


def start(client: Client, website: Website, double: PushServiceDouble, /, **changed: Any) -> Any:
    subscriber = double.make_subscriber("mozilla", application_server_key=website.vapid_key.public_key)
    keys = {"p256dh": subscriber.p256dh, "auth": subscriber.auth}
    body = {"website": website.pk, "subscription": {"endpoint": subscriber.endpoint, "keys": keys}, **changed}
    return client.post(reverse("admin:self-test-start"), body, content_type="application/json")


def state(client: Client) -> dict[str, Any]:
    return client.get(reverse("admin:self-test-state")).json()


def test_a_push_comes_back_and_the_browser_is_forgotten(
    double: PushServiceDouble, tester: Client, website: Website, work: Work
) -> None:
    assert state(tester)["done"]
    assert start(tester, website, double).status_code == 201
    assert (state(tester)["line"], state(tester)["done"]) == ("Is next to be sent", False)
    work()
    assert len(double.received) == 1
    assert (state(tester)["shown"], state(tester)["done"]) == (False, False)
    delivery = Delivery.objects.get()
    reports.report(tokens.make(delivery.pk, delivery.day), "shown")
    assert (state(tester)["shown"], state(tester)["done"]) == (True, True)

    assert tester.post(reverse("admin:self-test-end")).status_code == 204

    assert not Recipient.objects.exists()
    assert not Subscription.objects.exists()
    assert state(tester)["done"]


def test_a_second_test_forgets_the_first(double: PushServiceDouble, tester: Client, website: Website) -> None:
    start(tester, website, double)
    start(tester, website, double)
    assert Recipient.objects.count() == 1


def test_a_visitors_subscription_is_not_taken_over(
    double: PushServiceDouble, tester: Client, website: Website
) -> None:
    visitor = make_subscription(website)
    known = {"endpoint": visitor.endpoint, "keys": {"p256dh": visitor.p256dh, "auth": visitor.auth}}
    wrong = {**known, "keys": {**known["keys"], "auth": make_push(website).auth}}  # type: ignore[dict-item]
    for subscription, said in ((known, "subscribed already."), (wrong, "with other keys")):
        answer = start(tester, website, double, subscription=subscription)
        assert answer.status_code == 400
        assert said in answer.json()["message"]
    tester.post(reverse("admin:self-test-end"))
    assert Recipient.objects.get() == visitor.recipient
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"subscription": {}},
        {"subscription": {"endpoint": "https://intranet.example/x", "keys": {"p256dh": "x", "auth": "y"}}},
        {"website": "x"},
        {"subscription": []},
    ],
)
def test_what_no_browser_sends_is_refused_in_words(
    double: PushServiceDouble, tester: Client, website: Website, changed: dict[str, Any]
) -> None:
    answer = start(tester, website, double, **changed)
    assert answer.status_code == 400
    assert "can't be used" in answer.json()["message"]
    assert not Recipient.objects.exists()


def test_who_may_not_test(double: PushServiceDouble, website: Website) -> None:
    nobody, looker = log_in("send_pushmessage"), log_in("self_test")
    assert nobody.get(PAGE).status_code == 403
    assert nobody.post(PAGE, {"look": "services"}).status_code == 403
    assert "Self-test" not in nobody.get("/admin/").content.decode()
    assert PAGE in looker.get("/admin/").content.decode()
    assert "may not send messages" in read(looker)[5]
    for client in (nobody, looker):
        assert start(client, website, double).status_code == 403
        assert client.get(reverse("admin:self-test-state")).status_code == 403
        assert client.post(reverse("admin:self-test-end")).status_code == 403
    tester = log_in("self_test", "send_pushmessage")
    assert tester.get(reverse("admin:self-test-end")).status_code == 403
    assert tester.get(reverse("admin:self-test-start")).status_code == 403
    assert Client().get(PAGE).status_code == 302


def test_the_line_to_copy_has_the_checksum_of_what_is_served(website: Website) -> None:
    client = log_in("view_website", "change_website")
    page = unescape(client.get(reverse("admin:websites_website_change", args=[website.pk])).content.decode())
    plain, with_checksum = re.findall(r'<script id="_etLoader".*?></script>', page)
    assert "integrity" not in plain
    assert f'data-secure-code="{website.secure_code}" src="http://testserver/code/signalize.js"' in plain
    served = Client().get("/code/signalize.js").content
    expected = base64.b64encode(hashlib.sha384(served).digest()).decode()
    assert f'integrity="sha384-{expected}" crossorigin="anonymous"' in with_checksum
    assert 'importScripts("http://testserver/sw.js");' in page
