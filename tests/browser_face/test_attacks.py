"""The threats S1 to S17 against what answers without login or key, one test each. Those that need a browser
(S15 to S19) go on in tests/browsers/test_attacks.py.
"""

import base64
import json
import os
import random
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory, override_settings
from django.urls import get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signalize_console.activity.models import Event
from signalize_console.browser import limits, scripts
from signalize_console.deliveries import ledger, outbox, sending, tokens
from signalize_console.deliveries.ledger import Claim, Claimed, Result
from signalize_console.deliveries.models import Delivery
from signalize_console.recipients import subscribing
from signalize_console.recipients.models import Recipient, Subscription, SubscriptionState
from signalize_console.recipients.subscribing import NotYours, Proof, PushSubscription, Visitor
from signalize_console.webpush.encryption import BadSubscriptionKeys
from signalize_console.webpush.outcomes import Outcome, outcome_of
from signalize_console.webpush.push_services import HOSTS, SUFFIXES, EndpointRefused, PushServices
from signalize_console.webpush.transport import PushRequest, Transport
from signalize_console.websites.models import Website
from signalize_console.websites.origins import validate_link
from tests.browser_face.calling import body_of, path_of, post
from tests.browser_face.test_profiles import signed, tell
from tests.makers import ORIGIN, make_message, make_push, make_subscription, make_text, make_website
from tests.webpush.test_push_services import dialled
from tests.webpush.test_transport import answers_of, listening

pytestmark = pytest.mark.django_db
MOZILLA = "https://updates.push.services.mozilla.com"
STRANGER = "8.8.8.8"


@pytest.fixture
def website() -> Website:
    return make_website()


@pytest.fixture
def push(website: Website) -> PushSubscription:
    return make_push(website)


@pytest.fixture(autouse=True)
def nobody_asked_before() -> None:
    limits._valkey().flushdb()


GOOD = ["https://fcm.googleapis.com/fcm/send/abc", "https://web.push.apple.com/QA", "https://wns2-par02p.notify.windows.com/w/?token=a", f"{MOZILLA}/wpush/v2/gAAA"]  # fmt: skip
PIECES = ["@", ":", "/", "\\", "#", "?", ".", "%2e", "%00", "\t", "\r\n", " ", "。", "é", "-", "443", ":8443", "127.0.0.1", "[::1]",
          "evil.example", "user:pass@", "169.254.169.254/latest/x.google.com", "//", "X", "a", ".push.apple.com"]  # fmt: skip
CHANGES = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(PIECES)), max_size=3)
KNOWN = PushServices()


@settings(max_examples=10_000, deadline=None)
@given(st.sampled_from(GOOD), CHANGES)
def test_s01_an_accepted_endpoint_leads_to_a_push_service(url: str, changes: list[tuple[int, str]]) -> None:
    for place, piece in changes:
        url = url[:place] + piece + url[place:]
    try:
        endpoint = KNOWN.parse(url)
    except EndpointRefused:
        return
    assert endpoint.host in HOSTS or endpoint.host.endswith(tuple(SUFFIXES))
    assert dialled(url) == endpoint.host


def test_s02_a_poisoned_resolver_leads_nowhere() -> None:
    hits: list[object] = []
    with listening(hits.append) as port:
        # A resolver that answers with an address inside, for the name that was checked.
        poisoned = PushServices(connect_to=(f"updates.push.services.mozilla.com:443:127.0.0.1:{port}",))
        transport = Transport(poisoned, connect_timeout=2, timeout=2)
        (answer,) = answers_of(transport, ask(poisoned))
        transport.close()

    assert (answer.error, answer.sent, hits) == ("address_refused", False, [])


