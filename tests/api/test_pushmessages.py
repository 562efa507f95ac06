"""The REST API as other systems call it: what it takes, what it refuses, and how it says so."""

import copy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signalize_console.api.errors import ErrorCode
from signalize_console.api.models import ApiKey
from signalize_console.deliveries import reports, tokens
from signalize_console.deliveries.models import Delivery, IdempotencyKey
from signalize_console.messaging.models import PushMessage
from signalize_console.websites.models import Website
from tests.api.calling import SEND, TEXT, Api, assert_six_fields, body_for
from tests.makers import make_recipient, make_subscription, make_website


@pytest.mark.django_db(transaction=True)
def test_it_accepts_a_message_to_a_recipient(api: Api, reachable: dict[str, str]) -> None:
    response = api.post(body_for(reachable))

    assert response.status_code == 201
    said = response.json()
    assert said == {"messageId": said["messageId"], "recipients": 1, "deliveries": 1, "unreachable": []}
    message = PushMessage.objects.get(pk=said["messageId"])
    assert (message.transactional, message.sent_by) == (True, "API key shop")


def test_it_reaches_every_browser_of_a_customer(api: Api, website: Website) -> None:
    for _browser in range(2):
        make_subscription(website, recipient=make_recipient(website, customer_id="K-1"))

    said = api.post(body_for({"customerId": "K-1"})).json()

    assert (said["recipients"], said["deliveries"]) == (2, 2)


def test_it_says_who_is_not_reachable(api: Api, website: Website, reachable: dict[str, str]) -> None:
    silent = {"clientId": make_recipient(website).client_id}
    unknown = {"clientId": "0" * 32}

    said = api.post(body_for(reachable, silent, unknown, {"customerId": "nobody"}, reachable)).json()

    assert said["deliveries"] == 1
    assert said["unreachable"] == [
        {**silent, "reason": "notSubscribed"},
        {**unknown, "reason": "unknown"},
        {"customerId": "nobody", "reason": "unknown"},
    ]


def test_an_unknown_recipient_is_named_as_such(api: Api) -> None:
    message = assert_six_fields(api.post(body_for({"clientId": "0" * 32})), 422, ErrorCode.NOBODY_REACHABLE)
    assert "getClientId" in message


def test_a_recipient_without_a_subscription_is_named_as_such(api: Api, website: Website) -> None:
    reference = {"clientId": make_recipient(website).client_id}
    message = assert_six_fields(api.post(body_for(reference)), 422, ErrorCode.NOBODY_REACHABLE)
    assert "active subscription" in message


def test_another_websites_recipient_is_unknown(api: Api, website: Website) -> None:
    stranger = make_subscription(make_website(name="Other")).recipient
    assert_six_fields(api.post(body_for({"clientId": stranger.client_id})), 422, ErrorCode.NOBODY_REACHABLE)


def test_it_wants_a_key(website: Website) -> None:
    assert_six_fields(Client().post(SEND, "{}", "application/json"), 401, ErrorCode.API_KEY_MISSING)


@pytest.mark.parametrize(
    "text", ["", "x", "sk_", "sk_abcdefgh_", "sk_abcdefgh_wrong", "é", "sk_" + "x" * 5000]
)
def test_it_refuses_a_wrong_key(website: Website, text: str) -> None:
    assert_six_fields(Api(text).post({}), 401, ErrorCode.API_KEY_UNKNOWN)


def test_it_refuses_a_revoked_key(api: Api, reachable: dict[str, str]) -> None:
    ApiKey.objects.update(revoked_at=timezone.now())
    assert_six_fields(api.post(body_for(reachable)), 401, ErrorCode.API_KEY_UNKNOWN)


def test_a_key_is_kept_as_a_hash_only(key: str) -> None:
    row = ApiKey.objects.values().get()
    secret = key.split("_", 2)[2]
    assert not any(secret in str(value) for value in row.values())


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "nothing",
        b"\xff\xfe",
        b'{"a": "\xc3"}',
        "[" * 100_000,
        '{"a":',
        '{"recipients": NaN}',
        "9" * 5_000,
    ],
    ids=range(8),
)
def test_it_refuses_what_is_no_json(api: Api, body: Any) -> None:
    assert_six_fields(api.post(body), 400, ErrorCode.MALFORMED_JSON)


@pytest.mark.parametrize("body", ["", "[]", "null", "1e999", '"x"', "true"])
def test_it_refuses_what_is_no_json_object(api: Api, body: str) -> None:
    assert_six_fields(api.post(body), 400, ErrorCode.INVALID_REQUEST)


