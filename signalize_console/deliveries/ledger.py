"""Claiming deliveries and recording their outcomes: every write is one statement, whatever the number.

A claim commits before the first POST. ``attempts`` is the fence: a worker that wakes after its lease was
given to another one records nothing.
"""

import datetime
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from signalize_console.webpush.push_services import SERVICES

LEASE_SECONDS = 30
# A delivery that was lost with two workers is sent alone from then on, and given up after this many.
MOST_LOSSES = 5

# Marketing messages take turns by chance; transactional ones come in the order of their time.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT waiting.*, message.website_id, message.transactional, message.seconds_left, message.data,
        message.winner
    FROM (
        SELECT id, day, website_id, transactional, winner, CASE WHEN personal THEN data END AS data,
            extract(epoch FROM valid_until - now()) AS seconds_left
        FROM messaging_pushmessage
        WHERE transactional = %s AND due_at <= now() AND state = 'sending'
          AND valid_until > now(){only}
        ORDER BY {order} OFFSET 0
    ) message CROSS JOIN LATERAL {services} CROSS JOIN LATERAL (
        SELECT id, day, subscription_id, recipient_id FROM deliveries_delivery
        WHERE push_message_id = message.id AND day = message.day AND day BETWEEN %s AND %s
          AND state = 'pending' AND due_at <= now() AND push_service = service.name AND {losses}
        ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
    ) waiting LIMIT %s
)
UPDATE deliveries_delivery delivery
SET state = 'sending', attempts = delivery.attempts + 1,
    lease_until = now() + make_interval(secs => %s)
FROM due
LEFT JOIN recipients_subscription subscription ON subscription.id = due.subscription_id
LEFT JOIN recipients_recipient recipient ON recipient.id = due.recipient_id
WHERE delivery.id = due.id AND delivery.day = due.day AND delivery.day BETWEEN %s AND %s
RETURNING delivery.id, delivery.day, delivery.attempts, delivery.push_message_id, due.website_id,
    delivery.push_service, due.seconds_left::float,
    delivery.subscription_id, delivery.recipient_id, coalesce(subscription.state, 'erased'),
    subscription.endpoint, subscription.p256dh, subscription.auth, subscription.vapid_key_id,
    subscription.created_at > now() - interval '10 minutes', subscription.key_mismatch_at IS NOT NULL,
    coalesce(recipient.language, ''), coalesce(recipient.customer_id, ''),
    coalesce(recipient.customer_verified, false),
    coalesce(NOT due.transactional AND recipient.paused_until > now(), false),
    coalesce(recipient.attributes, '{{}}') || due.data || coalesce(delivery.data, '{{}}'),
    due.transactional, delivery.reason, coalesce(delivery.variant, due.winner)
"""
TRUSTED, SUSPECT = "losses < 2", "losses >= 2"
SUSPECTS = """ AND id IN (
    SELECT push_message_id FROM deliveries_delivery WHERE state = 'pending' AND losses >= 2
)"""
# Statistics know nothing of a message that was expanded a moment ago, and a table that lives for hours has no
# right ones: the planner would read or sort all of it. Each of these rows is found by an index, in order.
# Before PostgreSQL 18 what can't be avoided then counts as so dear that it is compiled first, for a second.
BY_INDEX = ";".join(
    f"SET LOCAL {name} = off"
    for name in (
        *("enable_sort", "enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"),
        "jit",
    )
)
ALL = "unnest(%s::text[]) AS service (name)"
# The push services that are open to this message's website.
OPEN = """(
    SELECT name FROM unnest(%s::text[]) AS every (name)
    WHERE (message.website_id, name) NOT IN (SELECT * FROM unnest(%s::bigint[], %s::text[]))
) service"""

OPEN_DAYS = """
SELECT least(min(day), current_date), current_date + 1 FROM messaging_pushmessage
WHERE transactional = %s AND due_at <= now() AND state = 'sending'
"""
Days = tuple[datetime.date, datetime.date]
ALL_DAYS: Days = datetime.date.min, datetime.date.max

# An attempt is written by whoever still holds the delivery, and where it did not simply succeed. The state is
# asked for in a form that no index knows: the one of what is being sent is full of what was.
RECORD = """
WITH result AS (
    SELECT * FROM json_to_recordset(%s) AS result (
        id bigint, day date, attempts int, state text, reason text, status int, delay float,
        message_url text, outcome text, answer text, milliseconds int
    )
), recorded AS (
    UPDATE deliveries_delivery delivery
    SET state = result.state, reason = result.reason, status_code = nullif(result.status, 0),
        lease_until = NULL, answered_at = now(), message_url = result.message_url,
        due_at = CASE result.state WHEN 'pending' THEN now() + make_interval(secs => result.delay)
                 ELSE delivery.due_at END,
        ended_in = CASE result.state WHEN 'pending' THEN NULL ELSE pg_current_xact_id()::text::bigint END
    FROM result
    WHERE delivery.id = result.id AND delivery.day = result.day AND delivery.day BETWEEN %s AND %s
      AND delivery.state || '' = 'sending' AND delivery.attempts = result.attempts
    RETURNING result.*
)
INSERT INTO deliveries_attempt
    (day, delivery_id, number, outcome, reason, status_code, answer, milliseconds)
