"""Twins: many requests at once with one idempotency key, over real connections to several web workers."""

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tests.api.calling import SEND
from tests.web import Web


class Said(NamedTuple):
    status: int
    body: dict[str, Any]
    replayed: bool


def post(web: Web, key: str, body: object, idempotency_key: str) -> Said:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
    headers = {"X-API-Key": key, "Content-Type": "application/json", "Idempotency-Key": idempotency_key}
    try:
        connection.request("POST", SEND, json.dumps(body), headers)
        answer = connection.getresponse()
        replayed = answer.headers.get("Idempotency-Replayed") == "true"
        return Said(answer.status, json.load(answer), replayed)
    finally:
        connection.close()


def twins(web: Web, key: str, body: object, idempotency_key: str, count: int) -> list[Said]:
    """All of them start at the same moment."""
    start = threading.Barrier(count)

    def twin(_number: int) -> Said:
        start.wait()
        return post(web, key, body, idempotency_key)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(twin, range(count)))


def check(said: list[Said]) -> None:
    """One message, one id for all, and nobody was turned away."""
    assert {one.status for one in said} == {201}, [one for one in said if one.status != 201][:3]
    assert len({one.body["messageId"] for one in said}) == 1
    assert [one.replayed for one in said].count(False) == 1
