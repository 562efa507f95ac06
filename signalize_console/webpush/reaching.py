"""Whether push services can be reached: connects to each as sending does, TLS included, and asks nothing."""

import math
import time
from collections.abc import Iterable
from typing import NamedTuple

import pycurl

from signalize_console.webpush.push_services import PushServices
from signalize_console.webpush.transport import Answer, PushRequest, Transfer, Transport

SECONDS = 5.0


class Reached(NamedTuple):
    """``error`` is a reason as of a failed try, or empty; ``seconds`` until the connection was secure."""

    error: str
    seconds: float


class Knock(Transfer):
    """Goes as far as a secure connection."""

    def aim(self) -> None:
        self.curl.setopt(pycurl.URL, self.request.endpoint.url)
        self.curl.setopt(pycurl.CONNECT_ONLY, True)

    def answer(self, code: int = 0) -> Answer:
        answer = super().answer(code)
        if code == pycurl.E_OK:
            answer.error, answer.seconds = "", self.curl.getinfo(pycurl.APPCONNECT_TIME)
        return answer


def reach(
    push_services: PushServices,
    origins: Iterable[str],
    *,
    ca_file: str | None = None,
    seconds: float = SECONDS,
) -> dict[str, Reached]:
    """All of them at once, each with as much time. Raises EndpointRefused for one that isn't allowed."""
    transport = Transport(
        push_services, ca_file=ca_file, connect_timeout=seconds, timeout=seconds, transfer=Knock
    )
    try:
        for origin in dict.fromkeys(origins):
            endpoint = push_services.parse(f"{origin}/")
            transport.submit(PushRequest(origin, endpoint, b"", "", 0, "", None, math.inf))
        answers = []
        end = time.monotonic() + seconds + 1
        while transport.in_flight and time.monotonic() < end:
            answers += transport.poll(0.2)
        answers += transport.abandon()
        return {one.request.id: Reached(one.error, one.seconds) for one in answers}
    finally:
        transport.close()
