"""Secrets at rest: AES-256-GCM under the key-encryption key, which never enters the database."""

import base64
import contextlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NONCE_BYTES = 12
KEY_BYTES = 32


def seal(secret: bytes, bound_to: str) -> bytes:
    """Nonce and ciphertext. ``bound_to`` (say, the public key) must be the same at unsealing."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _ciphers()[0].encrypt(nonce, secret, bound_to.encode())


def unseal(sealed: bytes, bound_to: str) -> bytes:
    """The secret. Raises ImproperlyConfigured when it was sealed under another key."""
    return _open(sealed, bound_to)[0]


def reseal(sealed: bytes, bound_to: str) -> bytes | None:
    """The same secret under the newest key; None where it is already."""
    secret, is_newest = _open(sealed, bound_to)
    return None if is_newest else seal(secret, bound_to)


def _open(sealed: bytes, bound_to: str) -> tuple[bytes, bool]:
    """The secret, and whether the newest key sealed it."""
    for number, cipher in enumerate(_ciphers()):
        with contextlib.suppress(InvalidTag):
            secret = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
            return secret, number == 0
    raise ImproperlyConfigured(
        "A secret in the database was sealed with another SIGNALIZE_KEY_ENCRYPTION_KEY. "
        "Set the one that this database was made with."
    )


def _ciphers() -> list[AESGCM]:
    """The newest first."""
    keys = []
    for text in settings.KEY_ENCRYPTION_KEYS:
        try:
            keys.append(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except ValueError:
            keys.append(b"")
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise ImproperlyConfigured("SIGNALIZE_KEY_ENCRYPTION_KEY must be 32 bytes in base64url.")
    return [AESGCM(key) for key in keys]