def ask(services: PushServices) -> PushRequest:
    endpoint = services.parse(f"{MOZILLA}/wpush/v2/x")
    return PushRequest(0, endpoint, b"x", "vapid", 60, "normal", None, time.monotonic() + 9)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_s03_a_redirect_ends_the_delivery(status: int) -> None:
    """That libcurl makes no second request: tests/webpush/test_transport.py."""
    verdict = outcome_of("mozilla", status, headers={"location": "http://127.0.0.1/"}, sent=True)
    assert (verdict.outcome, verdict.reason) == (Outcome.MESSAGE_REJECTED, "redirect")


@pytest.mark.parametrize("value", ["99999999999", "-5", "Wed, 01 Jan 2099 00:00:00 GMT", "\x00", "1e9"])
def test_s04_a_push_service_cannot_stop_us_for_long(value: str) -> None:
    """Endless bodies and headers: tests/webpush/test_transport.py."""
    verdict = outcome_of("mozilla", 429, headers={"retry-after": value}, sent=True)
    assert verdict.outcome == Outcome.THROTTLED
    assert 0 <= (verdict.wait or 0) <= 3_600


def test_s04_a_slow_push_service_frees_its_place() -> None:
    def drip(connection: socket.socket) -> None:
        for _byte in range(100):
            connection.sendall(b"x")
            time.sleep(0.1)

    with listening(drip) as port:
        services = PushServices.from_text(f"{MOZILLA}=127.0.0.1:{port}")
        transport = Transport(services, connect_timeout=1, timeout=1)
        started = time.monotonic()
        answers_of(transport, ask(services))
        transport.close()

    assert time.monotonic() - started < 3


def claimed(
    website: Website, subscription: Subscription, **fields: Any
) -> tuple[Claimed, PushRequest | Result]:
    """A delivery to this subscription as the engine claims it, and what would be posted."""
    message = make_message(website, transactional=True, **fields)
    outbox.send(message, [make_text()], [subscription.recipient])
    ((delivery,),) = ledger.record_and_claim(True, [], [Claim(1)])
    return delivery, sending.request_for(delivery, time.monotonic())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "endpoint", ["https://127.0.0.1:5432/", "https://169.254.169.254/x", "http://fcm.googleapis.com/x"]
)
def test_s05_an_endpoint_that_got_into_the_database_is_checked_again(website: Website, endpoint: str) -> None:
    """The sender's second line; the third is the operator's egress filter."""
    subscription = make_subscription(website, make_push(website, endpoint))

    _delivery, result = claimed(website, subscription)

    assert isinstance(result, Result)
    assert (result.state, result.reason) == ("failed", "EndpointRefused")


POINTS = st.binary(max_size=200) | st.binary(min_size=64, max_size=66).map(lambda tail: b"\x04" + tail[:64])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(POINTS, st.binary(max_size=40).filter(lambda secret: len(secret) != 16))
def test_s06_broken_keys_are_not_stored(website: Website, point: bytes, secret: bytes) -> None:
    good = make_push(website)
    for changed in ({"p256dh": encoded(point)}, {"auth": encoded(secret)}):
        answer = post(path_of(website), body_of(make_push(website, good.endpoint, **changed)))
        assert answer.status_code == 400
    assert not Subscription.objects.filter(website=website).exists()


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def mutated(secret: str, chance: random.Random) -> str:
    """The secret with one to three characters changed, removed or added."""
    letters = list(secret)
    while "".join(letters) == secret:
        for _change in range(chance.randint(1, 3)):
            place = chance.randrange(len(letters))
            letters[place : place + chance.randint(0, 1)] = chance.choice(["", "A", "z", "-", "_", "0", "=A"])
    return "".join(letters)


