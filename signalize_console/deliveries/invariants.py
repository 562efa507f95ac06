"""What must hold in the database at every moment, whatever is running, dying or waiting.

Each check is one statement that finds what breaks it. All see the same snapshot, and none waits for the
engine or holds it up.
"""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection, transaction

from signalize_console.activity.horizons import DELIVERIES, Horizon
from signalize_console.deliveries.retention import REST_DAYS
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.webpush.push_services import SERVICES

# Of one check; more of the same teach nothing new, and memory stays bounded.
MOST_VIOLATIONS = 1_000
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Check(NamedTuple):
    """``says`` has a place for each column that ``sql`` finds."""

    name: str
    says: str
    sql: str


CHECKS = [
    Check(
        "total",
        "Push message {message} is to have {total} deliveries and has {found}.",
        """
        SELECT message.id AS message, message.total, coalesce(counted.found, 0) AS found
        FROM messaging_pushmessage message
        LEFT JOIN (
            SELECT push_message_id, day, count(*) AS found FROM deliveries_delivery
            WHERE day >= %(since)s GROUP BY push_message_id, day
        ) counted ON counted.push_message_id = message.id AND counted.day = message.day
        WHERE coalesce(message.day, 'infinity') >= GREATEST(%(since)s, %(horizon)s)
          AND message.total <> coalesce(counted.found, 0)
        """,
    ),
    Check(
        "no_message",
        "Delivery {delivery} belongs to push message {message} of {day}, which doesn't exist.",
        """
        SELECT delivery.id AS delivery, delivery.push_message_id AS message, delivery.day
        FROM deliveries_delivery delivery
        LEFT JOIN messaging_pushmessage message
          ON message.id = delivery.push_message_id AND message.day = delivery.day
        WHERE delivery.day >= %(since)s AND message.id IS NULL
        """,
    ),
    Check(
        "too_early",
        "Push message {message} is {state} and has deliveries already.",
        """
        SELECT message.id AS message, message.state FROM messaging_pushmessage message
        WHERE (message.state IN ('draft', 'awaiting_approval', 'repeating')
               OR (message.state IN ('scheduled', 'held') AND message.audience <> 'recipients'))
          AND message.day >= %(since)s AND EXISTS (
              SELECT FROM deliveries_delivery delivery
              WHERE delivery.push_message_id = message.id AND delivery.day = message.day)
        """,
    ),
    Check(
        "open_after_end",
        "Delivery {delivery} is {state}, but its push message {message} is finished.",
        """
        SELECT delivery.id AS delivery, delivery.state, message.id AS message
        FROM deliveries_delivery delivery
        JOIN messaging_pushmessage message
          ON message.id = delivery.push_message_id AND message.day = delivery.day
        WHERE delivery.day >= %(since)s AND delivery.state IN ('pending', 'sending')
          AND message.state = 'finished'
        """,
    ),
    Check(
        "badly_ended",
        "Push message {message} is finished, but it has an appointment or no time of its end.",
        """
        SELECT id AS message FROM messaging_pushmessage
        WHERE state = 'finished' AND day >= %(since)s AND (due_at IS NOT NULL OR finished_at IS NULL)
        """,
    ),
    Check(
        "left_out",
        "Push message {message} is finished, but a part of its audience got no deliveries.",
        """
        SELECT id AS message FROM messaging_pushmessage
        WHERE state = 'finished' AND day >= %(since)s AND finished_at < valid_until
          AND (expanded_to < expand_until OR canary_phase IN ('sample', 'watch', 'stopped'))
        """,
    ),
    Check(
        "no_appointment",
        "Push message {message} is {state} and has an open delivery or its end to come, but no appointment.",
        """
        SELECT message.id AS message, message.state FROM messaging_pushmessage message
        WHERE message.due_at IS NULL AND message.day >= %(since)s
          AND (message.state IN ('scheduled', 'expanding', 'sending')
               OR (message.state = 'cancelled' AND EXISTS (
                   SELECT FROM deliveries_delivery delivery
                   WHERE delivery.push_message_id = message.id AND delivery.day = message.day
                     AND delivery.state IN ('pending', 'sending'))))
        """,
    ),
    Check(
        "late_appointment",
        "Push message {message} is looked at only at {due_at:%Y-%m-%d %H:%M:%S}, but delivery {delivery} is "
        "due at {at:%Y-%m-%d %H:%M:%S}.",
        # While an alert stops a push service, what goes there may wait for the next try.
        """
        SELECT message.id AS message, message.due_at, first.id AS delivery, first.at
        FROM messaging_pushmessage message CROSS JOIN LATERAL (
            SELECT delivery.id, coalesce(delivery.lease_until, delivery.due_at) AS at
            FROM deliveries_delivery delivery
            WHERE delivery.push_message_id = message.id AND delivery.day = message.day
              AND delivery.state IN ('pending', 'sending') AND NOT EXISTS (
                SELECT FROM deliveries_alert alert
                WHERE alert.ended_at IS NULL AND alert.probe_at IS NOT NULL
                  AND alert.push_service = delivery.push_service
                  AND coalesce(alert.website_id, message.website_id) = message.website_id)
            ORDER BY at LIMIT 1
        ) first
        WHERE message.state IN ('expanding', 'sending', 'cancelled') AND message.day >= %(since)s
          AND message.due_at > GREATEST(first.at, now())
        """,
    ),
    Check(
        "recall",
        "Delivery {delivery} is to be taken back, but its push message {message} is {state} and has no "
        "appointment for it.",
        """
        SELECT delivery.id AS delivery, message.id AS message, message.state
        FROM deliveries_delivery delivery
        JOIN messaging_pushmessage message
          ON message.id = delivery.push_message_id AND message.day = delivery.day
        WHERE delivery.day >= %(since)s AND delivery.recall = 'asked'
          AND (message.state <> 'cancelled' OR message.due_at IS NULL)
        """,
    ),
    Check(
        "lease",
        "Delivery {delivery} is {state} after {attempts} attempts, its lease: {lease_until}.",
        """
        SELECT id AS delivery, state, attempts, lease_until FROM deliveries_delivery
        WHERE day >= %(since)s AND ((state = 'sending') <> (lease_until IS NOT NULL)
                                    OR (state = 'sending' AND attempts = 0))
        """,
    ),
    Check(
        "orphan",
        "Delivery {delivery} of push message {message} is held by nobody: its lease ended at "
        "{lease_until:%Y-%m-%d %H:%M:%S}.",
        """
        SELECT id AS delivery, push_message_id AS message, lease_until FROM deliveries_delivery
        WHERE day >= %(since)s AND state = 'sending' AND lease_until < now() - interval '5 minutes'
        """,
    ),
    Check(
        "unknown_transactional",
        "Delivery {delivery} of the transactional push message {message} was given up as unknown.",
        """
        SELECT delivery.id AS delivery, message.id AS message
        FROM deliveries_delivery delivery
        JOIN messaging_pushmessage message
          ON message.id = delivery.push_message_id AND message.day = delivery.day
        WHERE delivery.day >= %(since)s AND delivery.state = 'unknown' AND message.transactional
        """,
    ),
    Check(
        "accepted_untried",
        "Delivery {delivery} was accepted, but there was no attempt or no answer.",
        """
        SELECT id AS delivery FROM deliveries_delivery
        WHERE day >= %(since)s AND state = 'accepted' AND (attempts = 0 OR answered_at IS NULL)
        """,
    ),
    Check(
        "accepted_too_late",
        "Delivery {delivery} was accepted at {answered_at:%Y-%m-%d %H:%M:%S}, but push message {message} was "
        "valid until {valid_until:%Y-%m-%d %H:%M:%S}.",
        # A request that was begun in time may take 15 seconds.
        """
        SELECT delivery.id AS delivery, message.id AS message, delivery.answered_at, message.valid_until
        FROM deliveries_delivery delivery
        JOIN messaging_pushmessage message
          ON message.id = delivery.push_message_id AND message.day = delivery.day
        WHERE delivery.day >= %(since)s AND delivery.state = 'accepted'
          AND delivery.answered_at > message.valid_until + interval '20 seconds'
        """,
    ),
    Check(
        "gone_but_active",
        "Subscription {subscription} is active, but the push service said at delivery {delivery} that it is "
        "gone.",
        # Seen since: the browser has subscribed anew. A mass expiry may have been undone by a person.
        """
        SELECT subscription.id AS subscription, delivery.id AS delivery FROM deliveries_delivery delivery
        JOIN recipients_subscription subscription ON subscription.id = delivery.subscription_id
        WHERE delivery.day >= %(since)s AND delivery.state = 'gone' AND subscription.state = 'active'
          AND subscription.seen_at < delivery.answered_at AND NOT EXISTS (
              SELECT FROM deliveries_alert alert
              WHERE alert.kind = 'mass_expiry' AND alert.push_service = delivery.push_service
                AND alert.ended_at > delivery.answered_at)
        """,
    ),
    Check(
        "ended_for_nothing",
        "Subscription {subscription} was ended by the push service, but no delivery of it is gone.",
        """
        SELECT subscription.id AS subscription FROM recipients_subscription subscription
        WHERE subscription.state <> 'active' AND subscription.ended_reason LIKE 'push service:%%'
          AND subscription.ended_at >= GREATEST(%(since)s, %(explained)s) AND NOT EXISTS (
              SELECT FROM deliveries_delivery delivery
              WHERE delivery.recipient_id = subscription.recipient_id
                AND delivery.subscription_id = subscription.id AND delivery.state = 'gone')
        """,
    ),
    Check(
        "idempotency_key",
        "Idempotency key {key} made push message {message}, but it is answered with another one, or another "
        "key made it too.",
        """
        SELECT one.id AS key, one.push_message_id AS message FROM deliveries_idempotencykey one
        JOIN messaging_pushmessage message ON message.id = one.push_message_id
        WHERE one.answer ->> 'message_id' IS DISTINCT FROM one.push_message_id::text
           OR message.website_id <> one.website_id
           OR EXISTS (SELECT FROM deliveries_idempotencykey other
                      WHERE other.push_message_id = one.push_message_id AND other.id <> one.id)
        """,
    ),
    Check(
        "attempt",
        "Attempt {attempt} is number {number} of delivery {delivery}, which has made {attempts}.",
        """
        SELECT attempt.id AS attempt, attempt.number, attempt.delivery_id AS delivery, delivery.attempts
        FROM deliveries_attempt attempt LEFT JOIN deliveries_delivery delivery
          ON delivery.id = attempt.delivery_id AND delivery.day = attempt.day
        WHERE attempt.day >= %(since)s
          AND attempt.number NOT BETWEEN 1 AND coalesce(delivery.attempts, 0)
        """,
    ),
    Check(
        "message_state",
        "Push message {message} is in a state that nobody knows: {state}.",
        """
        SELECT id AS message, state FROM messaging_pushmessage
        WHERE coalesce(day, 'infinity') >= %(since)s AND NOT state = ANY(%(message_states)s)
        """,
    ),
    Check(
        "delivery_state",
        "Delivery {delivery} to {push_service} is {state} because of {reason!r}, which nobody knows.",
        # Whatever ended other than well says why, in one stable word.
        """
        SELECT id AS delivery, push_service, state, reason FROM deliveries_delivery
        WHERE day >= %(since)s AND (
            NOT state = ANY(%(delivery_states)s) OR NOT push_service = ANY(%(services)s)
            OR (reason = '' AND state NOT IN ('pending', 'sending', 'accepted'))
            OR reason !~ '^[A-Za-z0-9_]*$')
        """,
    ),
    Check(
        "partition",
        "The partition {partition} is missing: its rows go to the default one.",
        """
        SELECT partition FROM pg_partitioned_table
        JOIN pg_class ON pg_class.oid = partrelid AND relnamespace = current_schema()::regnamespace
        CROSS JOIN (VALUES (now()), (now() + interval '1 month')) AS needed (at)
        CROSS JOIN LATERAL to_char(at AT TIME ZONE 'UTC', '"' || relname || '_"YYYY_MM') AS partition
        WHERE to_regclass(partition) IS NULL
        """,
    ),
    Check(
        "report",
        "Delivery {delivery} was reported as {kind} {times} times.",
        """
        SELECT delivery_id AS delivery, kind, count(*) AS times FROM activity_event
        WHERE day >= %(since)s AND delivery_id IS NOT NULL AND kind IN ('shown', 'clicked', 'closed')
        GROUP BY delivery_id, kind HAVING count(*) > 1
        """,
    ),
]


