"""docs/webhooks.md: the check of a signature, on the request shown there and on a real one."""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from signalize_console.deliveries import outbox
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.deliveries.conftest import double, running_double, subscribe, work
from tests.docs.examples import example
from tests.makers import make_message, make_text
from tests.web import ROOT
from tests.webhooks.conftest import listen, receiver, running_receiver, tell
from tests.webhooks.receiver import Receiver

__all__ = ["double", "listen", "receiver", "running_double", "running_receiver", "subscribe", "tell", "work"]
pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "docs/webhooks.md"
HEAD, _, BODY = example(PAGE, "http").partition("\n\n")
HEADERS = dict(line.split(": ") for line in HEAD.splitlines()[1:])
CHECK = compile(example(PAGE, "python"), PAGE, "exec")


def is_genuine(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    names: dict[str, Any] = {
        "base64": base64,
        "hmac": hmac,
        "secret": secret,
        "headers": headers,
        "body": body,
    }
    exec(CHECK, names)
    return bool(names["genuine"])


def test_the_request_that_is_shown_passes_the_check_that_is_shown() -> None:
    named = re.search(r"`(whsec_\S+)`", (ROOT / PAGE).read_text())
    assert named
    body = BODY.replace("\n ", "").strip().encode()
    assert is_genuine(named[1], HEADERS, body)
    assert not is_genuine(named[1], HEADERS, body.replace(b"c-1", b"c-2"))


def test_a_real_one_looks_alike_and_passes(
    receiver: Receiver,
    website: Website,
    listen: Callable[..., Any],
    tell: Callable[[], int],
    subscribe: Callable[..., Subscription],
    double: PushServiceDouble,
    work: Callable[[], None],
) -> None:
    made = listen("accepted")
    subscribe(customer_id="c-1")
    outbox.send(make_message(website), [make_text()])
    work()
    assert tell() == 1

    (real,) = receiver.received()
    assert is_genuine(made.secret, real.headers, real.body)
    assert set(HEADERS) <= set(real.headers)
    shown = json.loads(BODY)
    assert list(real.json) == list(shown)
    assert list(real.json["data"]) == list(shown["data"])
    assert real.json["data"]["state"] == shown["data"]["state"] == "accepted"
