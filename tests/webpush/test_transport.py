"""The way to the push service: libcurl against the double, and against worse."""

import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pycurl
import pytest

from signalize_console.pushservice.certificates import Certificates
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.pushservice.subscribers import Subscriber
from signalize_console.webpush.encryption import encrypt
from signalize_console.webpush.push_services import PushServices
from signalize_console.webpush.transport import Answer, PushRequest, Transport
from signalize_console.webpush.vapid import Signer, generate_keys

PUBLIC, PRIVATE = generate_keys()
SIGNER = Signer(PRIVATE, "mailto:web@example.com")


@pytest.fixture(scope="module")
def double() -> Iterator[PushServiceDouble]:
    with PushServiceDouble() as double:
        yield double


@pytest.fixture
def services(double: PushServiceDouble) -> PushServices:
    double.reset()
    return PushServices.from_text(double.push_services)


@pytest.fixture
def transport(double: PushServiceDouble, services: PushServices) -> Iterator[Transport]:
    transport = Transport(services, ca_file=str(double.ca_file), connect_timeout=2, timeout=2)
    yield transport
    transport.close()


def request(
    services: PushServices, subscriber: Subscriber, number: int = 0, **changed: object
) -> PushRequest:
    endpoint = services.parse(subscriber.endpoint)
    facts: dict[str, object] = {
        "id": number,
        "endpoint": endpoint,
        "body": encrypt(f"message {number}".encode(), subscriber.p256dh, subscriber.auth),
        "authorization": SIGNER.authorization(endpoint.origin),
        "ttl": 60,
        "urgency": "normal",
        "topic": None,
        "deadline": time.monotonic() + 10,
    }
    return PushRequest(**{**facts, **changed})  # type: ignore[arg-type]


def answers_of(transport: Transport, *requests: PushRequest) -> list[Answer]:
    for one in requests:
        transport.submit(one)
    answers: list[Answer] = []
    while transport.in_flight:
        answers += transport.poll(1)
    return answers


def test_it_posts_many_over_few_http2_connections(
    double: PushServiceDouble, services: PushServices, transport: Transport
) -> None:
    subscriber = double.make_subscriber(application_server_key=PUBLIC)

    answers = answers_of(transport, *(request(services, subscriber, number) for number in range(200)))

    assert {answer.status for answer in answers} == {201}
    assert sorted(push.plaintext for push in double.received) == sorted(b"message %d" % n for n in range(200))
    assert {push.http_version for push in double.received} == {"2"}
    assert len({push.connection for push in double.received}) <= 4
    assert answers[0].headers["location"].startswith("https://updates.push.services.mozilla.com/m/")


@pytest.mark.parametrize("service", ["mozilla", "fcm", "apple", "wns"])
def test_every_push_service_finds_its_own_audience(
    double: PushServiceDouble, services: PushServices, transport: Transport, service: str
) -> None:
    subscriber = double.make_subscriber(service, application_server_key=PUBLIC)

    (answer,) = answers_of(transport, request(services, subscriber, topic="t", urgency="high"))

    (push,) = double.received
    assert answer.status == 201
    assert (push.headers["topic"], push.headers["urgency"], push.headers["ttl"]) == ("t", "high", "60")
    assert ("x-wns-cache-policy" in push.headers) == (service == "wns")
    assert not {"expect", "transfer-encoding"} & push.headers.keys()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_it_follows_no_redirect(
    double: PushServiceDouble, services: PushServices, transport: Transport, status: int
) -> None:
    subscriber = double.make_subscriber(application_server_key=PUBLIC)
    hits: list[object] = []
    with listening(hits.append) as port:
        double.answer_next(status, {"Location": f"https://127.0.0.1:{port}/internal"})
        (answer,) = answers_of(transport, request(services, subscriber))

    assert answer.status == status
    assert not hits


