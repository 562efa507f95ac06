"""Random histories of the engine beside a simple model of it, in which a message is a word and a lease a set.

Workers here do what dispatch.py does, a step at a time, so that anything may come in between: they claim,
post (only while their lease lasts), record, die, or wake as zombies. The model says what may follow.
"""

import collections
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from signalize_console.deliveries import expanding, invariants, ledger, outbox, progress, sending
from signalize_console.deliveries.ledger import MOST_LOSSES, Claim, Claimed, Result
from signalize_console.deliveries.models import Delivery
from signalize_console.deliveries.readdressing import readdress
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import (
    DELIVERY_TRANSITIONS,
    MESSAGE_TRANSITIONS,
    DeliveryState,
    MessageState,
)
from signalize_console.recipients.models import Recipient, SubscriptionState
from tests.makers import make_message, make_push, make_subscription, make_text, make_website

CHUNK = 2
OUTCOMES = {
    "accepted": ("accepted", ""),
    "gone": ("gone", "expired"),
    "retry": ("pending", "unavailable"),
    "key_mismatch": ("pending", "vapid_key_mismatch"),
    "message_rejected": ("failed", "bad_request"),
    "uncertain": ("", "broken_after_sending"),
}
# What a push service has taken, perhaps. With the others it said that it has not.
TAKEN = {"accepted", "uncertain"}
OVER = "UPDATE deliveries_delivery SET lease_until = now() - interval '1 second' WHERE id = ANY(%s) AND state = 'sending' AND attempts = ANY(%s)"
NOW_DUE = """
UPDATE deliveries_delivery SET due_at = now() - interval '1 second' WHERE state = 'pending';
UPDATE messaging_pushmessage
SET due_at = now() - interval '1 second', expand_at = expand_at - interval '1 hour' WHERE due_at IS NOT NULL
"""
WIPE = """
DELETE FROM deliveries_attempt; DELETE FROM deliveries_delivery; DELETE FROM messaging_pushmessagetext;
DELETE FROM messaging_pushmessage; DELETE FROM recipients_subscription; DELETE FROM recipients_recipient
"""
SEEN = """
SELECT delivery.id, delivery.state, delivery.attempts, delivery.reason, message.id, message.state,
    message.transactional, delivery.recipient_id
FROM messaging_pushmessage message LEFT JOIN deliveries_delivery delivery
  ON delivery.push_message_id = message.id AND delivery.day = message.day
"""


@dataclass
class Worker:
    """``held`` it has claimed and not recorded, ``posted`` it has handed over; without a lease it is a zombie."""

    transactional: bool
    held: dict[int, Claimed]
    posted: set[int] = field(default_factory=set)
    lives: bool = True


@dataclass(frozen=True)
class Seen:
    state: str
    attempts: int
    reason: str
    message: int
    recipient: int


