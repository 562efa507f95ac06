"""Claiming webhook deliveries under a lease, and recording their answers: as in ``deliveries/ledger.py``.

A receiver may be told twice (``webhook-id`` says so), never not at all.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

LEASE_SECONDS = 60
# At once to one endpoint: some, and one while it fails.
EACH = 8
CHUNK = 10_000

# An event of a recipient waits until those before it are told, or given up: it must be the first open one.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT waiting.id FROM webhooks_webhookendpoint endpoint CROSS JOIN LATERAL (
        SELECT id FROM webhooks_webhookdelivery delivery
        WHERE endpoint_id = endpoint.id AND state = 'pending' AND due_at <= now()
          AND (recipient_id IS NULL OR id = (
            SELECT first.id FROM webhooks_webhookdelivery first
            WHERE first.endpoint_id = endpoint.id AND first.recipient_id = delivery.recipient_id
              AND first.state IN ('pending', 'sending')
            ORDER BY first.id LIMIT 1))
        ORDER BY due_at, id LIMIT CASE WHEN endpoint.failing_since IS NULL THEN %(each)s ELSE 1 END
        FOR UPDATE SKIP LOCKED
    ) waiting
    WHERE endpoint.active AND endpoint.rests_until <= now() AND endpoint.id <> ALL(%(busy)s)
    ORDER BY random() LIMIT %(most)s
)
UPDATE webhooks_webhookdelivery delivery
SET state = 'sending', attempts = delivery.attempts + 1,
    lease_until = now() + make_interval(secs => %(lease)s)
FROM due JOIN webhooks_webhookdelivery self ON self.id = due.id
LEFT JOIN recipients_recipient recipient ON recipient.id = self.recipient_id
WHERE delivery.id = due.id
RETURNING delivery.id, delivery.attempts, delivery.endpoint_id, delivery.webhook_id, delivery.kind,
    delivery.facts::text, delivery.occurred_at, delivery.push_message_id, delivery.delivery_id,
    recipient.client_id, recipient.customer_id
"""

SECONDS_DUE = """
SELECT coalesce(max(extract(epoch FROM now() - waiting.due_at)), 0)::float
FROM webhooks_webhookendpoint endpoint CROSS JOIN LATERAL (
    SELECT due_at FROM webhooks_webhookdelivery
    WHERE endpoint_id = endpoint.id AND state = 'pending' AND due_at <= now() ORDER BY due_at LIMIT 1
) waiting
WHERE endpoint.active AND endpoint.rests_until <= now()
"""
# Statistics know nothing of events that came a moment ago: the indexes have them in order.
BY_INDEX = "SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL jit = off"

RECORD = """
WITH result AS (
    SELECT * FROM unnest(%s::bigint[], %s::int[], %s::boolean[], %s::int[], %s::text[], %s::text[], %s::int[],
                         %s::float[])
    AS result (id, attempts, taken, status, reason, answer, milliseconds, delay)
)
UPDATE webhooks_webhookdelivery delivery
SET state = CASE WHEN taken THEN 'delivered'
                 WHEN now() + make_interval(secs => delay) > give_up_at THEN 'failed' ELSE 'pending' END,
    due_at = now() + make_interval(secs => delay), lease_until = NULL, answered_at = now(),
    status_code = nullif(result.status, 0), reason = result.reason, answer = result.answer,
    milliseconds = result.milliseconds
FROM result
WHERE delivery.id = result.id AND delivery.state = 'sending' AND delivery.attempts = result.attempts
"""