def without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda body: body.pop(name)


def with_text(**changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda body: body["webPush"]["webPushMessageTexts"][0].update(changed)


def with_push(**changed: Any) -> Callable[[dict[str, Any]], None]:
    return lambda body: body["webPush"].update(changed)


BAD: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (without("recipients"), "recipients"),
    (without("webPush"), "webPush"),
    (lambda body: body.update(recipients=[]), "recipients"),
    (lambda body: body.update(recipients=[{"clientId": "0" * 32}] * 1001), "recipients"),
    (lambda body: body.update(recipients="x"), "recipients"),
    (lambda body: body.update(recipients=[{"clientId": "XYZ"}]), "recipients[0].clientId"),
    (lambda body: body.update(recipients=[{"clientId": "0" * 32, "customerId": "x"}]), "recipients[0]"),
    (lambda body: body.update(recipients=[{}]), "recipients[0]"),
    (lambda body: body.update(recipents=[]), "recipents: This field is unknown. Did you mean recipients?"),
    (lambda body: body.update(validUntil="tomorrow"), "validUntil"),
    (lambda body: body.update(validUntil=-1), "validUntil"),
    (lambda body: body.update(validUntil=10**30), "validUntil"),
    (lambda body: body.update(validUntil=True), "validUntil"),
    (lambda body: body.update(status="TEMPLATE"), "status"),
    (lambda body: body.update(transactional="maybe"), "transactional"),
    (with_text(title="x" * 10_240), "webPush.webPushMessageTexts[0].title"),
    (with_text(title=""), "webPush.webPushMessageTexts[0].title"),
    (with_text(title=5), "webPush.webPushMessageTexts[0].title"),
    (with_text(title="a\0b"), "webPush.webPushMessageTexts[0].title"),
    (with_text(title="\ud800"), "webPush.webPushMessageTexts[0].title"),
    (with_text(language="english!"), "webPush.webPushMessageTexts[0].language"),
    (with_text(link="javascript:alert(1)"), "webPush.webPushMessageTexts[0].link"),
    (with_text(link="http://shop.example/"), "webPush.webPushMessageTexts[0].link"),
    (with_text(link="https://user@shop.example/"), "webPush.webPushMessageTexts[0].link"),
    (with_text(actions=[{"title": "a"}] * 3), "webPush.webPushMessageTexts[0].actions"),
    (with_text(actions=[{"title": "a", "link": "data:x"}]), "webPush.webPushMessageTexts[0].actions[0].link"),
    (with_push(webPushMessageTexts=[]), "webPush.webPushMessageTexts"),
    (with_push(webPushMessageTexts=[TEXT, TEXT]), "webPush.webPushMessageTexts"),
    (with_push(webPushMessageTexts=[TEXT, {**TEXT, "language": "de"}]), "webPush.webPushMessageTexts"),
    (with_push(ttl=5), "webPush.ttl"),
    (with_push(urgency="soon"), "webPush.urgency"),
    (with_push(topic="with blanks"), "webPush.topic"),
    (with_push(icon="/icon.png"), "webPush.icon"),
]


@pytest.mark.parametrize(
    ("change", "named"), BAD, ids=[f"{n}-{named[:40]}" for n, (_change, named) in enumerate(BAD)]
)
def test_it_names_the_field_that_is_wrong(
    api: Api, reachable: dict[str, str], change: Callable[[dict[str, Any]], Any], named: str
) -> None:
    body = copy.deepcopy(body_for(reachable))
    change(body)
    message = assert_six_fields(api.post(body), 400, ErrorCode.INVALID_REQUEST)
    assert message.startswith(named)


def test_it_refuses_what_could_not_be_sent_in_time(api: Api, reachable: dict[str, str]) -> None:
    message = assert_six_fields(
        api.post({**body_for(reachable), "validUntil": 1597134207000}), 422, ErrorCode.NOT_ACCEPTED
    )
    assert "validUntil" in message


def test_it_refuses_what_no_push_service_carries(api: Api, reachable: dict[str, str]) -> None:
    message = assert_six_fields(
        api.post(body_for(reachable, message="漢" * 1000)), 422, ErrorCode.NOT_ACCEPTED
    )
    assert "Shorten" in message


def test_it_refuses_a_body_of_over_a_megabyte(api: Api) -> None:
    assert_six_fields(api.post('{"a": "' + "x" * 1_100_000 + '"}'), 413, ErrorCode.BODY_TOO_LARGE)