SELECT day, id, attempts, outcome, reason, nullif(status, 0), answer, milliseconds
FROM recorded WHERE outcome <> 'accepted' OR attempts > 1
"""

END_SUBSCRIPTIONS = """
UPDATE recipients_subscription
SET state = 'quarantined', ended_at = now(), ended_reason = 'push service: ' || ended.reason
FROM unnest(%s::bigint[], %s::text[]) AS ended (id, reason)
WHERE recipients_subscription.id = ended.id AND state = 'active'
"""

MARK_MISMATCHED = "UPDATE recipients_subscription SET key_mismatch_at = now() WHERE id = ANY(%s)"

# The messages of deliveries that wait again get an appointment no later than theirs. One that has finished
# needs none: then a worker woke too late, and nothing of it waits.
CALL_BACK = """
UPDATE messaging_pushmessage SET due_at = LEAST(due_at, now() + make_interval(secs => %s))
WHERE id IN (
    SELECT id FROM messaging_pushmessage WHERE id = ANY(%s) AND state <> 'finished' ORDER BY id FOR UPDATE
)
"""

RECLAIM = """
WITH lost AS (
    SELECT leased.*, message.transactional, message.id AS message_id
    FROM messaging_pushmessage message CROSS JOIN LATERAL (
        SELECT id, day FROM deliveries_delivery
        WHERE push_message_id = message.id AND day = message.day
          AND state = 'sending' AND lease_until < now()
        ORDER BY lease_until LIMIT 1000 FOR UPDATE SKIP LOCKED
    ) leased
    WHERE message.transactional = %s AND message.due_at <= now()
    LIMIT 1000
)
UPDATE deliveries_delivery delivery
SET state = CASE WHEN NOT lost.transactional THEN 'unknown'
                 WHEN delivery.losses + 1 >= %s THEN 'failed' ELSE 'pending' END,
    reason = CASE WHEN lost.transactional AND delivery.losses + 1 >= %s THEN 'poison' ELSE 'worker_lost' END,
    losses = delivery.losses + 1, lease_until = NULL,
    ended_in = CASE WHEN lost.transactional AND delivery.losses + 1 < %s THEN NULL
               ELSE pg_current_xact_id()::text::bigint END
FROM lost WHERE delivery.id = lost.id AND delivery.day = lost.day
RETURNING lost.message_id
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """How many to claim: of these ``services``, or of all ``but`` those; ``without`` these lanes.

    ``suspect`` claims those that were lost with a worker before, and are to be sent alone.
    """

    limit: int
    services: tuple[str, ...] = ()
    website_id: int | None = None
    but: tuple[str, ...] = ()
    without: tuple[tuple[int, str], ...] = ()
    suspect: bool = False

    def statement(self, transactional: bool, days: Days) -> tuple[str, list[Any]]:
        names = [name for name in self.services or SERVICES if name not in self.but]
        services: list[Any] = [names]
        if self.without:
            services += [list(column) for column in zip(*self.without, strict=True)]
        sql = CLAIM.format(
            only=SUSPECTS if self.suspect else "" if self.website_id is None else " AND website_id = %s",
            order="due_at" if transactional else "random()",
            services=OPEN if self.without else ALL,
            losses=SUSPECT if self.suspect else TRUSTED,
        )
        website = [] if self.website_id is None else [self.website_id]
        return sql, [
            *(transactional, *website, *services, *days, self.limit, self.limit, LEASE_SECONDS, *days)
        ]