class Engine(RuleBasedStateMachine):
    """``taken`` counts what the push service took of each delivery, answered or not."""

    @initialize()
    def begin(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(WIPE)
        self.website = WEBSITE.get()
        self.workers: list[Worker] = []
        self.taken: collections.Counter[int] = collections.Counter()
        self.seen: dict[int, Seen] = {}
        self.messages: dict[int, tuple[str, bool]] = {}
        self.erased: set[int] = set()
        self.recipients = Recipient.objects.bulk_create([Recipient(website=self.website) for _ in range(3)])
        for recipient in [*self.recipients, self.recipients[0]]:
            make_subscription(self.website, recipient=recipient)
        self.turn = itertools.count()

    # What people and systems do.

    @rule(transactional=st.booleans(), who=st.sets(st.integers(0, 2), min_size=1))
    def accept_named(self, transactional: bool, who: set[int]) -> None:
        recipients = [
            self.recipients[number] for number in who if self.recipients[number].pk not in self.erased
        ]
        active = [one for one in self.active() if one[0] in {recipient.pk for recipient in recipients}]
        try:
            accepted = outbox.send(
                make_message(self.website, transactional=transactional), [make_text()], recipients
            )
        except outbox.NobodyReachable:
            assert not active
            return
        assert accepted.deliveries == len(active)
        self.look(new={accepted.message_id: len(active)})

    @rule(
        transactional=st.booleans(),
        per_minute=st.sampled_from([None, 60, 100_000]),
        canary=st.booleans(),
    )
    def accept_everyone(self, transactional: bool, per_minute: int | None, canary: bool) -> None:
        message = make_message(
            self.website, transactional=transactional, per_minute=per_minute, canary=canary
        )
        accepted = outbox.send(message, [make_text()])
        self.look(new={accepted.message_id: 0})

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), how=st.sampled_from(["cancel", "pause", "resume"]))
    def steer(self, data: st.DataObject, how: str) -> None:
        message = self.pick_message(data)
        moved = getattr(message, how)()
        state = {"cancel": "cancelled", "pause": "paused"}.get(how)
        self.look()
        if moved and state:
            assert self.messages[message.pk][0] == state

    @precondition(lambda self: self.messages)
    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE messaging_pushmessage SET valid_until = now() - interval '1 second', "
                "due_at = CASE WHEN due_at IS NOT NULL THEN LEAST(due_at, now()) END WHERE id = %s",
                [self.pick_message(data).pk],
            )

    @rule(number=st.integers(0, 2))
    def erase(self, number: int) -> None:
        Recipient.objects.filter(pk=self.recipients[number].pk).delete()
        self.erased.add(self.recipients[number].pk)

    @rule(number=st.integers(0, 2))
    def subscribe_anew(self, number: int) -> None:
        recipient = self.recipients[number]
        if recipient.pk in self.erased:
            return
        mismatched = {one.message for one in self.seen.values() if self.waits_for(one, recipient.pk)}
        new = make_subscription(self.website, make_push(self.website), recipient=recipient)
        readdress(new)
        self.look()
        again = {
            one.message
            for one in self.seen.values()
            if one.reason == "resubscribed" and one.recipient == recipient.pk
        }
        assert mismatched <= again

    @staticmethod
    def waits_for(one: Seen, recipient: int) -> bool:
        return one.recipient == recipient and one.state == "pending" and one.reason == "vapid_key_mismatch"

    # What time and the engine do.

    @rule()
    def time_passes(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(NOW_DUE)

    @rule(transactional=st.booleans())
    def advance(self, transactional: bool) -> None:
        before = dict(self.messages)
        progress.advance(transactional)
        self.look(advancing=True)
        assert all(
            self.messages[message] == facts for message, facts in before.items() if facts[1] != transactional
        )

    @rule(transactional=st.booleans(), most=st.integers(1, 4))
    def claim(self, transactional: bool, most: int) -> None:
        before = dict(self.seen)
        (claimed,) = ledger.record_and_claim(transactional, [], [Claim(most)])
        self.look()
        assert len(claimed) <= most
        for one in claimed:
            assert before[one.id].state == "pending"
            assert self.messages[one.push_message_id] == ("sending", transactional)
            assert one.attempts == before[one.id].attempts + 1
        assert self.changed(before) == {one.id for one in claimed}
        if claimed:
            self.workers.append(Worker(transactional, {one.id: one for one in claimed}))

    @precondition(lambda self: any(worker.held for worker in self.workers))
    @rule(data=st.data())
    def post(self, data: st.DataObject) -> None:
        """Only who has a lease posts; and only to whom there is something to post."""
        worker = self.pick_worker(data)
        if not worker.lives:
            return
        for one in [one for one in worker.held.values() if one.id not in worker.posted]:
            request = sending.request_for(one, time.monotonic())
            if isinstance(request, Result):
                assert one.subscription_state != SubscriptionState.ACTIVE or one.is_mismatched
                self.record(worker, request)
            else:
                worker.posted.add(one.id)

    @precondition(lambda self: any(worker.posted for worker in self.workers))
    @rule(data=st.data(), outcome=st.sampled_from(sorted(OUTCOMES)))
    def answer(self, data: st.DataObject, outcome: str) -> None:
        """Also to a zombie: it posted in time, and records too late."""
        worker = data.draw(st.sampled_from([one for one in self.workers if one.posted]))
        delivery = worker.held[data.draw(st.sampled_from(sorted(worker.posted)))]
        worker.posted.discard(delivery.id)
        self.taken[delivery.id] += outcome in TAKEN
        state, reason = OUTCOMES[outcome]
        state = state or ("pending" if worker.transactional else "unknown")
        self.record(worker, Result(delivery, state, outcome, reason, status=201, delay=1.0))

    def record(self, worker: Worker, result: Result) -> None:
        delivery = worker.held.pop(result.delivery.id)
        before = self.seen[delivery.id]
        is_ours = (before.state, before.attempts) == ("sending", delivery.attempts)
        ledger.record_and_claim(worker.transactional, [result], [])
        self.look()
        after = self.seen[delivery.id]
        assert after.state == (result.state if is_ours else before.state)
        assert after.attempts == before.attempts

    @precondition(lambda self: any(worker.lives for worker in self.workers))
    @rule(data=st.data(), was_taken=st.booleans())
    def die(self, data: st.DataObject, was_taken: bool) -> None:
        """Or stop for longer than its lease. What it posted may have been taken."""
        worker = data.draw(st.sampled_from([one for one in self.workers if one.lives]))
        worker.lives = False
        self.taken.update([one for one in worker.posted if was_taken])
        if was_taken:
            worker.held = {key: one for key, one in worker.held.items() if key not in worker.posted}
            worker.posted = set()
        lost = [one for one in worker.held.values() if self.is_held(one)]
        self.end_leases([one for one in self.seen if self.seen[one].state == "sending"], lost, worker)

    def end_leases(self, sending_now: list[int], lost: list[Claimed], worker: Worker) -> None:
        alive = {key for one in self.workers if one.lives for key in one.held}
        over = [delivery for delivery in sending_now if delivery not in alive]
        with connection.cursor() as cursor:
            cursor.execute(OVER, [over, [self.seen[one].attempts for one in over]])
        assert {one.id for one in lost} <= set(over)
        assert not worker.lives

    def is_held(self, one: Claimed) -> bool:
        return (self.seen[one.id].state, self.seen[one.id].attempts) == ("sending", one.attempts)

    @rule(transactional=st.booleans())
    def reclaim(self, transactional: bool) -> None:
        before = dict(self.seen)
        touched = ledger.reclaim(transactional)
        self.look()
        alive = {key for worker in self.workers if worker.lives for key in worker.held}
        changed = self.changed(before)
        assert not changed & alive
        assert {self.seen[one].message for one in changed} == set(touched)
        for one in changed:
            assert self.messages[self.seen[one].message][1] == transactional
            assert self.seen[one].state in ({"pending", "failed"} if transactional else {"unknown"})
            assert self.seen[one].reason == ("poison" if self.seen[one].state == "failed" else "worker_lost")

    # What is looked at after each.

    def look(self, new: dict[int, int] | None = None, *, advancing: bool = False) -> None:
        """Reads all, and asks the tables of states whether it may have become so."""
        before, messages_before = self.seen, self.messages
        with connection.cursor() as cursor:
            cursor.execute(SEEN)
            rows = cursor.fetchall()
        self.messages = {row[4]: (row[5], row[6]) for row in rows}
        self.seen = {
            row[0]: Seen(row[1], row[2], row[3], row[4], row[7]) for row in rows if row[0] is not None
        }
        assert before.keys() <= self.seen.keys()
        assert messages_before.keys() | (new or {}).keys() == self.messages.keys()
        for message, (state, _transactional) in messages_before.items():
            after = MessageState(self.messages[message][0])
            assert after == state or advancing or after in MESSAGE_TRANSITIONS[MessageState(state)]
        for delivery, one in before.items():
            after_state = DeliveryState(self.seen[delivery].state)
            assert after_state == one.state or after_state in DELIVERY_TRANSITIONS[DeliveryState(one.state)]
        fresh = collections.Counter(self.seen[one].message for one in self.seen.keys() - before.keys())
        if not advancing:
            assert fresh == collections.Counter(new or {})

    def changed(self, before: dict[int, Seen]) -> set[int]:
        return {one for one in before if self.seen[one] != before[one]}

    def active(self) -> list[tuple[int, int]]:
        from signalize_console.recipients.models import Subscription

        return list(Subscription.objects.active().values_list("recipient_id", "id"))

    def pick_message(self, data: st.DataObject) -> PushMessage:
        return PushMessage.objects.get(pk=data.draw(st.sampled_from(sorted(self.messages))))

    def pick_worker(self, data: st.DataObject) -> Worker:
        return data.draw(st.sampled_from([worker for worker in self.workers if worker.held]))

    @invariant()
    def nothing_is_broken(self) -> None:
        """A few of the checks at every third step, by turns; all of them at the end."""
        turn = next(self.turn) if hasattr(self, "turn") else 1
        if turn % 3 == 0:
            some = [invariants.CHECKS[(turn + one) % len(invariants.CHECKS)] for one in range(3)]
            assert [str(one) for one in invariants.violations(checks=some)] == []

    @invariant()
    def nothing_of_marketing_is_taken_twice(self) -> None:
        for delivery, times in getattr(self, "taken", {}).items():
            assert times <= 1 or self.messages[self.seen[delivery].message][1]

    def teardown(self) -> None:
        """All workers die, the paused go on: everything comes to an end, and nothing is missing."""
        if not hasattr(self, "turn"):
            return
        for worker in self.workers:
            worker.lives = False
        for _round in range(MOST_LOSSES * 8):
            # Also where a test has stopped it meanwhile.
            for message in PushMessage.objects.filter(state=MessageState.PAUSED):
                assert message.resume()
            self.go_on()
            if not Delivery.objects.open().exists() and self.is_over():
                break
        self.seen = {}
        self.look(advancing=True)
        assert [str(one) for one in invariants.violations()] == []
        self.nothing_of_marketing_is_taken_twice()
        for delivery, one in self.seen.items():
            state, transactional = self.messages[one.message]
            assert one.state not in {"pending", "sending"}, one
            assert self.taken[delivery] or one.state != "accepted", one
            assert not transactional or one.state != "unknown", one
            if one.state == "cancelled":
                assert state == "cancelled" or one.reason.startswith("subscription_"), one

    def go_on(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(NOW_DUE)
            cursor.execute("UPDATE recipients_subscription SET key_mismatch_at = NULL")
            cursor.execute(
                "UPDATE deliveries_delivery SET lease_until = now() - interval '1 second' WHERE state = 'sending'"
            )
        for transactional in {facts[1] for facts in self.messages.values()}:
            ledger.reclaim(transactional)
            progress.advance(transactional)
            with connection.cursor() as cursor:
                cursor.execute(NOW_DUE)
            lists = ledger.record_and_claim(transactional, [], [Claim(64), Claim(64, suspect=True)])
            results = list(self.results_of([one for claimed in lists for one in claimed]))
            ledger.record_and_claim(transactional, results, [])
            progress.advance(transactional, {result.delivery.push_message_id for result in results})

    def results_of(self, claimed: list[Claimed]) -> Iterator[Result]:
        for one in claimed:
            request = sending.request_for(one, time.monotonic())
            if isinstance(request, Result):
                yield request
            else:
                self.taken[one.id] += 1
                yield Result(one, "accepted", "accepted", status=201)

    @staticmethod
    def is_over() -> bool:
        return not PushMessage.objects.exclude(
            state__in=[MessageState.FINISHED, MessageState.CANCELLED]
        ).exists()


class WEBSITE:
    """One for all histories: nothing of them touches it."""

    one = None

    @classmethod
    def get(cls):  # type: ignore[no-untyped-def]
        cls.one = cls.one or make_website(canary_percent=50)
        return cls.one


@pytest.mark.timeout(900)
def test_whatever_happens_nothing_is_lost_or_repeated(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "CHUNK", CHUNK)
    monkeypatch.setattr(expanding, "CHUNK", CHUNK)
    sending.prepared.cache_clear()
    WEBSITE.one = None
    run_state_machine_as_test(
        Engine,
        settings=settings(
            max_examples=500,
            stateful_step_count=10,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
