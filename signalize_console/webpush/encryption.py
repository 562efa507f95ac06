"""Message encryption (RFC 8291, content coding aes128gcm) by pywebpush, and the check of a browser's keys."""

import base64
import re

from cryptography.hazmat.primitives.asymmetric import ec
from pywebpush import WebPusher

# One record of 4,096 bytes: 86 bytes of header, 16 of tag, 1 of delimiter (RFC 8188).
MAX_PLAINTEXT = 3_993
# What Firefox on Android still receives, after its bridge to FCM has re-encoded it.
ADVISED_PLAINTEXT = 2_600

P256DH_BYTES, AUTH_BYTES = 65, 16
BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")


class BadSubscriptionKeys(ValueError):
    """The keys of a push subscription are not what a browser makes."""


class PayloadTooLarge(ValueError):
    """The plaintext does not fit one record."""


def decode_keys(p256dh: str, auth: str) -> tuple[bytes, bytes]:
    """The receiver's public key (65 bytes, on P-256) and the auth secret (16 bytes), from base64url.

    Raises BadSubscriptionKeys for anything else.
    """
    point, secret = _lengths_checked(p256dh, auth)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise BadSubscriptionKeys("p256dh is not a point on the curve P-256.") from None
    return point, secret


def _lengths_checked(p256dh: str, auth: str) -> tuple[bytes, bytes]:
    point, secret = _decode("p256dh", p256dh), _decode("auth", auth)
    if len(point) != P256DH_BYTES or point[0] != 4:
        raise BadSubscriptionKeys("p256dh must be an uncompressed P-256 point of 65 bytes.")
    if len(secret) != AUTH_BYTES:
        raise BadSubscriptionKeys("auth must be 16 bytes.")
    return point, secret


class _Encoder(WebPusher):
    """WebPusher for keys that are decoded already; its own constructor copies and parses them anew."""

    def __init__(self, point: bytes, secret: bytes) -> None:
        self.verbose = False
        self.receiver_key, self.auth_key = point, secret


def encrypt(plaintext: bytes, p256dh: str, auth: str) -> bytes:
    """The body of the push: salt, key id and one encrypted record. Keys in base64url, as stored.

    Raises PayloadTooLarge, or BadSubscriptionKeys for keys that decode_keys would refuse.
    """
    if len(plaintext) > MAX_PLAINTEXT:
        raise PayloadTooLarge(
            f"{len(plaintext)} bytes are more than the {MAX_PLAINTEXT} that fit a push message."
        )
    point, secret = _lengths_checked(p256dh, auth)
    try:
        body: bytes = _Encoder(point, secret).encode(plaintext)["body"]
    except ValueError:
        raise BadSubscriptionKeys("p256dh is not a point on the curve P-256.") from None
    return body


def _decode(name: str, text: str) -> bytes:
    if not BASE64URL.fullmatch(text):
        raise BadSubscriptionKeys(f"{name} is not base64url.")
    stripped = text.rstrip("=")
    try:
        decoded = base64.urlsafe_b64decode(stripped + "=" * (-len(stripped) % 4))
    except ValueError:
        raise BadSubscriptionKeys(f"{name} is not base64url.") from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != stripped:
        raise BadSubscriptionKeys(f"{name} is not canonical base64url.")
    return decoded