def test_s07_nobody_takes_an_endpoint_over(website: Website, push: PushSubscription) -> None:
    assert post(path_of(website), body_of(push, customerId="alice")).status_code == 201
    before = [list(model.objects.values()) for model in (Subscription, Recipient)]

    chance = random.Random(7)
    for number in range(1_000):
        auth = mutated(push.auth, chance) if number % 2 else encoded(chance.randbytes(16))
        attack = make_push(
            website, push.endpoint, auth=auth, **({"p256dh": push.p256dh} if number % 3 else {})
        )
        previous = Proof(push.endpoint, mutated(push.auth, chance)) if number % 5 else None
        visitor = Visitor("1" * 32 if number % 7 else "a" * 32)
        with pytest.raises((NotYours, BadSubscriptionKeys)):
            subscribing.subscribe(website, visitor, attack, previous)
    attack = make_push(website, push.endpoint)
    answers = [
        post(path_of(website), body_of(attack, "a" * 32)),
        tell(website, attack, customerId="mallory"),
        post(path_of(website, "unsubscribe"), {"endpoint": push.endpoint, "auth": attack.auth}),
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 204]
    assert not any(b"1" * 32 in answer.content or b"alice" in answer.content for answer in answers)
    assert [list(model.objects.values()) for model in (Subscription, Recipient)] == before


def test_s08_who_knows_a_recipient_id_gets_nothing_of_it(website: Website, push: PushSubscription) -> None:
    post(path_of(website), body_of(push))
    attacker = make_push(website)

    answer = post(path_of(website), body_of(attacker, "1" * 32))

    assert answer.json()["clientId"] != "1" * 32
    victim = Recipient.objects.get(client_id="1" * 32)
    outbox.send(make_message(website), [make_text()], [victim])
    assert Delivery.objects.get().subscription.endpoint == push.endpoint


@pytest.mark.django_db(transaction=True)
def test_s08_transactional_messages_reach_only_signed_customers(website: Website) -> None:
    website.verification_required = True
    website.save()
    secret, other = website.make_identity_secret(), make_website(name="Other").make_identity_secret()
    signature = signed(secret, "alice")

    def reached(**said: str) -> bool:
        push = make_push(website)
        assert post(path_of(website), body_of(push, os.urandom(16).hex(), **said)).status_code == 201
        _delivery, result = claimed(website, Subscription.objects.get(endpoint=push.endpoint))
        if isinstance(result, Result):
            assert (result.state, result.reason) == ("suppressed", "customer_not_verified")
        return isinstance(result, PushRequest)

    assert reached(customerId="alice", signature=signature)
    attempts = [
        "",
        "x",
        "ü",
        signed(other, "alice"),
        signed(secret, "bob"),
        signed("", "alice"),
        signature[:-1],
    ]
    assert not any(reached(customerId="alice", signature=attempt) for attempt in attempts)
    assert not reached()
    renewed = website.make_identity_secret()
    assert not reached(customerId="alice", signature=signature)
    assert reached(customerId="alice", signature=signed(renewed, "alice"))


def test_s09_a_flood_of_subscriptions_leaves_few_rows(website: Website) -> None:
    answers = [
        post(path_of(website), body_of(make_push(website), os.urandom(16).hex()), address=STRANGER)
        for _ in range(100)
    ]

    taken = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(taken) + len(refused) == 100
    assert 20 <= len(taken) == Subscription.objects.count() <= 25
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)


@pytest.mark.parametrize(
    ("trusted", "forwarded", "client"),
    [
        (0, "", "9.9.9.9"), (0, "1.1.1.1", "9.9.9.9"), (0, "1.1.1.1, 2.2.2.2", "9.9.9.9"),
        (1, "", "9.9.9.9"), (1, "1.1.1.1", "1.1.1.1"), (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"), (1, "6.6.6.6,,1.1.1.1,", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1"), (2, "1.1.1.1", "1.1.1.1"), (9, "1.1.1.1, 2.2.2.2", "1.1.1.1"),
    ],
)  # fmt: skip
def test_s10_only_our_own_proxies_are_believed(trusted: int, forwarded: str, client: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="9.9.9.9", headers={"X-Forwarded-For": forwarded})
    with override_settings(TRUSTED_PROXIES=trusted):
        assert limits.address(request) == client


