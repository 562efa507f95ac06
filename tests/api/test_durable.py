"""201 is a promise: twins over several web processes make one message, and a killed web neither loses nor
doubles one.
"""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from signalize_console.deliveries.models import Delivery, IdempotencyKey
from signalize_console.messaging.models import PushMessage
from tests.api import twins
from tests.api.calling import SEND, body_for
from tests.api.twins import post
from tests.web import Web, database_url

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


@pytest.fixture
def web(transactional_db: None) -> Iterator[Web]:
    with Web(workers=2, DATABASE_URL=database_url()) as web:
        yield web


def test_two_hundred_twins_over_several_web_processes_make_one_message(
    web: Web, key: str, reachable: dict[str, str]
) -> None:
    for number in range(2):
        said = twins.twins(web, key, body_for(reachable), f"order-{number}", 200)
        twins.check(said)
    assert (PushMessage.objects.count(), Delivery.objects.count()) == (2, 2)


def ask(web: Web, key: str, body: Any) -> http.client.HTTPConnection:
    """Sends a request and doesn't wait for the answer."""
    asking = http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)
    headers = {"X-API-Key": key, "Content-Type": "application/json", "Idempotency-Key": "order-4711"}
    asking.request("POST", SEND, json.dumps(body), headers)
    return asking


def until(condition: Any) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_killed_before_the_commit_a_retry_gives_exactly_one_message(
    web: Web, key: str, reachable: dict[str, str]
) -> None:
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            # The key is stored last: the web waits there, with the message and its delivery written.
            cursor.execute("LOCK TABLE deliveries_idempotencykey IN SHARE MODE")
            asking = ask(web, key, body_for(reachable))
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"

            def waits() -> bool:
                cursor.execute(waiting)
                return bool(cursor.fetchone()[0])

            until(waits)
            web.kill()
        other.rollback()
    finally:
        other.close()
        asking.close()
    assert not PushMessage.objects.exists()
    web.start()
    said = post(web, key, body_for(reachable), "order-4711")
    assert (said.status, said.replayed) == (201, False)
    assert (PushMessage.objects.count(), Delivery.objects.count(), IdempotencyKey.objects.count()) == (
        1,
        1,
        1,
    )


def test_killed_after_the_commit_a_retry_gives_exactly_one_message(
    web: Web, key: str, reachable: dict[str, str]
) -> None:
    asking = ask(web, key, body_for(reachable))
    until(IdempotencyKey.objects.exists)
    web.kill()
    asking.close()
    web.start()
    said = post(web, key, body_for(reachable), "order-4711")
    assert (said.status, said.replayed) == (201, True)
    assert said.body["messageId"] == PushMessage.objects.get().pk
    assert Delivery.objects.count() == 1
