"""Knocking at push services: the real transport's rules, bounded time, and not a byte said."""

import socket
import time

import pytest

from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.webpush.push_services import EndpointRefused, PushServices
from signalize_console.webpush.reaching import reach

MOZILLA, APPLE = "https://updates.push.services.mozilla.com", "https://web.push.apple.com"


def test_a_push_service_is_reached_and_asked_nothing() -> None:
    with PushServiceDouble() as double:
        allowed = PushServices.from_text(double.push_services)
        found = reach(allowed, [MOZILLA, APPLE, MOZILLA], ca_file=str(double.ca_file))
        assert {origin: one.error for origin, one in found.items()} == {MOZILLA: "", APPLE: ""}
        assert all(0 < one.seconds < 5 for one in found.values())
        assert double.requests == 0


def test_a_certificate_of_nobody_is_refused() -> None:
    with PushServiceDouble() as double:
        found = reach(PushServices.from_text(double.push_services), [APPLE])
        assert found[APPLE].error == "certificate_refused"


def test_who_listens_to_nothing_and_who_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as closed:
        silent_port, closed_port = silent.getsockname()[1], closed.getsockname()[1]
        closed.close()
        allowed = PushServices.of([f"{MOZILLA}=127.0.0.1:{closed_port}", f"{APPLE}=127.0.0.1:{silent_port}"])
        begun = time.monotonic()
        found = reach(allowed, [MOZILLA, APPLE], seconds=1.0)
        assert time.monotonic() - begun < 3
    assert (found[MOZILLA].error, found[APPLE].error) == ("no_connection", "connection_timeout")


def test_what_is_no_push_service_is_not_dialled() -> None:
    with pytest.raises(EndpointRefused):
        reach(PushServices(), ["https://intranet.example"])
    with socket.create_server(("127.0.0.1", 0)) as inside:
        allowed = PushServices(
            extra=frozenset({("push.example.net", 443)}),
            connect_to=(f"push.example.net:443:127.0.0.1:{inside.getsockname()[1]}",),
        )
        found = reach(allowed, ["https://push.example.net"], seconds=2.0)
        assert found["https://push.example.net"].error == "address_refused"
