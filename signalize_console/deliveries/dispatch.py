"""The engine's loop: claim a few, post them over many streams, record, refill; for at most 20 seconds.

At most WINDOW deliveries are uncertain at any time: claimed or posted, and not yet recorded.
"""

import functools
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connection

from signalize_console.deliveries import caps, heartbeats, installation, ledger, progress, recall
from signalize_console.deliveries.heartbeats import HeartbeatKind
from signalize_console.deliveries.lanes import WINDOW, Lanes
from signalize_console.deliveries.latencies import LatencyKind, stopwatch
from signalize_console.deliveries.ledger import LEASE_SECONDS, Claim, Claimed, Result
from signalize_console.deliveries.recall import Recalled, Recalls
from signalize_console.deliveries.sending import make_transport, request_for, result_of, signer
from signalize_console.deliveries.watch import Watch
from signalize_console.webpush.transport import Answer, PushRequest, Transport

log = logging.getLogger(__name__)

GROUP = 48
SECONDS = 20.0
LOOK_AGAIN = 0.1
# So many are handed over before the wire is looked after: it sends while the next ones are encrypted.
AT_ONCE = 8
# How long an answer waits for company before it is recorded.
LINGER = 0.003
SETTLE_EVERY = 0.5
# After being told to stop: how long for what is under way.
GRACE = 9.0
SUSPECT_SECONDS = 3.0
UNAUTHORIZED = 401


@functools.cache
def _transport_of(process: int) -> Transport:
    return make_transport()


def transport() -> Transport:
    """One multi handle a process, made after the fork and kept."""
    return _transport_of(os.getpid())


@dataclass
class Life:
    """When this process last showed that its engine lives."""

    shown_at: float = 0.0


@functools.cache
def _life_of(process: int, transactional: bool) -> Life:
    return Life()


@functools.cache
def _lanes_of(process: int, transactional: bool) -> Lanes:
    return Lanes()


def drop_connection() -> None:
    """Also one that Django would keep: where entering ``atomic()`` failed, it takes itself to be inside."""
    connection.close()
    connection.connection = None
    connection.in_atomic_block = connection.closed_in_transaction = False


