"""The token inside a notification that lets its browser report on this delivery, and on no other.

A keyed hash (BLAKE2b, RFC 7693), so nothing is stored: ``<delivery id>.<day>.<mac>``, the day as YYYYMMDD.
"""

import base64
import datetime
import functools
import hashlib
import hmac

from django.conf import settings
from django.utils.crypto import salted_hmac

MAC_BYTES = 16


class BadToken(ValueError):
    """Not made by us, or cut, or changed."""


def make(delivery_id: int, day: datetime.date) -> str:
    named = f"{delivery_id}.{day.isoformat().replace('-', '')}"
    return f"{named}.{_mac(named)}"


def read(token: str) -> tuple[int, datetime.date]:
    """Delivery id and day. Raises BadToken."""
    named, _dot, mac = token.rpartition(".")
    if not token.isascii() or not hmac.compare_digest(mac, _mac(named)):
        raise BadToken("This token was not made here.")
    delivery_id, day = named.split(".")
    return int(delivery_id), datetime.datetime.strptime(day, "%Y%m%d").date()


def _mac(named: str) -> str:
    digest = hashlib.blake2b(named.encode(), digest_size=MAC_BYTES, key=_key(settings.SECRET_KEY)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@functools.cache
def _key(secret_key: str) -> bytes:
    return salted_hmac("signalize_console.deliveries.tokens", "key", secret_key, algorithm="sha256").digest()
