"""A look at an address that somebody names, by the way of webhooks: public places only, answers cut."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pycurl
from django.conf import settings

from signalize_console.webhooks.wire import places
from signalize_console.webpush.transport import Answer, Transfer, Transport

MOMENT = 0.2


@dataclass(frozen=True, slots=True)
class Page:
    """One GET, or a HEAD. ``deadline`` is in monotonic seconds."""

    id: Any
    url: str
    deadline: float = math.inf
    method: str = "GET"


class Look(Transfer):
    request: Page  # type: ignore[assignment]

    def aim(self) -> None:
        self.curl.setopt(pycurl.HTTPGET, True)
        self.curl.setopt(pycurl.NOBODY, self.request.method == "HEAD")
        # libcurl may not try again by itself when a kept connection has closed.
        self.curl.setopt(pycurl.FRESH_CONNECT, True)
        self.curl.setopt(pycurl.URL, self.request.url)

    def answer(self, code: int = 0) -> Answer:
        """With the type, and the length in bytes where it is told."""
        answer = super().answer(code)
        length = int(self.curl.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD_T))
        answer.headers["content-type"] = self.curl.getinfo(pycurl.CONTENT_TYPE) or ""
        answer.headers["content-length"] = str(length) if length >= 0 else ""
        return answer


@contextmanager
def looking(seconds: float, look: type[Look] = Look) -> Iterator[Transport]:
    transport = Transport(places(), ca_file=settings.WEBHOOK_CA or None, timeout=seconds, transfer=look)
    try:
        yield transport
    finally:
        transport.close()


def answers(transport: Transport, seconds: float) -> Iterator[Answer]:
    """As they come, until the time is over; who reads them may submit more meanwhile."""
    end = time.monotonic() + seconds
    while transport.in_flight and time.monotonic() < end:
        yield from transport.poll(min(MOMENT, max(0.0, end - time.monotonic())))
    yield from transport.abandon()