def test_it_wants_json(api: Api) -> None:
    response = api.client.post(SEND, {"a": 1}, headers={"X-API-Key": api.key})
    assert_six_fields(response, 415, ErrorCode.UNSUPPORTED_MEDIA_TYPE)


def test_it_knows_its_methods_and_addresses(api: Api) -> None:
    assert_six_fields(api.get(SEND), 405, ErrorCode.METHOD_NOT_ALLOWED)
    for path in ("/v3/nothing", "/v3/pushmessages/0", "/v3/pushmessages/99999999999999999999999", "/v3/"):
        assert_six_fields(api.get(path), 404, ErrorCode.NOT_FOUND)


@pytest.mark.django_db(transaction=True)
def test_a_repeated_key_gets_the_first_answer(api: Api, reachable: dict[str, str]) -> None:
    first = api.post(body_for(reachable), **{"Idempotency-Key": "order-4711"})
    again = api.post(body_for(reachable), **{"Idempotency-Key": "order-4711"})

    assert again.json() == first.json()
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (
        None,
        "true",
    )
    assert PushMessage.objects.count() == 1
    other = api.post(body_for(reachable, title="Other"), **{"Idempotency-Key": "order-4711"})
    assert (other.status_code, other.json()["errorCode"]) == (422, ErrorCode.IDEMPOTENCY_KEY_REUSED)


@pytest.mark.parametrize("text", ["x" * 256, "a\tb", "schlüssel"])
def test_a_bad_idempotency_key_is_refused(api: Api, reachable: dict[str, str], text: str) -> None:
    response = api.post(body_for(reachable), **{"Idempotency-Key": text})
    assert_six_fields(response, 400, ErrorCode.INVALID_REQUEST)
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_hundred_twins_make_one_message(api: Api, reachable: dict[str, str]) -> None:
    start = threading.Barrier(20)

    def twin(_number: int) -> list[int]:
        start.wait()
        try:
            answers = [
                Api(api.key).post(body_for(reachable), **{"Idempotency-Key": "twin"}) for _time in range(10)
            ]
            assert {answer.status_code for answer in answers} == {201}
            return [answer.json()["messageId"] for answer in answers]
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        ids = {one for twins in pool.map(twin, range(20)) for one in twins}

    assert len(ids) == 1
    assert (PushMessage.objects.count(), Delivery.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_it_takes_the_same_queries_for_many_recipients(
    api: Api, website: Website, django_assert_num_queries: Callable[..., Any]
) -> None:
    references = [{"clientId": make_subscription(website).recipient.client_id} for _ in range(60)]
    api.post(body_for(references[0]))  # notes the key's use
    ids = []
    for some in (references[:1], references):
        with django_assert_num_queries(6):
            ids.append(api.post(body_for(*some)).json()["messageId"])
    for message in ids:
        with django_assert_num_queries(10):
            api.get(f"/v3/pushmessages/{message}")


def test_it_tells_what_became_of_a_message(api: Api, reachable: dict[str, str]) -> None:
    message = api.post(body_for(reachable)).json()["messageId"]
    delivery = Delivery.objects.get()
    Delivery.objects.update(state="accepted")
    reports.report(tokens.make(delivery.pk, delivery.day), "shown")

    said = api.get(f"/v3/pushmessages/{message}").json()

    assert (said["messageId"], said["state"], said["transactional"]) == (message, "sending", True)
    numbers = {name: count for name, count in said["statistics"].items() if count}
    assert numbers == {"targeted": 1, "accepted": 1, "shown": 1}
    assert said["deliveries"] == [
        {
            "deliveryId": delivery.pk, "clientId": reachable["clientId"], "customerId": None,
            "pushService": "fcm", "state": "accepted", "reason": "", "attempts": 0, "answeredAt": None,
            "clicked": False, "closed": False, "shown": True,
        }
    ]  # fmt: skip


def test_another_websites_message_is_not_there(api: Api, reachable: dict[str, str]) -> None:
    message = api.post(body_for(reachable)).json()["messageId"]
    stranger = Api(ApiKey.issue(make_website(name="Other"), "x")[1])

    assert stranger.get(f"/v3/pushmessages/{message}").status_code == 404


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "recipients",
                    "webPush",
                    "webPushMessageTexts",
                    "clientId",
                    "title",
                    "link",
                    "language",
                    "ttl",
                    "validUntil",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_no_body_makes_it_fail(api: Api, body: Any) -> None:
    assert api.post(body).status_code in {400, 422}