class Dispatch:
    """One run of the engine for one class of messages. ``has_more``: its time was over before its work."""

    def __init__(self, transactional: bool, stop: Callable[[], bool] = lambda: False) -> None:
        self.transactional = transactional
        self.stop = stop
        self.wire = transport()
        self.lanes = _lanes_of(os.getpid(), transactional)
        self.watch = Watch(self.lanes)
        self.results: list[Result] = []
        self.touched: set[int] = set()
        # What an earlier run left under way, when the database went away.
        self.open = {
            request.id.id: request.id for request in self.wire.requests if isinstance(request.id, Claimed)
        }
        self.lanes.begin(self.open.values())
        self.recalls = Recalls(transactional, self.wire)
        self.days = ledger.open_days(transactional)
        self.posted = 0
        self.has_more = False
        self.look_at = self.settle_at = 0.0
        self.may_send, self.ask_at = False, 0.0
        self.connected_at = time.monotonic()

    def run(self, seconds: float = SECONDS) -> int:
        """Sends what is due until nothing is, or the time is over. Returns how many were posted."""
        started, stopped_at, more = time.monotonic(), 0.0, True
        self.watch.tick(started)
        if self.transactional and self._may_send():
            self._run_suspects(started + SUSPECT_SECONDS)
        while more or self.open or self.recalls.open:
            now = time.monotonic()
            if self.stop():
                stopped_at = stopped_at or now
                if now > stopped_at + GRACE:
                    self._take(self.wire.abandon())
            self.has_more = self.has_more or (more and now >= started + seconds)
            more = self._try_turn(more and now < started + seconds and not stopped_at)
        self._advance()
        return self.posted

    def _may_send(self) -> bool:
        """Asked at the start, twice a second, and when the database was away: who knows which one answers."""
        now = time.monotonic()
        if now >= self.ask_at:
            self.may_send, self.ask_at = installation.may_send(), now + SETTLE_EVERY
        return self.may_send

    def _run_suspects(self, until: float) -> None:
        """What was lost with several workers goes alone: whatever happens, it happens to nothing else."""
        while time.monotonic() < until and not self.stop():
            self._claim([Claim(1, suspect=True)])
            if not self.open:
                return
            while self.open:
                self._try_turn(claiming=False)

    def _try_turn(self, claiming: bool) -> bool:
        """One turn. A lost database is waited for as long as our leases last; the results stay ours."""
        now = time.monotonic()
        try:
            more = self._turn(claiming)
        except (OperationalError, InterfaceError):
            drop_connection()
            self.ask_at = 0.0
            if now > self.connected_at + LEASE_SECONDS:
                raise
            self._listen(LOOK_AGAIN)
            return claiming
        return more and claiming

    def _listen(self, seconds: float) -> None:
        """To the push services: an answer that nobody reads in time counts as none."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.wire.in_flight:
                self._take(self.wire.poll(left))
            else:
                time.sleep(left)

    def _turn(self, claiming: bool) -> bool:
        """Waits for answers, or records them and refills the window. False: nothing more is due."""
        now = time.monotonic()
        if self.wire.in_flight and len(self.results) < GROUP and now < self.look_at:
            answers = self.wire.poll(self.look_at - now)
            self._take(answers)
            if answers:
                self.look_at = min(self.look_at, now + LINGER)
            return True
        self.look_at = now + LOOK_AGAIN
        claiming = claiming and self._may_send()
        self.watch.tell()
        # What is recorded makes room in the same transaction.
        free = WINDOW - len(self.open) + len(self.results)
        claimed = self._claim(self.watch.claims(free, now) if claiming else [])
        self.recalls.turn(claiming, self.watch.closed)
        self.connected_at = now
        if now >= self.settle_at or not (claimed or self.open):
            self._take(self.wire.poll(0))
            if self._advance():
                return True
        if claimed or self.open or self.recalls.open:
            return True
        if claiming and self.lanes.is_waiting(now):
            time.sleep(LOOK_AGAIN)
            return True
        return False

    def _claim(self, claims: Sequence[Claim]) -> bool:
        """Records the results, claims, and hands over what was claimed. True: something was."""
        now = time.monotonic()
        lists = ledger.record_and_claim(self.transactional, self.results, claims, self.days)
        if claims:
            stopwatch.note(LatencyKind.CLAIM, time.monotonic() - now, transactional=self.transactional)
        for result in self.results:
            self.open.pop(result.delivery.id, None)
            self.touched.add(result.delivery.push_message_id)
        self.results = []
        for claim, claimed in zip(claims, lists, strict=True):
            self.watch.claimed(claim, claimed, now)
            self.open |= {delivery.id: delivery for delivery in claimed}
        for claimed in lists:
            self._hand_over(claimed, now)
        return any(lists)

    def _hand_over(self, claimed: Sequence[Claimed], claimed_at: float) -> None:
        verdicts = self._verdicts(claimed) if claimed else {}
        for delivery in claimed:
            if verdict := verdicts.get(delivery.id):
                state = "suppressed" if verdict.delay is None else "pending"
                self._keep(Result(delivery, state, "not_sent", verdict.reason, delay=verdict.delay or 0.0))
                continue
            request = self._prepare(delivery, claimed_at)
            if isinstance(request, Result):
                self._keep(request)
            else:
                self.wire.submit(request)
                self.posted += 1
                if self.posted % AT_ONCE == 0:
                    self._take(self.wire.poll(0))

    def _verdicts(self, claimed: Sequence[Claimed]) -> dict[int, caps.Verdict]:
        """What can't be asked now isn't sent now."""
        try:
            return caps.verdicts(claimed)
        except (OperationalError, InterfaceError):
            return {delivery.id: caps.Verdict(caps.UNASKED, 0.0) for delivery in claimed}

    def _prepare(self, delivery: Claimed, claimed_at: float) -> PushRequest | Result:
        try:
            return request_for(delivery, claimed_at)
        except ImproperlyConfigured as error:
            return Result(delivery, "pending", "configuration", "our_key", delay=60.0, answer=str(error))
        except (OperationalError, InterfaceError):
            return Result(delivery, "pending", "not_sent", "no_database")
        except Exception as error:
            # One bad row must not hold up the others.
            ids = {"delivery_id": delivery.id, "push_message_id": delivery.push_message_id}
            log.exception("Delivery %s can't be prepared.", delivery.id, extra=ids)
            return Result(delivery, "failed", "not_sent", "internal_error", answer=type(error).__name__)

    def _take(self, answers: Sequence[Answer]) -> None:
        now = time.monotonic()
        for answer in answers:
            delivery = answer.request.id
            if isinstance(delivery, Recalled):
                self.recalls.take(answer)
                continue
            is_fine = self.lanes.is_fine_elsewhere((delivery.website_id, delivery.push_service), now)
            self._keep(result_of(answer, self.transactional, is_fine_elsewhere=is_fine))
            if answer.status:
                stopwatch.note(
                    LatencyKind.POST,
                    answer.seconds,
                    transactional=self.transactional,
                    push_service=delivery.push_service,
                )
            if answer.status == UNAUTHORIZED:
                signer.cache_clear()

    def _keep(self, result: Result) -> None:
        self.results.append(result)
        self.watch.note(result, time.monotonic())

    def _advance(self) -> bool:
        """Moves the messages on whose time has come. True: that made work."""
        self.settle_at = time.monotonic() + SETTLE_EVERY
        self._show_life()
        if not self._may_send():
            return False
        self.watch.tick(time.monotonic())
        self._put_back_stopped()
        reclaimed = ledger.reclaim(self.transactional)
        touched = self.touched | self.recalls.touched | set(reclaimed)
        self.touched, self.recalls.touched = set(), set()
        asked = recall.ask(self.transactional)
        self.recalls.may_be_more = True
        more = progress.advance(self.transactional, touched)
        self.days = ledger.open_days(self.transactional)
        return more or bool(reclaimed) or asked

    def _show_life(self) -> None:
        life, now = _life_of(os.getpid(), self.transactional), time.monotonic()
        if now - life.shown_at > heartbeats.EVERY_SECONDS:
            life.shown_at = now
            what = "transactional" if self.transactional else "marketing"
            heartbeats.note(HeartbeatKind.ENGINE, heartbeats.process(what), 0.0)
            stopwatch.add()

    def _put_back_stopped(self) -> None:
        """What waits inside libcurl is not on its way yet: a pause or a cancel still reaches it."""
        if stopped := progress.stopped({one.push_message_id for one in self.open.values()}):
            waiting = self.wire.abandon(
                lambda transfer: (
                    not transfer.begun
                    and isinstance(transfer.request.id, Claimed)
                    and transfer.request.id.push_message_id in stopped
                )
            )
            self._take(waiting)
