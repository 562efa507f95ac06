"""The subscriptions that the double knows: those it made itself, and those of real browsers."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signalize_console.pushservice.checks import decode, encode

ENDPOINTS = {
    "mozilla": "https://updates.push.services.mozilla.com/wpush/v2/{token}",
    "fcm": "https://fcm.googleapis.com/fcm/send/{token}",
    "apple": "https://web.push.apple.com/{token}",
    "wns": "https://wns2-par02p.notify.windows.com/w/?token={token}",
    "other": "https://push.example.net/up/{token}",
}


@dataclass
class Push:
    """One accepted message, on its way to a subscriber."""

    id: str
    endpoint: str
    headers: dict[str, str]
    body: bytes
    claims: dict[str, Any]
    http_version: str
    connection: int
    plaintext: bytes | None = None
    arrived_at: float = field(default_factory=time.time)

    @property
    def expires_at(self) -> float:
        return self.arrived_at + int(self.headers["ttl"])


@dataclass
class Subscriber:
    """``relay`` hands a push to a browser and says whether it was there; None: the double decrypts it.

    One of the double's own may be ``away``; what it then has not received yet is ``waiting``.
    """

    token: str
    endpoint: str
    application_server_key: str
    gone: bool = False
    p256dh: str = ""
    auth: str = ""
    private_key: ec.EllipticCurvePrivateKey | None = None
    relay: Callable[[Push], bool] | None = None
    away: bool = False
    waiting: list[Push] = field(default_factory=list)

    def read(self, push: Push) -> None:
        """Decrypts what is for one of the double's own; what is relayed a browser decrypts."""
        if self.relay is None:
            push.plaintext = self.decrypt(push.body) if push.body else b""

    def take(self, push: Push) -> None:
        """A message for a browser that is away waits for its TTL, one per topic."""
        is_there = self.relay(push) if self.relay else not self.away
        if not is_there and int(push.headers["ttl"]) > 0:
            if topic := push.headers.get("topic"):
                self.waiting = [one for one in self.waiting if one.headers.get("topic") != topic]
            self.waiting.append(push)

    def hand_over_waiting(self) -> None:
        waiting, self.waiting = self.waiting, []
        for push in waiting:
            if push.expires_at > time.time() and self.relay and not self.relay(push):
                self.waiting.append(push)

    def come_back(self) -> list[Push]:
        """What one of the double's own receives as soon as it is there again."""
        self.away = False
        waiting, self.waiting = self.waiting, []
        return [push for push in waiting if push.expires_at > time.time()]

    def decrypt(self, body: bytes) -> bytes:
        return bytes(
            http_ece.decrypt(
                body, private_key=self.private_key, auth_secret=decode(self.auth), version="aes128gcm"
            )
        )


def make_subscriber(service: str, application_server_key: str) -> Subscriber:
    """A subscriber of the double's own, with keys as a browser makes them."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    point = private_key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    token = encode(os.urandom(24))
    return Subscriber(
        token,
        ENDPOINTS[service].format(token=token),
        application_server_key,
        p256dh=encode(point),
        auth=encode(os.urandom(16)),
        private_key=private_key,
    )
