"""How fast this installation sends, as far as it has shown."""

from django.db import connection

# A minute with fewer answers says how few there were to send, not how fast they went.
BUSY = 1_000
BEST = """
SELECT max(answers) FROM (
    SELECT sum(accepted + gone + throttled + refused + unanswered) AS answers FROM deliveries_tally
    WHERE minute > now() - interval '7 days' GROUP BY minute
) by_minute
"""


def per_minute() -> int | None:
    """Answers in the best minute of the last week; None if none was busy."""
    with connection.cursor() as cursor:
        cursor.execute(BEST)
        (best,) = cursor.fetchone()
    return int(best) if best and best >= BUSY else None
