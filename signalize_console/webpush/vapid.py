"""Voluntary Application Server Identification (RFC 8292): key pairs and signed tokens."""

import base64
import re
import time
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

TOKEN_SECONDS = 12 * 3600
# Apple asks for no more than one new token an hour.
REUSE_SECONDS = 3600
NO_REAL_DOMAINS = {
    "localhost",
    "local",
    "localdomain",
    "internal",
    "invalid",
    "test",
    "lan",
    "home",
    "devhost",
}
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.IGNORECASE)
MAILTO = re.compile(r"mailto:[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?P<host>[^@\s]+)")


def generate_keys() -> tuple[str, bytes]:
    """A new key pair: the public key as base64url (uncompressed point), the private key as 32 bytes."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    private_bytes = private_key.private_numbers().private_value.to_bytes(32, "big")
    return public_key_of(private_bytes), private_bytes


def public_key_of(private_key: bytes) -> str:
    key = ec.derive_private_key(int.from_bytes(private_key, "big"), ec.SECP256R1())
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def parse_private_key(text: str) -> bytes:
    """32 bytes from base64url or PEM. Raises ValueError for what is no private key on P-256."""
    try:
        if "-----BEGIN" in text:
            key = serialization.load_pem_private_key(text.encode(), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
                raise ValueError
            return key.private_numbers().private_value.to_bytes(32, "big")
        plain = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
        private_key = base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
        if len(private_key) != 32 or not re.fullmatch(r"[\w-]{43}", plain, re.ASCII):
            raise ValueError
        public_key_of(private_key)
    except (ValueError, TypeError):
        raise ValueError("This is no private VAPID key: give its 32 bytes in base64url, or a PEM.") from None
    return private_key


def check_subject(subject: str) -> None:
    """Raises ValueError for a contact that a push service may refuse. Apple is the strictest."""
    if subject.startswith("mailto:"):
        match = MAILTO.fullmatch(subject)
        host = match["host"] if match else ""
    elif subject.startswith("https://") and not re.search(r"[\s<>\\]", subject):
        host = urlsplit(subject).hostname or ""
    else:
        host = ""
    if not HOST.fullmatch(host) or host.lower().rsplit(".", 1)[-1] in NO_REAL_DOMAINS:
        raise ValueError(
            f"{subject[:100]!r} is not a contact that push services accept. "
            "Give a real address such as mailto:web@example.com or https://example.com/contact."
        )


class Signer:
    """Signs for one key pair. A token is made once per push service and hour, and used again."""

    def __init__(self, private_key: bytes, subject: str) -> None:
        self._vapid = Vapid02(
            private_key=ec.derive_private_key(int.from_bytes(private_key, "big"), ec.SECP256R1())
        )
        self._subject = subject
        self._made: dict[str, tuple[float, str]] = {}

    def authorization(self, origin: str) -> str:
        """The Authorization header for a push service, by its origin: ``vapid t=…,k=…``."""
        now = time.time()
        until, header = self._made.get(origin, (0.0, ""))
        if not now < until <= now + REUSE_SECONDS:
            claims = {"aud": origin, "exp": int(now) + TOKEN_SECONDS, "sub": self._subject}
            header = self._vapid.sign(claims)["Authorization"]
            self._made[origin] = now + REUSE_SECONDS, header
        return header