@dataclass(frozen=True)
class Violation:
    """``facts`` are the ids and what is wrong with them; ``str()`` says it in words."""

    check: Check
    facts: dict[str, Any]

    def __str__(self) -> str:
        return self.check.says.format(**self.facts)


def violations(
    since: datetime.date = datetime.date.min, checks: Iterable[Check] = CHECKS
) -> Iterator[Violation]:
    """What breaks an invariant, of the push messages accepted since that day; at most 1,000 of each check.

    Opens a transaction of its own: raises RuntimeError inside another one.
    """
    values: dict[str, Any] = {
        "since": since,
        "most": MOST_VIOLATIONS,
        "services": list(SERVICES),
        "message_states": list(MessageState),
        "delivery_states": list(DeliveryState),
    }
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(SNAPSHOT)
        values |= _what_is_kept()
        for check in checks:
            cursor.execute(f"{check.sql} LIMIT %(most)s", values)
            names = [column.name for column in cursor.description]
            for row in cursor.fetchall():
                yield Violation(check, dict(zip(names, row, strict=True)))


def _what_is_kept() -> dict[str, Any]:
    """What was let go of had ended a month before: what ended since must be explained by what is there."""
    horizon = Horizon.objects.filter(name=DELIVERIES).first()
    if horizon is None:
        return {"horizon": datetime.date.min, "explained": datetime.date.min}
    rest = datetime.timedelta(days=REST_DAYS - 1)
    return {"horizon": horizon.day, "explained": horizon.moved_at - rest}