def test_s10_a_made_up_address_buys_nothing(website: Website) -> None:
    answers = [
        post(path_of(website, "unsubscribe"), {"endpoint": "x", "auth": "y"}, address=STRANGER, **{"X-Forwarded-For": f"1.1.1.{n}"})
        for n in range(40)
    ]  # fmt: skip
    assert [answer.status_code for answer in answers].count(204) <= 22


OTHERS = ["null", "https://evil.example", "https://a.shop.example", "https://shop.example.evil", "https://shop.example:8443",
          "http://shop.example", "https://SHOP.example", "https://shop.example/", "https://shop.example@evil.example", "*", ""]  # fmt: skip


@pytest.mark.parametrize("origin", OTHERS)
@pytest.mark.parametrize("name", ["subscriptions", "recipient", "events", "unsubscribe"])
def test_s11_a_page_of_another_origin_changes_nothing(
    website: Website, push: PushSubscription, name: str, origin: str
) -> None:
    preflight = Client().options(
        path_of(website, name), headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
    )
    answer = post(path_of(website, name), body_of(push), origin)

    assert (preflight.status_code, answer.status_code) == (403, 403)
    for one in (preflight, answer):
        assert not {"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"} & one.headers.keys()
        assert "Origin" in one.headers["Vary"]
    assert not Subscription.objects.exists()
    assert not Event.objects.exists()


def test_s12_forged_reports_count_nothing(website: Website, django_assert_num_queries: Any) -> None:
    subscription = make_subscription(website)
    outbox.send(make_message(website), [make_text()], [subscription.recipient])
    delivery = Delivery.objects.get()
    named = f"{delivery.pk}.{delivery.day:%Y%m%d}"

    for number in range(10_000):
        with pytest.raises(tokens.BadToken):
            tokens.read(f"{named}.{encoded(number.to_bytes(16, 'big'))}")
    forged = [f"{named}.{encoded(os.urandom(16))}" for _ in range(50)]
    nowhere = [f"{delivery.pk + 1 + n}.{delivery.day:%Y%m%d}.{encoded(os.urandom(16))}" for n in range(50)]

    # Nothing is looked up, so that even the time of an answer doesn't tell whether there is such a delivery.
    with django_assert_num_queries(0):
        for token in [*forged, *nowhere]:
            answer = post("/browser/reports", {"token": token, "event": "clicked"})
            assert (answer.status_code, answer.content) == (204, b"")
    assert not Event.objects.exists()
    assert (
        post(
            "/browser/reports", {"token": tokens.make(delivery.pk, delivery.day), "event": "clicked"}
        ).content
        == b""
    )
    assert Event.objects.count() == 1


NASTY = ["<script>alert(1)</script>", "\r\nSet-Cookie: a=b", "\x1b[31mred\x1b[0m", "\x00", "\u202eevil", "${jndi:ldap://x}", "{{7*7}}", "'; DROP TABLE x;--",
         "\u2028", "\x7f", "%0d%0a", "\ud800", "A" * 5000, "=cmd|' /C calc'!A0"]  # fmt: skip
FIELDS = [
    "clientId",
    "language",
    "timeZone",
    "customerId",
    "signature",
    "consentText",
    "name",
    "title",
    "token",
    "event",
    "button",
]


