"""How fast a message goes now: what this process saw of it in the last half minute."""

import time

from django.core.cache import cache

LOOK_BACK = 30.0
LEAST = 1.0


def per_minute(message_id: int, done: int) -> int | None:
    """Deliveries a minute, from this look and earlier ones; None at the first."""
    now, key = time.time(), f"pace-{message_id}"
    looks = [(at, count) for at, count in cache.get(key) or [] if at > now - LOOK_BACK]
    cache.set(key, [*looks, (now, done)][-int(LOOK_BACK) :], LOOK_BACK)
    if not looks or now - looks[0][0] < LEAST:
        return None
    at, count = looks[0]
    return round(60 * (done - count) / (now - at))
