"""How much this process may send where, learnt from the answers: slots, rate, and when to stop.

A lane is one website's messages to one push service. Slots and outages are the push service's, rates and
refusals the lane's. Nothing here is shared or stored: each process learns for itself, alerts are in the
database for all. Times are monotonic seconds.
"""

import collections
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from signalize_console.deliveries.alerts import AlertKind
from signalize_console.deliveries.ledger import Claim, Claimed, Result
from signalize_console.deliveries.rates import Rate
from signalize_console.webpush.outcomes import Outcome

WINDOW = 64
# What one push service leaves to the others as soon as there are others.
RESERVED = 16
SLOW_SLOTS, SLOW_SECONDS = 12, 2.0
SEEN_FOR, LOOK_FOR_OTHERS, LOOK_SLOTS = 60.0, 0.5, 2
FASTING, FASTING_SLOTS = 0.25, 2
OUTAGE_WINDOW, OUTAGE_LEAST, OUTAGE_SHARE = 30.0, 20, 0.5
REFUSALS_IN_A_ROW = 5

Lane = tuple[int, str]


class Finding(NamedTuple):
    """What people must know of and the engine must act on; with ``message_id`` it is that message's fault."""

    kind: AlertKind
    website_id: int | None
    push_service: str
    result: Result | None = None
    message_id: int = 0


@dataclass
class Service:
    """A push service as this process sees it."""

    seen_at: float
    open: int = 0
    latency: float = 0.0
    fed_at: float = 0.0
    recent: collections.deque[tuple[float, bool]] = field(
        default_factory=lambda: collections.deque(maxlen=1_000)
    )

    def note(self, result: Result, now: float) -> None:
        self.open -= 1
        if result.milliseconds:
            self.latency += (result.milliseconds / 1000 - self.latency) * 0.1
        if result.outcome != "not_sent":
            self.recent.append((now, result.is_outage))

    def seems_down(self, now: float) -> bool:
        recent = [outage for at, outage in self.recent if at > now - OUTAGE_WINDOW]
        return len(recent) >= OUTAGE_LEAST and sum(recent) >= OUTAGE_SHARE * len(recent)

    def slots(self, *, alone: bool) -> int:
        if alone:
            return WINDOW if self.latency < SLOW_SECONDS else WINDOW - RESERVED
        return SLOW_SLOTS if self.latency >= SLOW_SECONDS else WINDOW - RESERVED


