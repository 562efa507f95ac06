"""A receiver of webhooks as others run them, over TLS on this computer: it verifies, records, and misbehaves.

It is also a website, to whoever asks it for a page.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from signalize_console.pushservice.certificates import Certificates

HOST, OTHER_HOST = "push.example.net", "web.push.apple.com"  # names of the test certificate
Behaviour = Callable[["Handler"], None]


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def verifies(received: Received, secret: str) -> bool:
    """As the specification says, from the text that the console showed."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    identity, timestamp = received.headers["webhook-id"], received.headers["webhook-timestamp"]
    signed = f"{identity}.{timestamp}.{received.body.decode()}"
    expected = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
    given = received.headers["webhook-signature"].split(" ")
    return f"v1,{expected}" in given and abs(time.time() - int(timestamp)) < 300


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(self.path, headers, body, time.monotonic())
        with self.server.lock:
            self.server.received.append(received)
        self.server.behaviours.get(self.path, answer(204))(self)

    def do_GET(self) -> None:
        self.server.behaviours.get(self.path, answer(404))(self)

    def do_HEAD(self) -> None:
        self.do_GET()

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_facts: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, certificates: Certificates) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.socket = certificates.context("http/1.1").wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )
        self.lock = threading.Lock()
        self.received: list[Received] = []
        self.behaviours: dict[str, Behaviour] = {}

    def handle_error(self, *_facts: object) -> None:
        """A client that went away is what some tests are about."""


@dataclass
class Receiver:
    """``place`` leads the webhooks of both hosts here."""

    directory: Path
    server: Server = field(init=False)
    other: Server = field(init=False)

    def __post_init__(self) -> None:
        certificates = Certificates(self.directory)
        self.ca_file = str(certificates.ca_file)
        self.server = Server(certificates)
        self.port = self.server.server_address[1]
        # At a port of its own: libcurl counts connections by where they lead.
        self.other = Server(certificates)
        ports = {HOST: self.server.server_port, OTHER_HOST: self.other.server_port}
        self.place = " ".join(f"https://{host}=127.0.0.1:{port}" for host, port in ports.items())
        self.other.lock, self.other.received = self.server.lock, self.server.received
        self.other.behaviours = self.server.behaviours
        for server in (self.server, self.other):
            threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()

    def received(self, path: str = "") -> list[Received]:
        with self.server.lock:
            return [one for one in self.server.received if path in ("", one.path)]

    def behave(self, path: str, behaviour: Behaviour) -> None:
        self.server.behaviours[path] = behaviour

    def reset(self) -> None:
        self.server.received.clear()
        self.server.behaviours.clear()

    def stop(self) -> None:
        for server in (self.server, self.other):
            server.shutdown()
            server.server_close()


def answer(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    return lambda handler: handler.say(status, body, **headers)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other; the last one for good."""
    waiting = list(behaviours)

    def behave(handler: Handler) -> None:
        (waiting.pop(0) if len(waiting) > 1 else waiting[0])(handler)

    return behave


def dawdle(seconds: float) -> Behaviour:
    def behave(handler: Handler) -> None:
        time.sleep(seconds)
        handler.say(204)

    return behave


def hang(seconds: float) -> Behaviour:
    return lambda _handler: time.sleep(seconds)


def drip(seconds: float) -> Behaviour:
    """A body that never ends, a byte at a time."""

    def behave(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    return behave


def flood(handler: Handler) -> None:
    handler.say(200, b"x" * 2_000_000)


def slam(handler: Handler) -> None:
    """Closes without a word."""
    handler.close_connection = True
    handler.connection.close()
