"""What a worker process learns of push services, by a clock that the tests move."""

import datetime
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signalize_console.deliveries.alerts import AlertKind
from signalize_console.deliveries.lanes import RESERVED, SLOW_SLOTS, WINDOW, Finding, Lanes
from signalize_console.deliveries.ledger import Claim, Claimed, Result
from signalize_console.deliveries.rates import Rate
from signalize_console.deliveries.sending import _backoff, _later
from signalize_console.webpush.push_services import SERVICES

WEBSITE = 7


class World:
    """Deliveries that are due without end, push services that answer as they are told, and a clock."""

    def __init__(self, *services: str) -> None:
        self.lanes, self.now, self.last = Lanes(), 100.0, 0
        self.services = set(services)
        self.open: list[Claimed] = []
        self.findings: list[Finding] = []

    def fill(self) -> list[Claimed]:
        claims = self.lanes.claims(WINDOW - len(self.open), self.now)
        assert sum(claim.limit for claim in claims) <= WINDOW - len(self.open)
        new = []
        for claim in claims:
            taken = self._due(claim)
            self.lanes.claimed(claim, taken, self.now)
            new += taken
        self.open += new
        return new

    def _due(self, claim: Claim) -> list[Claimed]:
        names = [
            name
            for name in sorted(self.services)
            if name in (claim.services or SERVICES)
            and name not in claim.but
            and (WEBSITE, name) not in claim.without
        ]
        return [self.delivery(random.choice(names)) for _ in range(claim.limit)] if names else []

    def delivery(self, service: str, message: int = 1) -> Claimed:
        self.last += 1
        return Claimed(
            *(self.last, datetime.date(2026, 11, 1), 1, message, WEBSITE, service, 3600.0, self.last, 1),
            *("active", "", "", "", 1, False, False, "en", "", False),
        )

    def answer(self, delivery: Claimed, outcome: str = "accepted", **fields: Any) -> None:
        values = {"status": 201 if outcome == "accepted" else 0, "milliseconds": 50, **fields}
        if delivery in self.open:
            self.open.remove(delivery)
        finding = self.lanes.note(Result(delivery, "accepted", outcome, **values), self.now)
        self.findings += [finding] if finding else []

    def answer_all(self, *services: str, **fields: Any) -> None:
        for delivery in [one for one in self.open if not services or one.push_service in services]:
            self.answer(delivery, **fields)

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        self.findings += self.lanes.tick(self.now)


def turn(world: World, times: int, *answering: str, seconds: float = 0.05) -> None:
    for _ in range(times):
        world.fill()
        world.pass_(seconds)
        world.answer_all(*answering)


def test_a_push_service_alone_may_fill_the_window() -> None:
    world = World("fcm")

    turn(world, 5)

    assert len(world.fill()) == WINDOW


def test_a_dead_push_service_leaves_slots_to_the_others() -> None:
    world = World("fcm", "mozilla")
    turn(world, 20)

    turn(world, 50, "mozilla")

    stuck = [one for one in world.open if one.push_service == "fcm"]
    assert len(stuck) <= WINDOW - RESERVED
    assert len(world.fill()) >= RESERVED - 2


def test_a_slow_push_service_gets_few_slots_where_there_are_others() -> None:
    world = World("fcm", "mozilla")
    turn(world, 5)
    for _ in range(100):
        world.answer(world.delivery("fcm"), milliseconds=9900)
    world.lanes.begin([])
    world.open.clear()

    turn(world, 20, "mozilla")

    assert len([one for one in world.open if one.push_service == "fcm"]) <= SLOW_SLOTS
    assert len(world.fill()) >= WINDOW - RESERVED - 2


def test_who_has_nothing_due_costs_the_others_nothing() -> None:
    world = World("fcm", "mozilla")
    turn(world, 20)
    world.services = {"fcm"}
    turn(world, 3)

    assert len(world.fill()) >= WINDOW - RESERVED - 4


def test_a_push_service_that_is_new_is_found_soon() -> None:
    world = World("fcm", "mozilla")
    turn(world, 20)
    world.services = {"wns"}

    turn(world, 12)

    assert world.lanes.services["wns"].seen_at > 100.0


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.sampled_from(SERVICES), min_size=1, max_size=5), st.integers())
def test_the_window_is_never_exceeded_whatever_happens(services: list[str], seed: int) -> None:
    chance = random.Random(seed)
    world = World(*services)
    for _ in range(30):
        world.fill()
        assert len(world.open) <= WINDOW
        world.pass_(chance.random())
        for delivery in [one for one in world.open if chance.random() < 0.5]:
            world.answer(delivery, chance.choice(["accepted", "throttled", "retry"]), status=429)


