"""Two variants of a text against each other: who gets which, what they did, and whether that is chance."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from signalize_console.messaging.content import Variant

# By chance, but the same whoever asks: a recipient's browsers all show the same text.
CHOSEN = "CASE WHEN mod(hashint8extended(recipient_id, %(message)s), 2) = 0 THEN 'A' ELSE 'B' END"

# A report of a kind comes once from each delivery.
COUNT = """
SELECT variant, count(*) FILTER (WHERE delivery.state = 'accepted'),
    count(*) FILTER (WHERE delivery.state = 'pending' AND attempts = 0), count(event.delivery_id)
FROM messaging_pushmessage message
JOIN deliveries_delivery delivery ON delivery.push_message_id = message.id AND delivery.day = message.day
LEFT JOIN activity_event event ON event.push_message_id = message.id AND event.kind = 'clicked'
    AND event.delivery_id = delivery.id AND event.day = delivery.day
WHERE message.id = ANY(%s) AND variant IS NOT NULL GROUP BY variant
"""
# With fewer expected clicks, or as few that didn't click, the normal distribution says nothing.
FEWEST = 5
# So improbable, it is hardly chance. Who looks again and again must ask for more.
HARDLY, HARDLY_EVER = 0.05, 0.01


class Seen(NamedTuple):
    """What became of those who got one variant. ``untried`` were never posted."""

    accepted: int = 0
    untried: int = 0
    clicked: int = 0

    @property
    def rate(self) -> float:
        return self.clicked / self.accepted if self.accepted else 0.0


def count(message_ids: Sequence[int]) -> dict[str, Seen]:
    """Of each variant, over all of these push messages."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [list(message_ids)])
        found = {variant: Seen(*counts) for variant, *counts in cursor.fetchall()}
    return {variant.value: found.get(variant.value, Seen()) for variant in Variant}


def better(seen: dict[str, Seen]) -> str:
    """The variant that was clicked more often; the first, where both were. "": nobody got any."""
    if not any(one.accepted for one in seen.values()):
        return ""
    return max(seen, key=lambda variant: (seen[variant].rate, variant == Variant.A))


def surely_better(seen: dict[str, Seen]) -> str:
    """The variant that is better by more than chance, for one who looks often. "": neither, so far."""
    both = list(seen.values())
    found = chance([one.accepted for one in both], [one.clicked for one in both])
    return better(seen) if found is not None and found < HARDLY_EVER else ""


def chance(accepted: Sequence[int], clicked: Sequence[int]) -> float | None:
    """How probable it is, from 0 to 1, that two equally good texts differ so much or more in their clicks.

    The two-sided test of two proportions by the normal distribution. None: too few to say.
    """
    both, whole = sum(clicked), sum(accepted)
    if not all(accepted) or min(both, whole - both) * min(accepted) < FEWEST * whole:
        return None
    share = both / whole
    spread = math.sqrt(share * (1 - share) * sum(1 / one for one in accepted))
    first, second = (part / one for part, one in zip(clicked, accepted, strict=True))
    return math.erfc(abs(first - second) / spread / math.sqrt(2))