class Claimed(NamedTuple):
    """One delivery in our hands, with what sending it takes. ``seconds_left``: how long it is still valid.

    ``is_paused``: it is marketing, and the visitor wants none for the time being.
    """

    id: int
    day: datetime.date
    attempts: int
    push_message_id: int
    website_id: int
    push_service: str
    seconds_left: float
    subscription_id: int
    recipient_id: int
    subscription_state: str
    endpoint: str
    p256dh: str
    auth: str
    vapid_key_id: int
    is_young: bool
    is_mismatched: bool
    language: str
    customer_id: str
    customer_verified: bool
    is_paused: bool = False
    # JSON, where the message has placeholders.
    values: str | None = None
    transactional: bool = False
    # Why it is claimed once more, if it is.
    reason: str = ""
    # Of the texts, where they have variants.
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a claimed delivery. ``delay`` is seconds until the next try of a pending one.

    ``asked_wait`` is the part of it that the push service asked for; ``is_outage``: it seems to be down.
    """

    delivery: Claimed
    state: str
    outcome: str
    reason: str = ""
    status: int = 0
    delay: float = 0.0
    answer: str = ""
    milliseconds: int = 0
    message_url: str = ""
    asked_wait: float = 0.0
    is_outage: bool = False


def record_and_claim(
    transactional: bool, results: Sequence[Result], claims: Sequence[Claim], days: Days = ALL_DAYS
) -> list[list[Claimed]]:
    """Records what became of these deliveries, and claims due ones, a list for each claim: one transaction.

    ``days``, from ``open_days``, spares the planner all other parts of the table.

    They are ours, for LEASE_SECONDS, when this returns: it has committed. PostgreSQL runs several
    statements that are sent at once as one transaction, and one way to and fro is all it costs.
    """
    if not results and not claims:
        return []
    statements: list[tuple[str, list[Any]]] = [(BY_INDEX, [])]
    statements += _recording(results) if results else []
    statements += [claim.statement(transactional, days) for claim in claims]
    with connection.cursor() as cursor:
        cursor.execute(
            ";".join(sql for sql, _values in statements),
            [one for _sql, values in statements for one in values],
        )
        claimed = []
        while True:
            if cursor.description:
                claimed.append([Claimed(*row) for row in cursor.fetchall()])
            if not cursor.nextset():
                return claimed


def open_days(transactional: bool) -> Days:
    """The first and the last day of what may be due now; what is accepted from now on is among them."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN_DAYS, [transactional])
        first, last = cursor.fetchone()
        return first, last


def _recording(results: Sequence[Result]) -> Iterator[tuple[str, list[Any]]]:
    """The statements that write the outcomes, end subscriptions that are gone, and set new appointments."""
    days = {result.delivery.day for result in results}
    yield RECORD, [json.dumps([_row(result) for result in results]), min(days), max(days)]
    if gone := [result for result in results if result.state == "gone"]:
        yield (
            END_SUBSCRIPTIONS,
            [[one.delivery.subscription_id for one in gone], [one.reason for one in gone]],
        )
    mismatched = [one.delivery.subscription_id for one in results if one.outcome == "key_mismatch"]
    if mismatched:
        yield MARK_MISMATCHED, [mismatched]
    if again := [result for result in results if result.state == "pending"]:
        messages = sorted({result.delivery.push_message_id for result in again})
        yield CALL_BACK, [min(result.delay for result in again), messages]


def _row(result: Result) -> dict[str, Any]:
    delivery = result.delivery
    return {
        "id": delivery.id,
        "day": delivery.day.isoformat(),
        "attempts": delivery.attempts,
        "state": result.state,
        "reason": result.reason,
        "status": result.status,
        "delay": result.delay,
        "message_url": result.message_url,
        "outcome": result.outcome,
        "answer": result.answer[:500].replace("\0", ""),
        "milliseconds": result.milliseconds,
    }


def reclaim(transactional: bool) -> list[int]:
    """Deliveries whose worker died: transactional ones go out again, marketing ones become ``unknown``.

    Returns the ids of their push messages.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"{BY_INDEX};{RECLAIM}", [transactional, MOST_LOSSES, MOST_LOSSES, MOST_LOSSES])
        while cursor.nextset():
            pass
        return sorted({message_id for (message_id,) in cursor.fetchall()})
