"""The Python client and the examples in PHP and Node, against the running web."""

import importlib
import json
import os
import subprocess
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from signalize_console.activity.models import Event, EventKind
from signalize_console.messaging.models import PushMessage
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Recipient, Subscription
from tests.integrations.conftest import Moody
from tests.programs import require
from tests.web import Web

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
CLIENTS = Path(__file__).resolve().parents[2] / "clients"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, as a program that has installed it sees it."""
    monkeypatch.syspath_prepend(CLIENTS / "python")
    return importlib.import_module("signalize_client")


@pytest.fixture
def console(client: Any, web: Web, key: str) -> Any:
    return client.Signalize(f"{web.origin}/", key)


def test_a_message_is_sent_once_under_one_key(
    client: Any,
    console: Any,
    subscribe: Callable[..., Subscription],
    double: PushServiceDouble,
    work: Callable[[], None],
) -> None:
    one = subscribe(customer_id="K-1")
    first, again = (
        console.send(client.Text("Hello", "You"), customer_ids=["K-1", "K-2"], key="order-1")
        for _time in range(2)
    )
    work()

    assert (first.deliveries, first.unreachable[0]["reason"], first.replayed) == (1, "unknown", False)
    assert (again.message_id, again.replayed) == (first.message_id, True)
    assert [push.endpoint for push in double.received] == [one.endpoint]
    assert console.message(first.message_id)["messageId"] == first.message_id
    assert console.send_to_audience(client.Text("All")).deliveries is None


def test_recipients_are_changed_found_and_told_of(console: Any) -> None:
    console.update_recipient("1" * 32, customerId="K/1", attributes={"club": "gold"})
    assert [one["clientId"] for one in console.recipients_of("K/1")] == ["1" * 32]
    console.track("1" * 32, "order", total=12)
    assert Event.objects.get(kind=EventKind.EVENT).properties == {"total": 12}
    assert Recipient.objects.get().attributes == {"club": "gold"}


def test_what_is_refused_is_told_and_not_repeated(client: Any, console: Any) -> None:
    with pytest.raises(client.Refused, match="known on this website") as refused:
        console.send(client.Text("x"), client_ids=["1" * 32])
    assert (refused.value.status, refused.value.code) == (422, "nobody_reachable")
    assert refused.value.request_id.startswith("req_")
    with pytest.raises(ValueError, match="either"):
        console.send(client_ids=["1" * 32])
    assert not PushMessage.objects.exists()


def said(code: str) -> bytes:
    return json.dumps({"errorCode": code, "message": "m", "requestId": "r"}).encode()


def test_it_repeats_with_the_same_key_while_the_console_is_away(
    client: Any, moody: ThreadingHTTPServer
) -> None:
    Moody.answers = [
        (0, {}, b""),
        (503, {"Retry-After": "1"}, b"<html>"),
        (429, {}, said("rate_limited")),
        (409, {}, said("idempotency_key_in_flight")),
        (201, {}, b'{"messageId": 7}'),
    ]
    console = client.Signalize(f"http://127.0.0.1:{moody.server_port}", "sk_x")
    assert console.send(client.Text("x"), client_ids=["1" * 32]).message_id == 7
    assert len(Moody.keys) == 5
    assert len(set(Moody.keys)) == 1

    Moody.answers = [(500, {}, said("internal_error"))] * 2
    with pytest.raises(client.Unavailable, match="after 2 tries"):
        client.Signalize(console.server, "sk_x", tries=2).send(client.Text("x"), client_ids=["1" * 32])


def test_the_key_goes_nowhere_else(client: Any, moody: ThreadingHTTPServer) -> None:
    address = f"http://127.0.0.1:{moody.server_port}"
    Moody.answers = [(302, {"Location": f"{address}/elsewhere"}, b"")]
    with pytest.raises(client.Refused, match="302"):
        client.Signalize(address, "sk_x").send(client.Text("x"), client_ids=["1" * 32])


@pytest.mark.parametrize(("program", "example"), [("php", "php/send.php"), ("node", "node/send.mjs")])
def test_the_example_tells_of_another_server(program: str, example: str, moody: ThreadingHTTPServer) -> None:
    require(program)
    address = f"http://127.0.0.1:{moody.server_port}"
    Moody.answers = [(302, {"Location": f"{address}/elsewhere"}, b"<html>moved</html>")]
    done = subprocess.run(
        [program, CLIENTS / example, "K-1", "order-1", "Hello"],
        env={**os.environ, "SIGNALIZE_SERVER": address, "SIGNALIZE_API_KEY": "sk_x"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "302: <html>moved" in done.stdout + done.stderr
    assert Moody.keys == ["order-1"]


def environment(web: Web, key: str) -> dict[str, str]:
    return {**os.environ, "SIGNALIZE_SERVER": web.origin, "SIGNALIZE_API_KEY": key}


@pytest.mark.parametrize(("program", "example"), [("php", "php/send.php"), ("node", "node/send.mjs")])
def test_the_example_sends_once(
    program: str, example: str, web: Web, key: str, subscribe: Callable[..., Subscription]
) -> None:
    require(program)
    subscribe(customer_id="K-1")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, CLIENTS / example, *words],
            env=environment(web, key),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    outputs = [run("K-1", "order-1", "Hello").stdout.strip() for _time in range(2)]
    message = PushMessage.objects.get()
    assert outputs == [str(message.pk)] * 2
    assert message.texts.get().title == "Hello"
    refused = run("nobody", "order-2", "Hello")
    assert refused.returncode != 0
    assert "None of these recipients" in refused.stdout + refused.stderr
