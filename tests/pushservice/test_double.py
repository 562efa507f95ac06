"""The push service double judges as the real ones do; a test that passes against a lenient judge shows nothing."""

import json
import time
from collections.abc import Iterator
from typing import Any

import http_ece
import pycurl
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from signalize_console.pushservice.checks import decode
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.pushservice.subscribers import Subscriber
from signalize_console.webpush.vapid import generate_keys

PUBLIC, PRIVATE = generate_keys()
OTHER_PUBLIC, OTHER_PRIVATE = generate_keys()


@pytest.fixture(scope="module")
def running() -> Iterator[PushServiceDouble]:
    with PushServiceDouble() as double:
        yield double


@pytest.fixture
def double(running: PushServiceDouble) -> PushServiceDouble:
    running.reset()
    return running


def authorization(origin: str, private: bytes = PRIVATE, **changed: Any) -> str:
    vapid = Vapid02(private_key=ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1()))
    claims = {"aud": origin, "exp": int(time.time()) + 3600, "sub": "mailto:web@example.com", **changed}
    return str(
        vapid.sign({name: value for name, value in claims.items() if value is not None})["Authorization"]
    )


def encrypted(subscriber: Subscriber, plaintext: bytes) -> bytes:
    return bytes(
        http_ece.encrypt(
            plaintext,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=decode(subscriber.p256dh),
            auth_secret=decode(subscriber.auth),
            version="aes128gcm",
        )
    )


def post(
    double: PushServiceDouble,
    subscriber: Subscriber,
    body: bytes,
    version: int = pycurl.CURL_HTTP_VERSION_2TLS,
    **headers: str | None,
) -> tuple[int, str]:
    origin = "/".join(subscriber.endpoint.split("/")[:3])
    given = {"TTL": "60", "Content-Encoding": "aes128gcm", "Authorization": authorization(origin), **headers}
    curl = curl_to(double, subscriber.endpoint, version)
    curl.setopt(
        pycurl.HTTPHEADER,
        [f"{name}: {value}" for name, value in given.items() if value is not None] + ["Expect:"],
    )
    curl.setopt(pycurl.POSTFIELDS, body)
    return perform(curl)


def delete(double: PushServiceDouble, url: str) -> int:
    curl = curl_to(double, url)
    curl.setopt(pycurl.CUSTOMREQUEST, "DELETE")
    return perform(curl)[0]


def curl_to(double: PushServiceDouble, url: str, version: int = pycurl.CURL_HTTP_VERSION_2TLS) -> pycurl.Curl:
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.CAINFO, str(double.ca_file))
    curl.setopt(pycurl.CONNECT_TO, [f"::127.0.0.1:{double.port}"])
    curl.setopt(pycurl.HTTP_VERSION, version)
    return curl


def perform(curl: pycurl.Curl) -> tuple[int, str]:
    said = bytearray()
    curl.setopt(pycurl.WRITEFUNCTION, said.extend)
    curl.setopt(pycurl.HEADERFUNCTION, said.extend)
    curl.perform()
    status = curl.getinfo(pycurl.RESPONSE_CODE)
    curl.close()
    return status, said.decode()


@pytest.mark.parametrize(
    ("version", "name"), [(pycurl.CURL_HTTP_VERSION_2TLS, "2"), (pycurl.CURL_HTTP_VERSION_1_1, "1.1")]
)
@pytest.mark.parametrize("service", ["mozilla", "fcm", "apple", "wns"])
def test_it_takes_and_decrypts_what_is_right(
    double: PushServiceDouble, service: str, version: int, name: str
) -> None:
    subscriber = double.make_subscriber(service, application_server_key=PUBLIC)

    status, said = post(double, subscriber, encrypted(subscriber, b"hello"), version)

    assert (status, "location" in said.lower()) == (201, True)
    (push,) = double.received
    assert (push.plaintext, push.http_version, push.claims["sub"]) == (
        b"hello",
        name,
        "mailto:web@example.com",
    )


MOZILLA = "https://updates.push.services.mozilla.com"
APPLE = "https://web.push.apple.com"
REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("mozilla", {"TTL": None}, 400, '"errno": 111'),
    ("mozilla", {"TTL": "soon"}, 400, '"errno": 112'),
    ("mozilla", {"Topic": "a b"}, 400, '"errno": 113'),
    ("mozilla", {"Topic": "x" * 33}, 400, '"errno": 113'),
    ("mozilla", {"Content-Encoding": "aesgcm"}, 400, '"errno": 110'),
    ("mozilla", {"Urgency": "now"}, 400, '"errno": 110'),
    ("mozilla", {"Authorization": None}, 401, '"errno": 109'),
    ("mozilla", {"Authorization": "Bearer x"}, 401, '"errno": 109'),
    ("mozilla", {"Authorization": "vapid t=a.b.c,k=AAAA"}, 401, '"errno": 109'),
    ("mozilla", {"Authorization": authorization(APPLE)}, 401, "aud"),
    ("mozilla", {"Authorization": authorization(MOZILLA, exp=int(time.time()) - 1)}, 401, "exp"),
    ("mozilla", {"Authorization": authorization(MOZILLA, exp=int(time.time()) + 90_000)}, 401, "exp"),
    ("mozilla", {"Authorization": authorization(MOZILLA, OTHER_PRIVATE)}, 401, "mismatch"),
    (
        "mozilla",
        {"Authorization": authorization(MOZILLA).replace("k=", "k=" + OTHER_PUBLIC + "#")},
        401,
        '"errno": 109',
    ),
    ("apple", {"Authorization": authorization(APPLE, OTHER_PRIVATE)}, 400, "VapidPkHashMismatch"),
    ("apple", {"Authorization": authorization(APPLE, exp=1)}, 403, "BadJwtToken"),
    ("apple", {"TTL": None}, 400, "BadTtl"),
    (
        "fcm",
        {"Authorization": authorization("https://fcm.googleapis.com", OTHER_PRIVATE)},
        403,
        "do not correspond",
    ),
    ("wns", {"TTL": None}, 400, "dropped"),
]


