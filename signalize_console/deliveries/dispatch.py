"""The engine's loop: claim a few, post them over many streams, record, refill; for at most 20 seconds.

At most WINDOW deliveries are uncertain at any time: claimed or posted, and not yet recorded.
"""

import functools
import logging
import os
import time
from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError

from signalize_console.deliveries import ledger, progress
from signalize_console.deliveries.ledger import Claimed, Result
from signalize_console.deliveries.sending import make_transport, request_for, result_of
from signalize_console.webpush.transport import Transport

log = logging.getLogger(__name__)

WINDOW = 64
GROUP = 48
SECONDS = 20.0
LOOK_AGAIN = 0.1
# How long an answer waits for company before it is recorded.
LINGER = 0.003
SETTLE_EVERY = 1.0


@functools.cache
def _transport_of(process: int) -> Transport:
    return make_transport()


def transport() -> Transport:
    """One multi handle a process, made after the fork and kept."""
    return _transport_of(os.getpid())


class Dispatch:
    """One run of the engine for one class of messages."""

    def __init__(self, transactional: bool, stop: Callable[[], bool] = lambda: False) -> None:
        self.transactional = transactional
        self.stop = stop
        self.wire = transport()
        self.results: list[Result] = []
        self.touched: set[int] = set()
        self.open = 0
        self.posted = 0
        self.look_at = self.settle_at = 0.0

    def run(self, seconds: float = SECONDS) -> int:
        """Sends what is due until nothing is, or the time is over. Returns how many were posted."""
        end = time.monotonic() + seconds
        more = True
        while more or self.open:
            claiming = more and time.monotonic() < end and not self.stop()
            more = self._turn(claiming) and claiming
        self._advance()
        return self.posted

    def _turn(self, claiming: bool) -> bool:
        """Waits for answers, or records them and refills the window. False: nothing more is due."""
        now = time.monotonic()
        if self.wire.in_flight and len(self.results) < GROUP and now < self.look_at:
            answers = self.wire.poll(self.look_at - now)
            self.results += [result_of(answer, self.transactional) for answer in answers]
            if answers:
                self.look_at = min(self.look_at, now + LINGER)
            return True
        self.look_at = now + LOOK_AGAIN
        claimed = self._record_and_claim(claiming)
        for delivery in claimed:
            self._hand_over(delivery, now)
        if claimed and now < self.settle_at:
            return True
        return self._advance() or bool(claimed or self.open)

    def _record_and_claim(self, claiming: bool) -> list[Claimed]:
        results, self.results = self.results, []
        self.open -= len(results)
        self.touched.update(result.delivery.push_message_id for result in results)
        limit = WINDOW - self.open if claiming else 0
        claimed = ledger.record_and_claim(self.transactional, results, limit)
        self.open += len(claimed)
        return claimed

    def _hand_over(self, delivery: Claimed, claimed_at: float) -> None:
        try:
            request = request_for(delivery, claimed_at)
        except ImproperlyConfigured as error:
            request = Result(delivery, "pending", "configuration", "our_key", delay=60.0, answer=str(error))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            # One bad row must not hold up the others.
            log.exception("Delivery %s can't be prepared.", delivery.id)
            request = Result(delivery, "failed", "not_sent", "internal_error", answer=type(error).__name__)
        if isinstance(request, Result):
            self.results.append(request)
        else:
            self.wire.submit(request)
            self.posted += 1

    def _advance(self) -> bool:
        """Moves the messages on whose time has come. True: that made work."""
        self.settle_at = time.monotonic() + SETTLE_EVERY
        reclaimed = ledger.reclaim(self.transactional)
        touched, self.touched = self.touched | set(reclaimed), set()
        return progress.advance(self.transactional, touched) or bool(reclaimed)
