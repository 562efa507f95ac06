"""What goes on meanwhile: shops that send by the API and repeat until they are answered, and visitors' reports."""

import contextlib
import http.client
import itertools
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from django.db import Error, connection

from signalize_console.deliveries import outbox
from tests.faults.system import System
from tests.makers import make_message, make_text, make_website

AUDIENCE = 350
RECIPIENTS = 25
# As much as waits at most: the workers always have something to do, and yet come to an end.
BACKLOG = {True: 300, False: 500}
WAITING = """
SELECT count(*) FROM messaging_pushmessage message JOIN deliveries_delivery delivery
  ON delivery.push_message_id = message.id AND delivery.day = message.day
WHERE message.transactional = %s AND delivery.state = 'pending'
"""
TEXT = {"language": "en", "title": "Hello", "message": "You", "link": "https://shop.example/order"}


class Traffic:
    """``acknowledged``: the push message's id for each idempotency key that was answered with 201."""

    def __init__(self, system: System) -> None:
        from signalize_console.api.models import ApiKey
        from signalize_console.recipients.models import Recipient, Subscription, endpoint_hash

        self.system = system
        self.website = make_website()
        key = self.website.vapid_key
        _row, self.api_key = ApiKey.issue(self.website, "faults")
        self.recipients = Recipient.objects.bulk_create(
            [Recipient(website=self.website, language="en") for _ in range(AUDIENCE)]
        )
        made = system.push_service.subscribe("mozilla", key.public_key, AUDIENCE)
        Subscription.objects.bulk_create(
            Subscription(
                website=self.website, recipient=recipient, vapid_key=key, endpoint=endpoint, p256dh=p256dh,
                auth=auth, endpoint_hash=endpoint_hash(endpoint), push_service="mozilla",
            )
            for recipient, (endpoint, p256dh, auth) in zip(self.recipients, made, strict=True)
        )  # fmt: skip
        self.numbers = itertools.count(1)
        self.forget()

    def forget(self) -> None:
        self.acknowledged: dict[str, int] = {}
        self.marketing: list[int] = []
        self.reported: set[str] = set()
        self.open_requests = self.failures = 0
        self.errors: list[Exception] = []

    def start(self) -> None:
        self._stop = threading.Event()
        jobs = [self._send_orders, self._send_order, self._send_order, self._send_marketing, self._report]
        self._threads = [threading.Thread(target=self._loop, args=[job], daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when all that was begun is answered."""
        self._stop.set()
        for thread in self._threads:
            thread.join(90)
            assert not thread.is_alive(), "A request is not answered for 90 seconds."
        if self.errors:
            raise self.errors[0]

    def _loop(self, job: Callable[[], None]) -> None:
        try:
            while not self._stop.wait(0.05):
                job()
        except Exception as error:
            self.errors.append(error)
        connection.close()

    def _send_orders(self) -> None:
        if not _is_enough(transactional=True):
            self._order(RECIPIENTS)

    def _send_order(self) -> None:
        self._order(1)

    def _order(self, recipients: int) -> None:
        key = f"order-{next(self.numbers)}"
        body = {
            "recipients": [{"clientId": one.client_id} for one in random.sample(self.recipients, recipients)],
            "webPush": {"webPushMessageTexts": [TEXT]},
        }
        answer = self._post("/v3/subscriptions/pushmessages", body, {"Idempotency-Key": key})
        self.acknowledged[key] = json.loads(answer)["messageId"]

    def _send_marketing(self) -> None:
        """To everyone: by the same door that the console uses."""
        if _is_enough(transactional=False):
            return
        key = f"campaign-{next(self.numbers)}"
        while True:
            try:
                accepted = outbox.send(make_message(self.website), [make_text()], idempotency_key=key)
            except Error:
                connection.close()
                time.sleep(0.1)
                continue
            self.marketing.append(accepted.message_id)
            return

    def _report(self) -> None:
        if posts := self.system.push_service.posts(since=-1):
            token = posts[-1].token
            self._post("/browser/reports", {"token": token, "event": "shown"}, {})
            self.reported.add(token)

    def _post(self, path: str, body: object, headers: dict[str, str]) -> bytes:
        """Again and again until it is answered well. Nothing but 5xx and broken connections may happen."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "X-API-Key": self.api_key, **headers}
        while True:
            self.open_requests += 1
            try:
                request = urllib.request.Request(self.system.url + path, data, headers)
                with urllib.request.urlopen(request, timeout=15) as answer:
                    return bytes(answer.read())
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    raise AssertionError(f"{error.code} {error.read()!r}") from error
            except (OSError, http.client.HTTPException):
                pass
            finally:
                self.open_requests -= 1
            self.failures += 1
            time.sleep(0.1)


def _is_enough(*, transactional: bool) -> bool:
    with contextlib.suppress(Error), connection.cursor() as cursor:
        cursor.execute(WAITING, [transactional])
        return bool(cursor.fetchone()[0] > BACKLOG[transactional])
    connection.close()
    return True
