"""The loop that tells: read on, claim a few, post them, record; for at most 20 seconds.

It has a worker of its own, and shares nothing with the engine but the database: a slow receiver slows no
push message.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured

from signalize_console.webhooks import ledger, telling
from signalize_console.webhooks.ledger import EACH, Claimed, Result
from signalize_console.webhooks.models import WebhookEndpoint
from signalize_console.webhooks.sending import backoff, request_for, result_of
from signalize_console.webhooks.wire import transport
from signalize_console.webpush.transport import Answer

log = logging.getLogger(__name__)

SECONDS = 20.0
# In our hands at once; how many answers are recorded together, and how long one waits for company.
WINDOW = 128
GROUP = 32
LINGER = 0.02
LOOK_AGAIN = 0.1
READ_EVERY = 0.25
RECLAIM_EVERY = 5.0


class Dispatch:
    """One run. ``told`` counts the answers, good or bad."""

    def __init__(self, stop: Callable[[], bool] = lambda: False) -> None:
        self.stop = stop
        self.wire = transport()
        self.open: dict[int, Claimed] = {}
        self.results: list[Result] = []
        self.told = 0
        self.read_at = self.reclaim_at = self.record_at = 0.0

    def run(self, seconds: float = SECONDS) -> int:
        """Tells what is due until nothing is, or the time is over; what is under way is waited for."""
        self.wire.abandon()  # of an earlier run that was cut off: claimed anew when its lease ends
        end = time.monotonic() + seconds
        more = True
        while more or self.open:
            now = time.monotonic()
            claiming = now < end and not self.stop()
            more = (self._claim(now) if claiming else False) or bool(self.open)
            self._take(self.wire.poll(LINGER if self.results else LOOK_AGAIN if self.open else 0))
            if len(self.results) >= GROUP or now >= self.record_at or not self.wire.in_flight:
                self._record()
        return self.told

    def _claim(self, now: float) -> bool:
        """Reads on and refills the window. False: nothing more is due."""
        if now >= self.reclaim_at:
            self.reclaim_at = now + RECLAIM_EVERY
            ledger.reclaim()
        more = False
        if now >= self.read_at:
            more = telling.read_on()
            self.read_at = now if more else now + READ_EVERY
        free = WINDOW - len(self.open)
        if free < EACH:
            return True
        busy = Counter(one.endpoint_id for one in self.open.values())
        claimed = ledger.claim(free, [endpoint for endpoint, count in busy.items() if count >= EACH])
        self._hand_over(claimed, now)
        return more or bool(claimed)

    def _hand_over(self, claimed: list[Claimed], claimed_at: float) -> None:
        endpoints = WebhookEndpoint.objects.in_bulk({one.endpoint_id for one in claimed}) if claimed else {}
        for delivery in claimed:
            self.open[delivery.id] = delivery
            try:
                self.wire.submit(request_for(delivery, endpoints[delivery.endpoint_id], claimed_at))  # type: ignore[arg-type]
            except (ImproperlyConfigured, KeyError) as error:
                ids = {"webhook_delivery_id": delivery.id, "webhook_endpoint_id": delivery.endpoint_id}
                log.error("Webhook delivery %s can't be prepared: %s", delivery.id, error, extra=ids)
                wait = backoff(delivery.attempts)
                self.results.append(Result(delivery, False, reason="secret", delay=wait, rest=wait))

    def _take(self, answers: list[Answer]) -> None:
        self.results += [result_of(answer) for answer in answers]

    def _record(self) -> None:
        ledger.record(self.results)
        for result in self.results:
            self.open.pop(result.delivery.id, None)
        self.told += len(self.results)
        self.results = []
        self.record_at = time.monotonic() + LINGER
