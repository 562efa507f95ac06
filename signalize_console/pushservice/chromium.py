"""Towards Chromium: Google's check-in and registration over HTTP, and its push connection (MCS) over TLS."""

import asyncio
import os
import time
from urllib.parse import parse_qs

from signalize_console.pushservice import protobuf
from signalize_console.pushservice.checks import encode
from signalize_console.pushservice.dialects import Reply
from signalize_console.pushservice.sender_face import Request
from signalize_console.pushservice.subscribers import Push, Subscriber

VERSION = b"\x29"
LOGIN, LOGIN_ANSWER, PING, PONG, CLOSE, DATA = 2, 3, 0, 1, 4, 8


class ChromiumFace:
    """``devices`` are the browsers that are connected, by android id."""

    def __init__(self, subscribers: dict[str, Subscriber]) -> None:
        self.subscribers = subscribers
        self.devices: dict[int, asyncio.StreamWriter] = {}
        self.owned: dict[int, list[Subscriber]] = {}
        # Chromium drops its first connection right after logging in: what it did not confirm goes again.
        self.unconfirmed: dict[int, dict[str, bytes]] = {}

    async def answer(self, request: Request) -> Reply:
        """Check-in and registration."""
        if request.path == "/checkin":
            return Reply(200, {"content-type": "application/x-protobuf"}, _checkin(bytes(request.body)))
        if request.path == "/register3":
            form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
            return Reply(200, {"content-type": "text/plain"}, f"token={self._register(form)}".encode())
        return Reply(404)

    def _register(self, form: dict[str, str]) -> str:
        kind = form.get("X-subtype", "")
        if form.get("delete") == "true":
            for subscriber in self.subscribers.values():
                subscriber.gone |= bool(kind) and subscriber.auth == kind
            return kind
        device = int(form["device"])
        token = f"c{encode(os.urandom(8))}:APA91b{encode(os.urandom(100))}"
        subscriber = Subscriber(
            token, f"https://jmt17.google.com/fcm/send/{token}", form["sender"], auth=kind
        )
        subscriber.relay = lambda push: self._relay(device, form["app"], subscriber, push)
        self.subscribers[token] = subscriber
        self.owned.setdefault(device, []).append(subscriber)
        return token

    def _relay(self, device: int, category: str, subscriber: Subscriber, push: Push) -> bool:
        writer = self.devices.get(device)
        if writer is None:
            return False
        data = {"subtype": subscriber.auth, **({"content-encoding": "aes128gcm"} if push.body else {})}
        stanza = protobuf.text(3, subscriber.application_server_key) + protobuf.text(5, category)
        for name, value in data.items():
            stanza += protobuf.text(7, protobuf.text(1, name) + protobuf.text(2, value))
        stanza += protobuf.text(9, push.id) + protobuf.integer(17, int(push.headers["ttl"]))
        stanza += protobuf.integer(18, int(time.time() * 1000))
        if push.body:
            stanza += protobuf.text(21, push.body)
        self.unconfirmed.setdefault(device, {})[push.id] = stanza
        _write(writer, DATA, stanza)
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One push connection."""
        device = 0
        try:
            await reader.readexactly(1)
            while True:
                tag = (await reader.readexactly(1))[0]
                message = await reader.readexactly(await _read_varint(reader))
                if tag == LOGIN:
                    device = self._login(message, writer)
                elif tag == PING:
                    _write(writer, PONG, b"")
                elif tag == CLOSE:
                    break
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            pass
        finally:
            if self.devices.get(device) is writer:
                del self.devices[device]
            writer.close()

    def _login(self, message: bytes, writer: asyncio.StreamWriter) -> int:
        parts = list(protobuf.fields(message))
        named = dict(parts)
        device = int(named[3])
        unconfirmed = self.unconfirmed.setdefault(device, {})
        for tag, value in parts:
            if tag == 10 and isinstance(value, bytes):
                unconfirmed.pop(value.decode(), None)
        writer.write(VERSION)
        answer = protobuf.text(1, bytes(named[1])) + protobuf.integer(6, 1)
        _write(writer, LOGIN_ANSWER, answer + protobuf.integer(8, int(time.time() * 1000)))
        for stanza in unconfirmed.values():
            _write(writer, DATA, stanza)
        self.devices[device] = writer
        for subscriber in self.owned.get(device, []):
            subscriber.hand_over_waiting()
        return device


def _checkin(message: bytes) -> bytes:
    asked = dict(protobuf.fields(message))
    device = asked.get(2) or int.from_bytes(os.urandom(7), "big") | 1
    token = asked.get(13) or int.from_bytes(os.urandom(7), "big") | 1
    answer = protobuf.integer(1, 1) + protobuf.integer(3, int(time.time() * 1000))
    return answer + protobuf.fixed64(7, int(device)) + protobuf.fixed64(8, int(token))


async def _read_varint(reader: asyncio.StreamReader) -> int:
    value = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value


def _write(writer: asyncio.StreamWriter, tag: int, message: bytes) -> None:
    if not writer.is_closing():
        writer.write(bytes([tag]) + protobuf.varint(len(message)) + message)