def test_an_outage_is_seen_after_twenty_answers_half_of_them_failures() -> None:
    world = World("fcm")
    for number in range(19):
        world.answer(world.delivery("fcm"), "retry", status=503, is_outage=number % 2 == 0)
    world.pass_(0.5)
    assert not world.findings

    world.answer(world.delivery("fcm"), "retry", status=503, is_outage=True)
    world.pass_(0.5)

    assert [(one.kind, one.website_id, one.push_service) for one in world.findings] == [
        (AlertKind.OUTAGE, None, "fcm")
    ]


def test_old_failures_are_forgotten() -> None:
    world = World("fcm")
    for _ in range(100):
        world.answer(world.delivery("fcm"), "retry", status=503, is_outage=True)

    world.now += 31
    world.pass_(0.5)

    assert not world.findings


def test_what_is_stopped_is_not_claimed() -> None:
    world = World("fcm", "mozilla")
    world.lanes.stopped = {(None, "fcm")}
    turn(world, 5)
    assert {one.push_service for one in world.fill()} == {"mozilla"}

    world.lanes.stopped = {(WEBSITE, "mozilla")}
    world.answer_all()

    assert {one.push_service for one in world.fill()} == {"fcm"}


def test_five_equal_refusals_in_a_row_are_the_lanes_fault() -> None:
    world = World("apple")
    for message in range(4):
        world.answer(world.delivery("apple", message), "configuration", status=403, reason="bad_jwt")
    world.answer(world.delivery("apple"))
    for message in range(4):
        world.answer(world.delivery("apple", message), "configuration", status=403, reason="bad_jwt")
    assert not world.findings

    world.answer(world.delivery("apple"), "configuration", status=403, reason="bad_jwt")

    (finding,) = world.findings
    assert (finding.kind, finding.website_id, finding.push_service, finding.message_id) == (
        *(AlertKind.CONFIGURATION, WEBSITE, "apple"),
        0,
    )


def test_five_equal_refusals_of_one_message_are_the_messages_fault() -> None:
    world = World("apple")

    for _ in range(5):
        world.answer(world.delivery("apple", 3), "message_rejected", status=413, reason="too_large")

    assert [one.message_id for one in world.findings] == [3]


class Bucket:
    """A push service that takes so many a second, and says nothing of when to come again."""

    def __init__(self, rate: float) -> None:
        self.rate, self.tokens, self.at = rate, rate, 100.0

    def takes(self, now: float) -> bool:
        self.tokens = min(self.rate, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@pytest.mark.parametrize("cap", [1000 / 60, 200.0])
def test_it_settles_below_what_a_push_service_takes(cap: float) -> None:
    world, bucket = World("fcm"), Bucket(cap)
    accepted = throttled = 0
    for step in range(20 * 900):
        world.fill()
        world.pass_(0.05)
        for delivery in list(world.open):
            taken = bucket.takes(world.now)
            world.answer(delivery, "accepted" if taken else "throttled", status=201 if taken else 429)
            if step > 20 * 300:
                accepted, throttled = accepted + taken, throttled + (not taken)

    assert accepted / 600 > 0.6 * cap
    assert throttled < 0.05 * accepted


def test_it_runs_freely_again_when_nobody_asks_to_slow_down_any_more() -> None:
    rate = Rate(100.0)
    for _ in range(100):
        rate.note(throttled=True, wait=0)
    assert rate.tick(101.0)
    assert rate.is_limited

    for second in range(200):
        rate.note(throttled=False, wait=0)
        rate.tick(102.0 + second)

    assert not rate.is_limited


def test_it_holds_a_lane_as_long_as_it_was_asked_to() -> None:
    rate = Rate(100.0)
    rate.note(throttled=True, wait=40.0)
    rate.tick(101.0)

    assert rate.take(10, 140.9) == 0
    assert rate.take(10, 142.0) > 0


def test_retries_spread_over_time() -> None:
    delays = [_backoff(attempts=6) for _ in range(10_000)]
    seconds = [0] * 200
    for delay in delays:
        seconds[int(delay)] += 1

    # Two minutes, and in none of their seconds more than twice its share.
    assert sum(bool(count) for count in seconds) > 120
    assert max(seconds) < 2 * len(delays) / 127
    assert all(120 <= _later(120) <= 150 for _ in range(1_000))
    assert len({round(_later(120)) for _ in range(1_000)}) > 10
