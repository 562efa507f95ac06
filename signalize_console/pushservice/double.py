"""The push service double itself: all its faces on loopback, in a thread of their own."""

import asyncio
import collections
import itertools
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import serve as serve_websocket
from websockets.typing import Subprotocol

from signalize_console.pushservice import sender_face, subscribers
from signalize_console.pushservice.certificates import Certificates
from signalize_console.pushservice.checks import Refused, check_headers, check_vapid
from signalize_console.pushservice.chromium import ChromiumFace
from signalize_console.pushservice.dialects import SERVICES, Reply, accepted, refusal
from signalize_console.pushservice.firefox import FirefoxFace
from signalize_console.pushservice.sender_face import Request
from signalize_console.pushservice.subscribers import Push, Subscriber

HOST = "127.0.0.1"
KEPT = 10_000


class PushServiceDouble:
    """Use as a context manager. ``received`` are the accepted pushes, ``rejected`` the refused, and why;
    ``deletions`` the addresses of messages that somebody wanted back."""

    def __init__(
        self,
        directory: Path | None = None,
        port: int = 0,
        on_push: Callable[[str, int, Push | None], None] = lambda *_facts: None,
    ) -> None:
        self._temporary = None if directory else tempfile.TemporaryDirectory(prefix="pushservice-")
        self.certificates = Certificates(directory or Path(self._temporary.name))  # type: ignore[union-attr]
        self.port, self.on_push = port, on_push
        self.subscribers: dict[str, Subscriber] = {}
        self.firefox, self.chromium = FirefoxFace(self.subscribers), ChromiumFace(self.subscribers)
        self._numbers = itertools.count(1)
        self.reset()

    def reset(self) -> None:
        """Forgets what was received and scripted; subscribers stay."""
        self.received: collections.deque[Push] = collections.deque(maxlen=KEPT)
        self.rejected: collections.deque[tuple[str, str]] = collections.deque(maxlen=KEPT)
        self.deletions: collections.deque[str] = collections.deque(maxlen=KEPT)
        self.requests = 0
        self.latency = 0.0
        self._scripted: list[tuple[str | None, Reply, bool]] = []

    # What a test or a person says to it.

    def make_subscriber(self, service: str = "mozilla", *, application_server_key: str) -> Subscriber:
        subscriber = subscribers.make_subscriber(service, application_server_key)
        self.subscribers[subscriber.token] = subscriber
        return subscriber

    def expire(self, endpoint: str) -> None:
        self.subscribers[_token(endpoint)].gone = True

    def leave(self, endpoint: str) -> None:
        """The browser goes offline: what comes for it waits here, one for each topic."""
        self.subscribers[_token(endpoint)].away = True

    def come_back(self, endpoint: str) -> list[Push]:
        """The browser is online again, and this is what it receives."""
        return self.subscribers[_token(endpoint)].come_back()

    def answer_next(
        self,
        status: int,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        n: int = 1,
        endpoint: str | None = None,
    ) -> None:
        """Answers the next ``n`` requests (to ``endpoint``) like this, and takes nothing."""
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        self._scripted += [(endpoint, Reply(status, lower, body), False)] * n

    def fail_next(self, fault: str, n: int = 1, *, after_taking: bool = True) -> None:
        """The next ``n`` requests end in "reset", "close" or "hang", after the message was taken or not."""
        self._scripted += [(None, Reply(0, fault=fault), after_taking)] * n

    def deliver(self, endpoint: str, body: bytes = b"") -> None:
        """Pushes this encrypted body to a browser, with no application server in between."""
        push = Push(f"{next(self._numbers)}-{time.time_ns()}", endpoint, {"ttl": "60"}, body, {}, "", 0)
        self._loop.call_soon_threadsafe(self.subscribers[_token(endpoint)].take, push)

    def wait_for(self, condition: Callable[[], Any], seconds: float = 10, what: str = "") -> Any:
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                raise TimeoutError(what or "The push service double waited in vain.")
            time.sleep(0.01)
        return value

    @property
    def push_services(self) -> str:
        """For SIGNALIZE_PUSH_SERVICES: the real origins, led here."""
        return ",".join(f"https://{name}={HOST}:{self.port}" for name in SERVICES)

    @property
    def ca_file(self) -> Path:
        """For SIGNALIZE_PUSH_SERVICES_CA."""
        return self.certificates.ca_file

    @property
    def firefox_preferences(self) -> dict[str, object]:
        return {
            "dom.push.serverURL": f"ws://{HOST}:{self.firefox_port}/",
            "dom.push.testing.allowInsecureServerURL": True,
            "dom.push.connection.enabled": True,
            "dom.push.retryBaseInterval": 200,
        }

    @property
    def chromium_switches(self) -> list[str]:
        web = f"http://{HOST}:{self.registration_port}"
        return [
            f"--gcm-checkin-url={web}/checkin",
            f"--gcm-registration-url={web}/register3",
            f"--gcm-mcs-endpoint=https://{HOST}:{self.mcs_port}",
            f"--ignore-certificate-errors-spki-list={self.certificates.spki}",
        ]

    # What an application server says to it.

    async def answer(self, request: Request) -> Reply:
        self.requests += 1
        if self.latency:
            await asyncio.sleep(self.latency)
        service = SERVICES.get(request.authority, "other")
        endpoint = f"https://{request.authority}{request.path}"
        scripted, taking = self._next_scripted(endpoint)
        if scripted and not taking:
            self.on_push(endpoint, scripted.status, None)
            return scripted
        if request.method == "DELETE":
            reply = self._delete(service, endpoint)
            return scripted or reply
        try:
            push = self._accept(request, endpoint)
        except Refused as refused:
            self.rejected.append((refused.kind, refused.message))
            reply = refusal(service, refused.kind, refused.message)
            self.on_push(endpoint, reply.status, None)
            return reply
        self.on_push(endpoint, 201, push)
        return scripted or accepted(
            service, f"https://{request.authority}/m/{push.id}", request.headers["ttl"]
        )

    def _next_scripted(self, endpoint: str) -> tuple[Reply | None, bool]:
        for number, (only, reply, taking) in enumerate(self._scripted):
            if only in (None, endpoint):
                del self._scripted[number]
                return reply, taking
        return None, False

    def _accept(self, request: Request, endpoint: str) -> Push:
        subscriber = self.subscribers.get(_token(endpoint))
        if request.method != "POST" or subscriber is None:
            raise Refused("not_found", "No such subscription")
        if subscriber.gone:
            raise Refused("gone", "The subscription has ended")
        check_headers(request.headers, bytes(request.body))
        origin = f"https://{request.authority}"
        claims = check_vapid(
            request.headers.get("authorization", ""), origin, subscriber.application_server_key
        )
        number = f"{next(self._numbers)}-{time.time_ns()}"
        push = Push(
            number,
            endpoint,
            request.headers,
            bytes(request.body),
            claims,
            request.http_version,
            request.connection,
        )
        subscriber.read(push)
        self.received.append(push)
        subscriber.take(push)
        return push

    def _delete(self, service: str, address: str) -> Reply:
        """RFC 8030, 6.2: only what still waits can be deleted; Google, Apple and Microsoft don't know it."""
        self.deletions.append(address)
        if service not in {"mozilla", "other"}:
            return Reply(405)
        number = address.partition("/m/")[2]
        for subscriber in self.subscribers.values():
            for push in subscriber.waiting:
                if push.id == number and push.expires_at > time.time():
                    subscriber.waiting.remove(push)
                    return Reply(204)
        return refusal(service, "not_found", "No such message")

    # Its life.

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[ready], name="pushservice", daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("The push service double did not start: is its port taken?")
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        if self._temporary:
            self._temporary.cleanup()

    def _run(self, ready: threading.Event) -> None:
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    async def _serve(self, ready: threading.Event) -> None:
        self._stop = asyncio.Event()
        tls = self.certificates.context
        sender = partial(sender_face.serve, self.answer)
        registration = partial(sender_face.serve, self.chromium.answer)
        servers = [
            await asyncio.start_server(sender, HOST, self.port, ssl=tls("h2", "http/1.1")),
            await asyncio.start_server(registration, HOST, 0),
            await asyncio.start_server(self.chromium.serve, HOST, 0, ssl=tls()),
        ]
        self.port, self.registration_port, self.mcs_port = (
            one.sockets[0].getsockname()[1] for one in servers
        )
        async with serve_websocket(
            self.firefox.serve,
            HOST,
            0,
            subprotocols=[Subprotocol("push-notification")],
            compression=None,
        ) as websocket:
            self.firefox_port = next(iter(websocket.sockets)).getsockname()[1]
            ready.set()
            await self._stop.wait()
        for server in servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.05)


def _token(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return parse_qs(parts.query).get("token", [parts.path.rsplit("/", 1)[-1]])[0]
