"""Claiming deliveries and recording their outcomes: every write is one statement, whatever the number.

A claim commits before the first POST. ``attempts`` is the fence: a worker that wakes after its lease was
given to another one records nothing.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

LEASE_SECONDS = 30

CLAIM = """
WITH due AS MATERIALIZED (
    SELECT waiting.* FROM (
        SELECT id, day FROM messaging_pushmessage
        WHERE transactional = %s AND due_at <= now() AND state = 'sending'
          AND valid_until > now()
        ORDER BY due_at OFFSET 0
    ) message CROSS JOIN LATERAL (
        SELECT id, day, subscription_id, recipient_id FROM deliveries_delivery
        WHERE push_message_id = message.id AND day = message.day AND state = 'pending' AND due_at <= now()
        ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
    ) waiting LIMIT %s
)
UPDATE deliveries_delivery delivery
SET state = 'sending', attempts = delivery.attempts + 1,
    lease_until = now() + make_interval(secs => %s)
FROM due
LEFT JOIN recipients_subscription subscription ON subscription.id = due.subscription_id
LEFT JOIN recipients_recipient recipient ON recipient.id = due.recipient_id
WHERE delivery.id = due.id AND delivery.day = due.day
RETURNING delivery.id, delivery.day, delivery.attempts, delivery.push_message_id,
    delivery.subscription_id, coalesce(subscription.state, 'erased'), subscription.endpoint,
    subscription.p256dh, subscription.auth, subscription.vapid_key_id, coalesce(recipient.language, '')
"""

RECORD = """
UPDATE deliveries_delivery delivery
SET state = result.state, reason = result.reason, status_code = nullif(result.status, 0),
    lease_until = NULL, answered_at = now(),
    due_at = CASE result.state WHEN 'pending' THEN now() + make_interval(secs => result.delay)
             ELSE delivery.due_at END
FROM unnest(%s::bigint[], %s::date[], %s::int[], %s::text[], %s::text[], %s::int[], %s::float[])
    AS result (id, day, attempts, state, reason, status, delay)
WHERE delivery.id = result.id AND delivery.day = result.day
  AND delivery.state = 'sending' AND delivery.attempts = result.attempts
"""

RECORD_ATTEMPTS = """
INSERT INTO deliveries_attempt
    (day, delivery_id, number, outcome, reason, status_code, answer, milliseconds)
SELECT day, id, number, outcome, reason, nullif(status, 0), answer, milliseconds
FROM unnest(%s::date[], %s::bigint[], %s::int[], %s::text[], %s::text[], %s::int[], %s::text[], %s::int[])
    AS made (day, id, number, outcome, reason, status, answer, milliseconds)
"""

END_SUBSCRIPTIONS = """
UPDATE recipients_subscription
SET state = 'expired', ended_at = now(), ended_reason = 'push service: gone'
WHERE id = ANY(%s) AND state = 'active'
"""

# The messages of deliveries that wait again get an appointment no later than theirs.
CALL_BACK = """
UPDATE messaging_pushmessage SET due_at = LEAST(due_at, now() + make_interval(secs => %s))
WHERE id IN (SELECT id FROM messaging_pushmessage WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
"""

RECLAIM = """
WITH lost AS (
    SELECT delivery.id, delivery.day, message.transactional, message.id AS message_id
    FROM messaging_pushmessage message
    JOIN deliveries_delivery delivery
      ON delivery.push_message_id = message.id AND delivery.day = message.day
    WHERE message.transactional = %s AND message.due_at <= now()
      AND delivery.state = 'sending' AND delivery.lease_until < now()
    LIMIT 1000 FOR UPDATE OF delivery SKIP LOCKED
)
UPDATE deliveries_delivery delivery
SET state = CASE WHEN lost.transactional THEN 'pending' ELSE 'unknown' END,
    reason = 'worker_lost', lease_until = NULL
FROM lost WHERE delivery.id = lost.id AND delivery.day = lost.day
RETURNING lost.message_id
"""


class Claimed(NamedTuple):
    """One delivery in our hands, with what sending it takes."""

    id: int
    day: datetime.date
    attempts: int
    push_message_id: int
    subscription_id: int
    subscription_state: str
    endpoint: str
    p256dh: str
    auth: str
    vapid_key_id: int
    language: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a claimed delivery. ``delay`` is seconds until the next try of a pending one."""

    delivery: Claimed
    state: str
    outcome: str
    reason: str = ""
    status: int = 0
    delay: float = 0.0
    answer: str = ""
    milliseconds: int = 0

    @property
    def is_worth_a_line(self) -> bool:
        return self.outcome != "accepted" or self.delivery.attempts > 1


def record_and_claim(transactional: bool, results: Sequence[Result], limit: int) -> list[Claimed]:
    """Records what became of these deliveries, and takes up to ``limit`` due ones: one transaction.

    They are ours, for LEASE_SECONDS, when this returns: it has committed. PostgreSQL runs several
    statements that are sent at once as one transaction, and one way to and fro is all it costs.
    """
    statements: list[tuple[str, list[Any]]] = [*_recording(results)] if results else []
    if limit:
        statements.append((CLAIM, [transactional, limit, limit, LEASE_SECONDS]))
    if not statements:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            ";".join(sql for sql, _values in statements),
            [one for _sql, values in statements for one in values],
        )
        while cursor.nextset():
            pass
        return [Claimed(*row) for row in cursor.fetchall()] if limit else []


def _recording(results: Sequence[Result]) -> Iterator[tuple[str, list[Any]]]:
    """The statements that write the outcomes, end subscriptions that are gone, and set new appointments."""
    yield (
        RECORD,
        _columns(
            (r.delivery.id, r.delivery.day, r.delivery.attempts, r.state, r.reason, r.status, r.delay)
            for r in results
        ),
    )
    if lines := [result for result in results if result.is_worth_a_line]:
        yield (
            RECORD_ATTEMPTS,
            _columns(
                (r.delivery.day, r.delivery.id, r.delivery.attempts, r.outcome, r.reason, r.status,
                 r.answer[:500].replace("\0", ""), r.milliseconds)
                for r in lines
            ),
        )  # fmt: skip
    if gone := [result.delivery.subscription_id for result in results if result.outcome == "gone"]:
        yield END_SUBSCRIPTIONS, [gone]
    if again := [result for result in results if result.state == "pending"]:
        messages = sorted({result.delivery.push_message_id for result in again})
        yield CALL_BACK, [min(result.delay for result in again), messages]


def reclaim(transactional: bool) -> list[int]:
    """Deliveries whose worker died: transactional ones go out again, marketing ones become ``unknown``.

    Returns the ids of their push messages.
    """
    with connection.cursor() as cursor:
        cursor.execute(RECLAIM, [transactional])
        return sorted({message_id for (message_id,) in cursor.fetchall()})


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
