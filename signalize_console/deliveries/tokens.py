"""The token inside a notification that lets its browser report on this delivery, and on no other.

An HMAC, so nothing is stored: ``<delivery id>.<day>.<mac>``, the day as YYYYMMDD.
"""

import base64
import datetime
import functools
import hmac

from django.conf import settings
from django.utils.crypto import salted_hmac

MAC_BYTES = 16


class BadToken(ValueError):
    """Not made by us, or cut, or changed."""


def make(delivery_id: int, day: datetime.date) -> str:
    named = f"{delivery_id}.{day:%Y%m%d}"
    return f"{named}.{_mac(named)}"


def read(token: str) -> tuple[int, datetime.date]:
    """Delivery id and day. Raises BadToken."""
    named, _dot, mac = token.rpartition(".")
    if not token.isascii() or not hmac.compare_digest(mac, _mac(named)):
        raise BadToken("This token was not made here.")
    delivery_id, day = named.split(".")
    return int(delivery_id), datetime.datetime.strptime(day, "%Y%m%d").date()


def _mac(named: str) -> str:
    digest = hmac.digest(_key(settings.SECRET_KEY), named.encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:MAC_BYTES]).rstrip(b"=").decode()


@functools.cache
def _key(secret_key: str) -> bytes:
    return salted_hmac("signalize_console.deliveries.tokens", "key", secret_key, algorithm="sha256").digest()
