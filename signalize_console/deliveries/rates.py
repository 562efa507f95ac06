"""The rate at which a lane may send: unlimited until the push service asks to slow down.

Then it is halved for each second with throttled answers, and grows a little for each without: additive
increase, multiplicative decrease, as in TCP. Times are monotonic seconds, rates deliveries a second.
"""

from dataclasses import dataclass, field

THROTTLED_SHARE = 0.01
LEAST, GROWTH, FREE_AGAIN = 1.0, 0.02, 4.0
LONGEST_HOLD = 120.0
BURST_SECONDS = 0.25


@dataclass
class Rate:
    """A token bucket that learns how fast it may run."""

    ticked_at: float
    limit: float | None = None
    base: float = 0.0
    tokens: float = 0.0
    filled_at: float = 0.0
    held_until: float = 0.0
    answered: int = 0
    throttled: int = 0
    is_hungry: bool = False
    waits: list[float] = field(default_factory=list)

    @property
    def is_limited(self) -> bool:
        return self.limit is not None

    def note(self, *, throttled: bool, wait: float) -> None:
        """``wait``: the seconds that the push service asked for."""
        self.answered += 1
        if throttled:
            self.throttled += 1
            self.waits.append(wait)

    def take(self, most: int, now: float) -> int:
        """How many of ``most`` may be sent now."""
        if self.limit is None:
            return most
        if now < self.held_until:
            return 0
        room = max(1.0, self.limit * BURST_SECONDS)
        self.tokens = min(room, self.tokens + (now - self.filled_at) * self.limit)
        self.filled_at = now
        taken = min(most, int(self.tokens))
        self.tokens -= taken
        self.is_hungry = True
        return taken

    def give_back(self, count: int) -> None:
        """So many of those taken were not there."""
        self.tokens += count
        self.is_hungry = count == 0

    def tick(self, now: float) -> bool:
        """After at least a second: adapts. True when a free lane becomes limited."""
        if now - self.ticked_at < 1.0:
            return False
        seconds, self.ticked_at = now - self.ticked_at, now
        was_free = self.limit is None
        if self.throttled and self.throttled >= THROTTLED_SHARE * self.answered:
            self._slow_down(now, seconds)
        elif self.limit is not None and now >= self.held_until:
            self.limit += max(0.1, self.limit * GROWTH) * seconds
            if self.limit > FREE_AGAIN * self.base:
                self.limit = None
        self.answered = self.throttled = 0
        self.waits.clear()
        return was_free and self.limit is not None

    def _slow_down(self, now: float, seconds: float) -> None:
        fast = self.answered / seconds
        self.base = min(self.limit or fast, max(fast, LEAST))
        self.limit = max(LEAST, self.base / 2)
        self.tokens, self.filled_at = 0.0, now
        self.held_until = now + min(sorted(self.waits)[len(self.waits) // 2], LONGEST_HOLD)
