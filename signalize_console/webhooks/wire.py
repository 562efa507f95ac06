"""The way to a receiver: the push wire's libcurl, with other headers and another idea of where it may go.

Only public addresses, seen when dialling, whatever the name says; no redirects, no proxies, TLS verified,
answers cut.
"""

import functools
import os
from dataclasses import dataclass
from typing import Any

import pycurl
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from signalize_console.webhooks.ledger import EACH
from signalize_console.webpush.push_services import PushServices, is_public
from signalize_console.webpush.transport import Transfer, Transport

REQUEST_SECONDS = 10
# To one receiver. No request may have to wait for one: it would run into its timeout.
CONNECTIONS = 2 * EACH


@dataclass(frozen=True, slots=True)
class Post:
    """One event on its way. ``deadline`` is in monotonic seconds; ``id`` is the claimed delivery."""

    id: Any
    url: str
    body: bytes
    headers: dict[str, str]
    deadline: float
    method: str = "POST"


class Places(PushServices):
    """Receivers stand anywhere that is public; ``local`` are the places that the operator named."""

    def may_dial(self, address: str, port: int) -> bool:
        return (address, port) in self.local or is_public(address)


class WebhookTransfer(Transfer):
    request: Post  # type: ignore[assignment]

    def aim(self) -> None:
        self.curl.setopt(pycurl.URL, self.request.url)
        self.curl.setopt(pycurl.POST, True)
        lines = [f"{name}: {value}" for name, value in self.request.headers.items()]
        self.curl.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json", "Expect:", *lines])
        self.curl.setopt(pycurl.POSTFIELDS, self.request.body)


def places() -> Places:
    try:
        return Places.of(settings.WEBHOOK_PLACES.replace(",", " ").split())  # type: ignore[return-value]
    except ValueError as error:
        raise ImproperlyConfigured(
            "SIGNALIZE_WEBHOOK_PLACES must look like https://hooks.example.org=127.0.0.1:8443."
        ) from error


@functools.cache
def _transport_of(process: int) -> Transport:
    return Transport(
        places(),
        ca_file=settings.WEBHOOK_CA or None,
        timeout=REQUEST_SECONDS,
        connections=CONNECTIONS,
        transfer=WebhookTransfer,
    )


def transport() -> Transport:
    """One multi handle a process, made after the fork and kept."""
    return _transport_of(os.getpid())