def test_a_refused_address_is_not_dialled() -> None:
    hits: list[object] = []
    with listening(hits.append) as port:
        services = PushServices.from_text(f"https://updates.push.services.mozilla.com=127.0.0.1:{port}")
        # The same place, without the operator's word for it: what a poisoned DNS would do.
        poisoned = PushServices(connect_to=services.connect_to)
        transport = Transport(poisoned, connect_timeout=2, timeout=2)
        double = Subscriber("t", "https://updates.push.services.mozilla.com/wpush/v2/t", PUBLIC)
        endpoint = poisoned.parse(double.endpoint)
        asked = PushRequest(0, endpoint, b"x", "vapid", 60, "normal", None, time.monotonic() + 9)
        (answer,) = answers_of(transport, asked)
        transport.close()

    assert (answer.error, answer.sent, hits) == ("address_refused", False, [])


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_a_connection_closed_after_the_request_is_not_posted_twice(
    double: PushServiceDouble, services: PushServices, transport: Transport, version: str
) -> None:
    """On a used connection libcurl would post once more by itself."""
    if version == "1.1":
        transport._options[pycurl.HTTP_VERSION] = pycurl.CURL_HTTP_VERSION_1_1
    subscriber = double.make_subscriber(application_server_key=PUBLIC)
    answers_of(transport, request(services, subscriber, 1))
    double.fail_next("close")

    (answer,) = answers_of(transport, request(services, subscriber, 2))

    assert [push.plaintext for push in double.received] == [b"message 1", b"message 2"]
    assert {push.http_version for push in double.received} == {version}
    assert len({push.connection for push in double.received}) == 1
    assert (answer.status, answer.sent) == (0, True)
    assert double.requests == 2


@pytest.mark.parametrize("fault", ["reset", "hang"])
def test_a_lost_answer_leaves_it_uncertain(
    double: PushServiceDouble, services: PushServices, transport: Transport, fault: str
) -> None:
    subscriber = double.make_subscriber(application_server_key=PUBLIC)
    double.fail_next(fault)

    (answer,) = answers_of(transport, request(services, subscriber))

    assert (answer.status, answer.sent) == (0, True)
    assert answer.error in {"broken_after_sending", "timeout_after_sending"}
    assert double.requests == 1


def test_nothing_is_sent_after_the_deadline(
    double: PushServiceDouble, services: PushServices, transport: Transport
) -> None:
    subscriber = double.make_subscriber(application_server_key=PUBLIC)

    (answer,) = answers_of(transport, request(services, subscriber, deadline=time.monotonic() - 1))

    assert (answer.error, answer.sent, double.requests) == ("too_late", False, 0)


def test_an_untrusted_certificate_is_refused(double: PushServiceDouble, services: PushServices) -> None:
    transport = Transport(services, connect_timeout=2, timeout=2)
    subscriber = double.make_subscriber(application_server_key=PUBLIC)

    (answer,) = answers_of(transport, request(services, subscriber))
    transport.close()

    assert (answer.error, answer.sent) == ("certificate_refused", False)


def test_nobody_listening_is_no_uncertainty(double: PushServiceDouble) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    services = PushServices.from_text(f"https://updates.push.services.mozilla.com=127.0.0.1:{port}")
    transport = Transport(services, connect_timeout=2, timeout=2)
    subscriber = double.make_subscriber(application_server_key=PUBLIC)

    (answer,) = answers_of(transport, request(services, subscriber))
    transport.close()

    assert (answer.error, answer.sent) == ("no_connection", False)


def test_proxies_of_the_environment_are_ignored(
    double: PushServiceDouble, services: PushServices, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    subscriber = double.make_subscriber(application_server_key=PUBLIC)

    (answer,) = answers_of(transport, request(services, subscriber))

    assert answer.status == 201


ENDLESS = [
    b"HTTP/1.1 500 No\r\nContent-Type: text/plain\r\n\r\n" + b"x" * 1_000_000,
    b"HTTP/1.1 500 No\r\nX-Long: " + b"x" * 1_000_000,
]


@pytest.mark.parametrize("said", ENDLESS)
def test_an_endless_answer_is_cut(tmp_path: object, said: bytes) -> None:
    certificates = Certificates(tmp_path)  # type: ignore[arg-type]

    def talk(connection: socket.socket) -> None:
        with certificates.context("http/1.1").wrap_socket(connection, server_side=True) as secure:
            secure.recv(65536)
            for _more in range(50):
                secure.sendall(said)

    with listening(talk) as port:
        services = PushServices.from_text(f"https://updates.push.services.mozilla.com=127.0.0.1:{port}")
        transport = Transport(services, ca_file=str(certificates.ca_file), connect_timeout=2, timeout=5)
        endpoint = services.parse("https://updates.push.services.mozilla.com/wpush/v2/x")
        asked = PushRequest(0, endpoint, b"x", "vapid", 60, "normal", None, time.monotonic() + 9)
        started = time.monotonic()
        (answer,) = answers_of(transport, asked)
        transport.close()

    assert time.monotonic() - started < 4
    assert len(answer.text) <= 1_000
    assert answer.sent


class listening:  # noqa: N801 - reads as a word
    """A server on loopback that hands each connection to ``talk``."""

    def __init__(self, talk: Callable[[socket.socket], object]) -> None:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    talk(self.request)
                except (ConnectionError, ssl.SSLError):
                    return

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def __enter__(self) -> int:
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()
        return int(self.server.server_address[1])

    def __exit__(self, *_error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