@pytest.mark.parametrize(("service", "headers", "status", "said"), REFUSED, ids=range(len(REFUSED)))
def test_it_refuses_what_is_wrong_in_that_services_words(
    double: PushServiceDouble, service: str, headers: dict[str, Any], status: int, said: str
) -> None:
    subscriber = double.make_subscriber(service, application_server_key=PUBLIC)

    answered, text = post(double, subscriber, encrypted(subscriber, b"x"), **headers)

    assert (answered, said in text) == (status, True), text
    assert not double.received
    assert len(double.rejected) == 1


def test_it_refuses_what_is_too_large(double: PushServiceDouble) -> None:
    subscriber = double.make_subscriber(application_server_key=PUBLIC)

    assert post(double, subscriber, encrypted(subscriber, b"x" * 3993))[0] == 201
    assert post(double, subscriber, encrypted(subscriber, b"x" * 3994))[0] == 413


def test_it_knows_whom_it_does_not_know_and_who_has_gone(double: PushServiceDouble) -> None:
    subscriber = double.make_subscriber(application_server_key=PUBLIC)
    stranger = Subscriber(
        "x", subscriber.endpoint + "x", PUBLIC, p256dh=subscriber.p256dh, auth=subscriber.auth
    )
    double.expire(subscriber.endpoint)

    assert post(double, stranger, encrypted(subscriber, b"x"))[0] == 404
    assert post(double, subscriber, encrypted(subscriber, b"x"))[0] == 410


def test_it_answers_as_it_is_told(double: PushServiceDouble) -> None:
    subscriber = double.make_subscriber(application_server_key=PUBLIC)
    double.answer_next(503, {"Retry-After": "120"}, b"busy", n=2)

    answers = [post(double, subscriber, encrypted(subscriber, b"x")) for _time in range(3)]

    assert [status for status, _said in answers] == [503, 503, 201]
    assert "retry-after: 120" in answers[0][1].lower()
    assert answers[0][1].endswith("busy")
    assert len(double.received) == 1


@pytest.mark.parametrize("fault", ["reset", "close"])
def test_a_fault_comes_after_the_message_was_taken(double: PushServiceDouble, fault: str) -> None:
    subscriber = double.make_subscriber(application_server_key=PUBLIC)
    double.fail_next(fault)

    with pytest.raises(pycurl.error):
        post(double, subscriber, encrypted(subscriber, b"taken"))

    assert [push.plaintext for push in double.received] == [b"taken"]


def test_what_is_not_for_this_subscriber_can_not_be_read(double: PushServiceDouble) -> None:
    one, other = (double.make_subscriber(application_server_key=PUBLIC) for _ in range(2))
    body = encrypted(one, json.dumps({"x": 1}).encode())
    with pytest.raises(http_ece.ECEException):
        other.decrypt(body)


def location(said: str) -> str:
    return next(line for line in said.splitlines() if line.lower().startswith("location:")).split()[1]


@pytest.mark.parametrize("service", ["mozilla", "other"])
def test_a_message_that_waits_can_be_deleted_once(double: PushServiceDouble, service: str) -> None:
    subscriber = double.make_subscriber(service, application_server_key=PUBLIC)
    double.leave(subscriber.endpoint)
    addresses = [location(post(double, subscriber, encrypted(subscriber, text))[1]) for text in (b"1", b"2")]

    assert [delete(double, addresses[0]) for _time in range(2)] == [204, 404]
    assert delete(double, subscriber.endpoint) == 404
    assert [push.plaintext for push in double.come_back(subscriber.endpoint)] == [b"2"]
    assert delete(double, addresses[1]) == 404
    assert [push.plaintext for push in double.received] == [b"1", b"2"]


@pytest.mark.parametrize("service", ["fcm", "apple", "wns"])
def test_who_knows_no_deleting_says_so(double: PushServiceDouble, service: str) -> None:
    subscriber = double.make_subscriber(service, application_server_key=PUBLIC)
    double.leave(subscriber.endpoint)
    _status, said = post(double, subscriber, encrypted(subscriber, b"x"))

    assert delete(double, location(said)) == 405
    assert len(double.come_back(subscriber.endpoint)) == 1


def test_one_message_of_a_topic_waits(double: PushServiceDouble) -> None:
    subscriber = double.make_subscriber(application_server_key=PUBLIC)
    double.leave(subscriber.endpoint)
    for text, topic in ((b"1", "a"), (b"2", "b"), (b"3", "a"), (b"4", None)):
        post(double, subscriber, encrypted(subscriber, text), Topic=topic)

    assert [push.plaintext for push in double.come_back(subscriber.endpoint)] == [b"2", b"3", b"4"]
    assert double.come_back(subscriber.endpoint) == []


def test_who_is_there_has_received_it_already(double: PushServiceDouble) -> None:
    subscriber = double.make_subscriber(application_server_key=PUBLIC)
    _status, said = post(double, subscriber, encrypted(subscriber, b"x"))

    assert delete(double, location(said)) == 404
    assert double.come_back(subscriber.endpoint) == []
