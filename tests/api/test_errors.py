"""Whatever a caller sends, the API says what is wrong in its six fields, in plain words, and stays up."""

import copy
import itertools
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signalize_console.api.errors import ErrorCode
from signalize_console.api.models import ApiKey
from signalize_console.messaging.models import PushMessage
from tests.api.calling import SEND, TEXT, Api, assert_six_fields, body_for, read_six_fields


@pytest.mark.parametrize("path", [f"{SEND}/", "/v3/nothing", "/v3/%00"])
def test_it_says_not_found_to_a_post_as_to_a_get(api: Api, path: str) -> None:
    for response in (api.post({}, path=path), api.get(path)):
        message = read_six_fields(response, 404, ErrorCode.NOT_FOUND)
        assert "/v3/docs" in message


def test_it_refuses_a_field_whose_name_is_not_valid_unicode(api: Api) -> None:
    message = assert_six_fields(api.post('{"\\ud800": 1}'), 400, ErrorCode.INVALID_REQUEST)
    assert "unknown" in message


@pytest.mark.parametrize("value", ["\ud800", "x" * 500_000, "a\0b", 10**400, [], {}, None], ids=range(7))
def test_it_names_the_choices_and_repeats_no_bad_value(
    api: Api, reachable: dict[str, str], value: object
) -> None:
    body = body_for(reachable)
    body["webPush"]["urgency"] = value
    message = assert_six_fields(api.post(body), 400, ErrorCode.INVALID_REQUEST)
    assert message.startswith("webPush.urgency: ")
    if value is not None:
        assert "very-low, low, normal, high" in message


def test_it_refuses_a_status_in_plain_words(api: Api, reachable: dict[str, str]) -> None:
    response = api.post({**body_for(reachable), "status": "TEMPLATE"})
    assert "ACTIVE" in assert_six_fields(response, 400, ErrorCode.INVALID_REQUEST)


def test_it_says_where_the_json_breaks_off(api: Api) -> None:
    message = assert_six_fields(api.post('{"recipients":\n [,]}'), 400, ErrorCode.MALFORMED_JSON)
    assert "line 2, column 3" in message


def test_it_speaks_of_no_inner_workings_when_a_number_is_too_long(api: Api) -> None:
    message = assert_six_fields(api.post("9" * 5_000), 400, ErrorCode.MALFORMED_JSON)
    assert "sys." not in message


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "punycode", "zlib", "nonsense"])
def test_it_reads_utf_8_whatever_charset_is_declared(
    api: Api, reachable: dict[str, str], charset: str
) -> None:
    declared = f"application/json; charset={charset}"
    assert api.post(body_for(reachable), content_type=declared).status_code == 201
    assert PushMessage.objects.count() == 1


def test_it_refuses_json_in_another_encoding_than_utf_8(api: Api, reachable: dict[str, str]) -> None:
    body = '{"title": "Größe"}'.encode("utf-16")
    response = api.post(body, content_type="application/json; charset=utf-16")
    assert "UTF-8" in assert_six_fields(response, 400, ErrorCode.MALFORMED_JSON)