# One success says that the endpoint is well. Else it rests, doubled each time, or as long as it asked for.
JUDGE = """
WITH seen AS (
    SELECT endpoint_id, bool_or(taken) AS taken, bool_or(gone) AS gone, max(rest) AS rest
    FROM unnest(%s::bigint[], %s::boolean[], %s::boolean[], %s::float[])
         AS seen (endpoint_id, taken, gone, rest)
    GROUP BY endpoint_id
), judged AS (
    SELECT endpoint.id, seen.*, CASE WHEN seen.gone THEN 'gone'
        WHEN NOT seen.taken AND endpoint.failing_since < now() - interval '3 days' THEN 'failing'
        ELSE '' END AS because
    FROM seen JOIN webhooks_webhookendpoint endpoint ON endpoint.id = seen.endpoint_id
    ORDER BY endpoint.id FOR UPDATE OF endpoint
)
UPDATE webhooks_webhookendpoint endpoint
SET failing_since = CASE WHEN NOT taken THEN coalesce(failing_since, now()) END,
    failures = CASE WHEN taken THEN 0 ELSE LEAST(failures + 1, 30) END,
    rests_until = CASE WHEN taken OR rest = 0 THEN now() ELSE
        now() + make_interval(secs => GREATEST(rest, LEAST(2.0 ^ LEAST(failures, 20), 300))) END,
    active = endpoint.active AND because = '',
    disabled_because = CASE WHEN endpoint.active AND because <> '' THEN because ELSE disabled_because END
FROM judged WHERE endpoint.id = judged.id
"""

RECLAIM = """
UPDATE webhooks_webhookdelivery
SET state = 'pending', due_at = now(), lease_until = NULL, reason = 'worker_lost'
WHERE state = 'sending' AND lease_until < now()
"""
GIVE_UP = """
UPDATE webhooks_webhookdelivery SET state = 'failed', reason = 'given_up'
WHERE id IN (SELECT id FROM webhooks_webhookdelivery
             WHERE state = 'pending' AND give_up_at < now() LIMIT %s FOR UPDATE SKIP LOCKED)
"""
FORGET = """
DELETE FROM webhooks_webhookdelivery
WHERE id IN (SELECT id FROM webhooks_webhookdelivery
             WHERE created_at < now() - make_interval(days => %s) AND state IN ('delivered', 'failed')
             LIMIT %s)
"""


class Claimed(NamedTuple):
    """One event in our hands. The recipient's ids are None where there is none, or was erased."""

    id: int
    attempts: int
    endpoint_id: int
    webhook_id: str
    kind: str
    facts: str
    occurred_at: datetime.datetime
    push_message_id: int | None
    delivery_id: int | None
    client_id: str | None
    customer_id: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """``delay``: seconds until the next try of this one; ``rest``: how long the endpoint is left alone."""

    delivery: Claimed
    taken: bool
    status: int = 0
    reason: str = ""
    answer: str = ""
    milliseconds: int = 0
    delay: float = 0.0
    rest: float = 0.0
    gone: bool = False


def claim(most: int, busy: Sequence[int]) -> list[Claimed]:
    """Ours for LEASE_SECONDS. None of the ``busy`` endpoints."""
    values: dict[str, Any] = {"each": EACH, "most": most, "busy": list(busy), "lease": LEASE_SECONDS}
    with connection.cursor() as cursor:
        cursor.execute(f"{BY_INDEX};{CLAIM}", values)
        while cursor.nextset():
            pass
        return [Claimed(*row) for row in cursor.fetchall()]


def record(results: Sequence[Result]) -> None:
    """Writes what was answered, unless the lease was given to another worker, and judges the endpoints."""
    if not results:
        return
    rows = [
        (one.delivery.id, one.delivery.attempts, one.taken, one.status, one.reason, one.answer,
         one.milliseconds, one.delay)
        for one in results
    ]  # fmt: skip
    seen = [(one.delivery.endpoint_id, one.taken, one.gone, one.rest) for one in results]
    with connection.cursor() as cursor:
        cursor.execute(
            f"{RECORD};{JUDGE}",
            [*map(list, zip(*rows, strict=True)), *map(list, zip(*seen, strict=True))],
        )


def reclaim() -> int:
    """Puts back what a worker that died had in its hands, and gives up what was tried for 3 days."""
    with connection.cursor() as cursor:
        cursor.execute(GIVE_UP, [CHUNK])
        cursor.execute(RECLAIM)
        return cursor.rowcount


def seconds_due() -> float:
    """For how long the oldest that could be told now has been due; endpoints that rest don't count."""
    with connection.cursor() as cursor:
        cursor.execute(SECONDS_DUE)
        return float(cursor.fetchone()[0])


def forget_old() -> None:
    """What is older than it is to be kept, and no longer to be told."""
    days = settings.KEEP_WEBHOOKS_DAYS
    with connection.cursor() as cursor:
        while days:
            cursor.execute(FORGET, [days, CHUNK])
            if cursor.rowcount < CHUNK:
                return
