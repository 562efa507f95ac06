"""What a push service checks of a POST: the headers of RFC 8030 and the identification of RFC 8292."""

import base64
import binascii
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

LARGEST_BODY = 4_096
LONGEST_TOKEN = 86_400


class Refused(Exception):
    """``kind`` is what is wrong, in one word; dialects.py knows how each push service says it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def check_headers(headers: Mapping[str, str], body: bytes) -> None:
    if "ttl" not in headers:
        raise Refused("no_ttl", "Missing TTL header")
    if not headers["ttl"].isdigit():
        raise Refused("bad_ttl", "TTL is not a number")
    if len(body) > LARGEST_BODY:
        raise Refused("too_large", f"{len(body)} bytes are over {LARGEST_BODY}")
    if body and headers.get("content-encoding") != "aes128gcm":
        raise Refused("bad_encoding", "Content-Encoding is not aes128gcm")
    if headers.get("urgency", "normal") not in {"very-low", "low", "normal", "high"}:
        raise Refused("bad_urgency", "Unknown Urgency")
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,32}", headers.get("topic", "")):
        raise Refused("bad_topic", "Topic is not up to 32 characters of base64url")


def check_vapid(authorization: str, origin: str, subscribed_key: str) -> dict[str, Any]:
    """The claims. ``subscribed_key`` is the application server key that the subscription is bound to."""
    scheme, _space, rest = authorization.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    if scheme.lower() != "vapid" or not {"t", "k"} <= parts.keys():
        raise Refused("unauthorized", "Authorization is not vapid t=…,k=…")
    point, claims = _verified(parts["t"], parts["k"])
    now = time.time()
    if claims.get("aud") != origin:
        raise Refused("bad_jwt", f"aud {claims.get('aud')!r} is not {origin!r}")
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or not now < expires <= now + LONGEST_TOKEN:
        raise Refused("bad_jwt", "exp is past, or more than 24 hours ahead")
    if not re.match(r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+$|https://", str(claims.get("sub", ""))):
        raise Refused("bad_jwt", "sub is not a mailto: or https: address")
    if decode(subscribed_key) != point:
        raise Refused("key_mismatch", "VAPID public key mismatch")
    return claims


def _verified(token: str, key: str) -> tuple[bytes, dict[str, Any]]:
    try:
        point = decode(key)
        public_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        head, payload, signature = token.split(".")
        raw, claims = decode(signature), json.loads(decode(payload))
        algorithm = json.loads(decode(head)).get("alg")
    except (ValueError, binascii.Error) as error:
        raise Refused("bad_jwt", "t= or k= is malformed") from error
    if algorithm != "ES256" or len(raw) != 64:
        raise Refused("bad_jwt", "The token is not ES256")
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        public_key.verify(der, f"{head}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise Refused("bad_jwt", "The token's signature is wrong") from error
    return point, claims
