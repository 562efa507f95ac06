"""What goes on meanwhile: a shop that sends orders and campaigns, and its visitors. Nothing is asked twice."""

import collections
import itertools
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.faults.push_service import Face

ORIGIN = "https://shop.example"
TEXT = {"language": "en", "standard": True, "title": "Hello", "message": "You", "link": f"{ORIGIN}/order"}


class Request(NamedTuple):
    kind: str
    began: float
    ended: float
    status: int
    said: str


class Traffic:
    """``url`` may change meanwhile, as a load balancer leads from one web to another."""

    def __init__(self, url: str, seeded: dict[str, Any], push_service: Face) -> None:
        self.url, self.push_service = url, push_service
        self.code, self.key, self.clients = seeded["code"], seeded["key"], seeded["clients"]
        self.requests: list[Request] = []
        self.orders: list[int] = []
        self.campaigns: list[int] = []
        self.stored: collections.Counter[str] = collections.Counter()
        self.reported: set[str] = set()
        self._numbers = itertools.count(1)
        self._stop = threading.Event()
        jobs: list[tuple[Callable[[], None], float]] = [
            (self._order, 0.1), (self._order, 0.1), (self._view, 0.1), (self._report, 0.1), (self._campaign, 5),
            (self._health, 1),
        ]  # fmt: skip
        self._threads = [threading.Thread(target=self._loop, args=job, daemon=True) for job in jobs]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _loop(self, job: Callable[[], None], pause: float) -> None:
        while not self._stop.wait(pause):
            job()

    def _order(self) -> None:
        body = {
            "recipients": [{"clientId": random.choice(self.clients)}],
            "webPush": {"webPushMessageTexts": [TEXT]},
        }
        self._send("order", "/v3/subscriptions/pushmessages", body, self.orders)

    def _campaign(self) -> None:
        self._send(
            "campaign", "/v3/pushmessages", {"webPush": {"webPushMessageTexts": [TEXT]}}, self.campaigns
        )

    def _send(self, kind: str, path: str, body: object, accepted: list[int]) -> None:
        headers = {"X-API-Key": self.key, "Idempotency-Key": f"{kind}-{next(self._numbers)}"}
        if answer := self._ask(kind, path, body, headers):
            accepted.append(json.loads(answer)["messageId"])

    def _view(self) -> None:
        body = {"clientId": random.choice(self.clients), "events": [{"name": "looked"}]}
        if self._ask("page view", f"/browser/{self.code}/events", body, {"Origin": ORIGIN}) is not None:
            self.stored["event"] += 1

    def _report(self) -> None:
        taken = self.push_service.posts(since=-1)
        if taken and taken[-1].token not in self.reported:
            body = {"token": taken[-1].token, "event": "shown"}
            if self._ask("report", "/browser/reports", body, {}) is not None:
                self.reported.add(taken[-1].token)
                self.stored["shown"] += 1

    def _health(self) -> None:
        self._ask("health", "/health/ready", None, {})

    def _ask(self, kind: str, path: str, body: object, headers: dict[str, str]) -> bytes | None:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json", **headers}
        )
        began = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, said = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, said = error.code, error.read()
        except OSError as error:
            status, said = 0, str(error).encode()
        is_good = 200 <= status < 300
        self.requests.append(
            Request(kind, began, time.monotonic(), status, "" if is_good else said.decode()[:300])
        )
        return said if is_good else None