class Lanes:
    """What this process has learnt. ``stopped`` are the lanes of open alerts; website None is all."""

    def __init__(self) -> None:
        self.services: dict[str, Service] = {}
        self.rates: dict[Lane, Rate] = {}
        self.refused: dict[Lane, list[Result]] = {}
        self.accepted_at: dict[Lane, float] = {}
        self.stopped: set[tuple[int | None, str]] = set()
        self.looked_at = 0.0

    def begin(self, deliveries: Iterable[Claimed]) -> None:
        """A new run: these are under way, nothing else is."""
        for service in self.services.values():
            service.open = 0
        for delivery in deliveries:
            self.services.setdefault(delivery.push_service, Service(0.0)).open += 1

    def is_waiting(self, now: float) -> bool:
        """A rate holds back what is due: it is worth looking again in a moment."""
        return any(
            rate.is_limited and rate.is_hungry and now >= rate.held_until for rate in self.rates.values()
        )

    def claims(self, free: int, now: float) -> list[Claim]:
        """What to claim to fill ``free`` slots: together never more."""
        closed = {service for website, service in self.stopped if website is None}
        seen = {
            name: service
            for name, service in self.services.items()
            if service.open or now - service.seen_at < SEEN_FOR
        }
        limited = [lane for lane, rate in self.rates.items() if rate.is_limited]
        without = [*((website, name) for website, name in self.stopped if website is not None), *limited]
        claims = []
        for lane in limited:
            room = self._room(lane[1], seen) if lane[1] not in closed and lane not in self.stopped else 0
            if limit := min(free, room, self.rates[lane].take(min(free, room), now)):
                claims.append(Claim(limit, services=(lane[1],), website_id=lane[0]))
                free -= limit
        usual = {name: service for name, service in seen.items() if name not in closed}
        if len(seen) <= 1 and all(self._room(name, seen) >= free for name in usual):
            return [*claims, Claim(free, but=tuple(closed), without=tuple(without))] if free else claims
        return claims + self._shared(usual, seen, free, now, tuple(without))

    def _shared(
        self,
        usual: dict[str, Service],
        seen: dict[str, Service],
        free: int,
        now: float,
        without: tuple[Lane, ...],
    ) -> list[Claim]:
        """A claim for each push service: equal shares, and what one has no room for goes to the next."""
        claims = []
        if now - self.looked_at >= LOOK_FOR_OTHERS and free:
            self.looked_at = now
            limit = min(free, LOOK_SLOTS)
            claims.append(Claim(limit, but=tuple(seen), without=without))
            free -= limit
        rooms = sorted((self._appetite(name, seen, now), name) for name in usual)
        for position, (room, name) in enumerate(rooms):
            if limit := min(room, -(-free // (len(rooms) - position))):
                claims.append(Claim(limit, services=(name,), without=without))
                free -= limit
        return claims

    def _appetite(self, name: str, seen: dict[str, Service], now: float) -> int:
        """Its room, or a few slots if a moment ago it had less due than it could have had."""
        room = self._room(name, seen)
        return room if now - self.services[name].fed_at >= FASTING else min(room, FASTING_SLOTS)

    def _room(self, name: str, seen: dict[str, Service]) -> int:
        service = self.services.get(name)
        return WINDOW if service is None else max(0, service.slots(alone=len(seen) <= 1) - service.open)

    def claimed(self, claim: Claim, deliveries: Iterable[Claimed], now: float) -> None:
        """``fed_at`` of a push service that had less than asked: it gets few for a moment."""
        count = 0
        for delivery in deliveries:
            count += 1
            service = self.services.setdefault(delivery.push_service, Service(now))
            service.seen_at = now
            service.open += 1
        if len(claim.services) == 1 and claim.website_id is None and count < claim.limit:
            service = self.services.setdefault(claim.services[0], Service(now))
            service.fed_at = now
        if claim.website_id is not None and (rate := self.rates.get((claim.website_id, claim.services[0]))):
            rate.give_back(claim.limit - count)

    def note(self, result: Result, now: float) -> Finding | None:
        """Learns from one answer; what people must know of it."""
        delivery = result.delivery
        lane = (delivery.website_id, delivery.push_service)
        self.services.setdefault(delivery.push_service, Service(now, open=1)).note(result, now)
        if result.outcome == "not_sent":
            return None
        rate = self.rates.setdefault(lane, Rate(now))
        rate.note(throttled=result.outcome == Outcome.THROTTLED, wait=result.asked_wait)
        if result.outcome == Outcome.ACCEPTED:
            self.accepted_at[lane] = now
        if result.outcome in {Outcome.CONFIGURATION, Outcome.MESSAGE_REJECTED}:
            return self._refused(lane, result)
        if result.status:
            self.refused.pop(lane, None)
        return None

    def _refused(self, lane: Lane, result: Result) -> Finding | None:
        """Five equal refusals in a row are no accident: of one message it is the message, else it is us."""
        row = self.refused.setdefault(lane, [])
        if row and (row[-1].status, row[-1].reason) != (result.status, result.reason):
            row.clear()
        row.append(result)
        if len(row) < REFUSALS_IN_A_ROW:
            return None
        messages = {one.delivery.push_message_id for one in row}
        row.clear()
        one_message = len(messages) == 1 and result.outcome == Outcome.MESSAGE_REJECTED
        return Finding(AlertKind.CONFIGURATION, *lane, result, messages.pop() if one_message else 0)

    def tick(self, now: float) -> list[Finding]:
        """Once or twice a second: who seems to be down, who asks us to slow down."""
        findings = []
        for name, service in self.services.items():
            if (None, name) not in self.stopped and service.seems_down(now):
                service.recent.clear()
                findings.append(Finding(AlertKind.OUTAGE, None, name))
        for lane, rate in self.rates.items():
            if rate.tick(now):
                findings.append(Finding(AlertKind.THROTTLED, *lane))
        return findings

    def is_fine_elsewhere(self, lane: Lane, now: float) -> bool:
        """The push service took something of this website a moment ago: then our key and clock are right."""
        return not self.refused.get(lane) and now - self.accepted_at.get(lane, -1e9) < SEEN_FOR