@pytest.mark.parametrize("declared", ["", "text/plain", "application/x-www-form-urlencoded", "json"])
def test_it_says_which_content_type_it_wants(api: Api, reachable: dict[str, str], declared: str) -> None:
    response = api.post(body_for(reachable), content_type=declared)
    message = assert_six_fields(response, 415, ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    assert "Content-Type: application/json" in message


def test_it_says_that_it_answers_json_only(api: Api) -> None:
    message = read_six_fields(
        api.get("/v3/pushmessages/1", Accept="text/html"), 406, ErrorCode.NOT_ACCEPTABLE
    )
    assert "application/json" in message


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_it_names_the_methods_that_an_address_knows(api: Api, method: str) -> None:
    response = api.client.generic(method, SEND, headers={"X-API-Key": api.key})
    message = assert_six_fields(response, 405, ErrorCode.METHOD_NOT_ALLOWED)
    assert (response.headers["Allow"], "/v3/docs" in message) == ("POST, OPTIONS", True)


def test_a_body_of_just_a_megabyte_is_read(api: Api) -> None:
    body = '{"a": "' + "x" * (1_000_000 - 9) + '"}'
    assert len(body) == 1_000_000
    assert_six_fields(api.post(body), 400, ErrorCode.INVALID_REQUEST)
    assert_six_fields(api.post(body + " "), 413, ErrorCode.BODY_TOO_LARGE)


@pytest.mark.django_db(transaction=True)
def test_it_says_come_again_when_the_database_breaks_off(api: Api, reachable: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    other.close()

    response = api.post(body_for(reachable), **{"Idempotency-Key": "order-4711"})
    connection.close()

    assert_six_fields(response, 503, ErrorCode.UNAVAILABLE)
    assert int(response.headers["Retry-After"]) > 0
    assert api.post(body_for(reachable), **{"Idempotency-Key": "order-4711"}).status_code == 201


NASTY = [
    "",
    "\0",
    "\ud800",
    "x" * 3_000,
    "de-abcdefgh-abcdefgh",
    "https://[",
    "https://shop.example:99999999/",
    10**400,
    -1,
    2**63,
    1e300,
    float("nan"),
    True,
    None,
    [],
    {},
    [[]],
    {"\ud800": 1},
]
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=20)
    | st.sampled_from(NASTY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to each value within a JSON document."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [inner for name, value in pairs for inner in [(*path, name), *places(value, (*path, name))]]


FULL = {
    "recipients": [{"clientId": "0" * 32}, {"customerId": "K-1"}],
    "webPush": {
        "webPushMessageTexts": [{**TEXT, "actions": [{"title": "Track", "link": "https://shop.example/"}]}],
        "icon": "https://shop.example/icon.png",
        "image": "https://shop.example/image.png",
        "badge": "https://shop.example/badge.png",
        "requireInteraction": True,
        "silent": False,
        "ttl": 60,
        "urgency": "high",
        "topic": "order-4711",
    },
    "validUntil": 4_000_000_000_000,
    "sendAt": 3_000_000_000_000,
    "status": "ACTIVE",
    "transactional": True,
}


def test_the_full_body_that_is_spoilt_below_is_accepted(api: Api, reachable: dict[str, str]) -> None:
    assert api.post({**FULL, "recipients": [reachable]}).status_code == 201


def spoilt(reachable: dict[str, str], place: tuple[Any, ...], value: Any) -> Any:
    body: Any = copy.deepcopy({**FULL, "recipients": [reachable, *FULL["recipients"]]})
    at = body
    for name in place[:-1]:
        at = at[name]
    at[place[-1]] = value
    return body


def assert_accepted_or_refused(response: Any) -> None:
    assert response.status_code in {201, 400, 422}, response.content
    if response.status_code != 201:
        read_six_fields(response, response.status_code, response.json()["errorCode"])


def test_no_nasty_value_makes_it_fail(api: Api, reachable: dict[str, str]) -> None:
    for place, value in itertools.product(places(FULL), NASTY):
        assert_accepted_or_refused(api.post(spoilt(reachable, place, value)))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(places(FULL)), value=ANYTHING)
def test_no_value_at_any_place_makes_it_fail(
    api: Api, reachable: dict[str, str], place: tuple[Any, ...], value: Any
) -> None:
    assert_accepted_or_refused(api.post(spoilt(reachable, place, value)))


@pytest.mark.parametrize("name", ["X-API-Key", "x-api-key", "api_key", "apiKey", "key"])
def test_a_key_in_the_address_is_not_taken(key: str, name: str) -> None:
    client = Client()
    for response in (
        client.post(f"{SEND}?{name}={key}", "{}", "application/json"),
        client.get(f"/v3/pushmessages/1?{name}={key}"),
    ):
        message = assert_six_fields(response, 401, ErrorCode.API_KEY_MISSING)
        assert "X-API-Key" in message
        assert key not in response.content.decode()
    assert ApiKey.objects.get().last_used_at is None


@pytest.mark.parametrize("text", ["sk_a\0b_x", "sk_\x7f_x", "sk__x", "sk_" + "0" * 8 + "_", "SK_a_b"])
def test_a_key_that_was_never_made_is_refused_whatever_it_holds(website: Any, text: str) -> None:
    assert_six_fields(Api(text).post({}), 401, ErrorCode.API_KEY_UNKNOWN)