@pytest.mark.parametrize("field", FIELDS)
def test_s13_nothing_that_is_stored_or_logged_commands(
    website: Website, push: PushSubscription, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    for nasty in NASTY:
        event = {"name": "x", "properties": {"title": "x"}, **({field: nasty} if field == "name" else {})}
        if field == "title":
            event["properties"] = {field: nasty, nasty: [nasty]}
        answers = [
            post(path_of(website), body_of(push, **{field: nasty})),
            post(path_of(website, "events"), {"clientId": "1" * 32, "events": [event]}),
            post("/browser/reports", {"token": "x", "event": "shown", field: nasty}),
            post(f"/browser/{nasty[:20].replace('/', '')}/events", {}) if nasty.isascii() else None,
        ]
        assert all(answer is None or answer.status_code < 500 for answer in answers), nasty
    stored = json.dumps([*Recipient.objects.values(), *Event.objects.values("kind", "name", "properties")], default=str, ensure_ascii=False)  # fmt: skip
    assert stored.isprintable()
    assert not re.search(r"[\r\x00\x1b\u202e]", caplog.text)


def test_s14_no_address_redirects_to_what_a_request_names(website: Website) -> None:
    target = "https://evil.example/"
    query = "&".join(f"{name}={target}" for name in ("next", "url", "u", "to", "redirect", "return", "link"))
    routes = [route for route in _routes(get_resolver().url_patterns) if not route.startswith("admin/")]
    assert len(routes) > 15
    for route in routes:
        path = "/" + re.sub(r"<[^>]+>", "1", route)
        for answer in (Client().get(f"{path}?{query}"), Client().get(f"{path}//evil.example")):
            assert "evil.example" not in answer.headers.get("Location", "")


def _routes(patterns: Any, before: str = "") -> Iterator[str]:
    for one in patterns:
        here = before + str(one.pattern)
        yield from _routes(one.url_patterns, here) if hasattr(one, "url_patterns") else [here]


SCHEMES = [
    "javascript:",
    "data:text/html,",
    "vbscript:",
    "file:///",
    "blob:",
    "http://",
    "https://",
    "HTTPS://",
    "",
    " https://",
    "java\tscript:",
    "//",
]
PLACES = [
    "shop.example/x",
    "localhost/x",
    "127.0.0.1/x",
    "alert(1)",
    "user@shop.example",
    "shop.example\\@evil",
    "<script>",
    "",
    "shop.example/\n",
    "[::1]/",
]


@given(st.sampled_from(SCHEMES), st.sampled_from(PLACES), st.text(max_size=5))
def test_s15_only_pages_of_the_web_are_linked(scheme: str, place: str, tail: str) -> None:
    """A link is checked wherever it comes in; the service worker checks it once more."""
    link = scheme + place + tail
    try:
        validate_link(link)
    except ValidationError:
        return
    assert re.match(r"https://|http://(localhost|127\.0\.0\.1|\[::1\])(?![\w.])", link, re.IGNORECASE), link
    assert "\\" not in link
    assert link.isprintable()


def test_s16_the_scripts_run_nothing_but_themselves() -> None:
    for name in ("signalize.js", "service-worker.js"):
        said = scripts.script(name)
        for word in ("eval(", "new Function", "importScripts", '"fetch",', "innerHTML", "document.write"):
            assert word not in said, f"{word} in {name}"
    assert not re.search(r"https?://(?!\S*\$\{)[a-z]", scripts.script("signalize.js"))
    served = Client().get("/code/signalize.js").content.decode()
    assert served == scripts.script("signalize.js")


def test_s17_a_second_subscription_of_a_browser_replaces_the_first(
    website: Website, push: PushSubscription
) -> None:
    post(path_of(website), body_of(push))
    second = make_push(website)
    post(path_of(website), body_of(second, previous={"endpoint": push.endpoint, "auth": push.auth}))

    outbox.send(make_message(website), [make_text()], [Recipient.objects.get()])

    assert [one.subscription.endpoint for one in Delivery.objects.select_related("subscription")] == [
        second.endpoint
    ]
    assert Subscription.objects.filter(state=SubscriptionState.ACTIVE).count() == 1


@pytest.mark.django_db(transaction=True)
def test_s19_a_personal_message_names_its_person(website: Website) -> None:
    push = make_push(website)
    post(path_of(website), body_of(push))
    subscription = Subscription.objects.get()
    told = tell(website, push, customerId="alice").json()["person"]

    personal, _request = claimed(website, subscription)
    plaintext = json.loads(sending._plaintext(sending.prepared(personal.push_message_id), personal))

    assert plaintext["notification"]["data"]["person"] == told
    assert "alice" not in json.dumps(plaintext)
    assert ORIGIN in plaintext["notification"]["navigate"]
