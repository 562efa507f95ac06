"""Secrets at rest: AES-256-GCM under the key-encryption key, which never enters the database."""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NONCE_BYTES = 12


def seal(secret: bytes, bound_to: str) -> bytes:
    """Nonce and ciphertext. ``bound_to`` (say, the public key) must be the same at unsealing."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, secret, bound_to.encode())


def unseal(sealed: bytes, bound_to: str) -> bytes:
    """The secret. Raises ImproperlyConfigured when it was sealed under another key."""
    try:
        return _cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except InvalidTag:
        raise ImproperlyConfigured(
            "A secret in the database was sealed with another SIGNALIZE_KEY_ENCRYPTION_KEY. "
            "Set the one that this database was made with."
        ) from None


def _cipher() -> AESGCM:
    text = settings.KEY_ENCRYPTION_KEY
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured("SIGNALIZE_KEY_ENCRYPTION_KEY must be 32 bytes in base64url.")
    return AESGCM(key)
