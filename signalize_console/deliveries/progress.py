"""What moves a push message on when its time has come: repeat, start, expand, expire, cancel, settle.

Each step is bounded, commits by itself and can be repeated. ``due_at`` is the message's next appointment:
settling sets it to the earliest of its deliveries or of what is to be expanded, or ends the message when
there is neither.
"""

from collections.abc import Iterable

from django.db import connection, transaction

from signalize_console.deliveries import expanding, repeating
from signalize_console.deliveries.ledger import BY_INDEX
from signalize_console.webpush.push_services import SERVICES

CHUNK = 5_000

# A marketing message that nobody could start in time waits for a person: its hour may have passed. So does
# one whose time came before this copy of the database was told to send: it may have gone out elsewhere.
START = """
UPDATE messaging_pushmessage
SET state = CASE WHEN late THEN 'held' WHEN audience <> 'recipients' THEN 'expanding' ELSE 'sending' END,
    due_at = CASE WHEN late THEN NULL ELSE due_at END,
    started_at = CASE WHEN NOT late THEN now() END,
    canary_phase = CASE WHEN audience <> 'recipients'
        AND (canary OR (varied AND winner = '' AND split_percent < 100)) THEN 'sample' ELSE '' END,
    expand_until = CASE WHEN audience <> 'recipients' AND NOT late THEN
        (SELECT coalesce(max(id), 0) FROM recipients_subscription) END
FROM (
    SELECT id AS due_id, NOT transactional AND coalesce(
            CASE WHEN in_local_time THEN due_at ELSE scheduled_at END < GREATEST(
                now() - interval '30 minutes', (SELECT confirmed_at FROM deliveries_installation)
            ), false
        ) AS late
    FROM messaging_pushmessage
    WHERE transactional = %s AND due_at <= now() AND state = 'scheduled'
    ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED
) due
WHERE id = due_id
"""

# Nothing of these goes out any more: what waits is closed, a chunk at a time.
OVER = """
SELECT id FROM messaging_pushmessage
WHERE transactional = %s AND due_at <= now()
  AND (state = 'cancelled' OR (state IN ('sending', 'expanding') AND valid_until <= now()))
ORDER BY due_at LIMIT 100
"""
CLOSE = """
WITH chunk AS (
    SELECT waiting.*, message.state AS message_state
    FROM messaging_pushmessage message CROSS JOIN LATERAL (
        SELECT id, day FROM deliveries_delivery
        WHERE push_message_id = message.id AND day = message.day AND state = 'pending'
        LIMIT %s FOR UPDATE SKIP LOCKED
    ) waiting
    WHERE message.id = ANY(%s) LIMIT %s
)
UPDATE deliveries_delivery delivery
SET state = CASE message_state WHEN 'cancelled' THEN 'cancelled' ELSE 'expired' END,
    reason = CASE message_state WHEN 'cancelled' THEN 'message_cancelled' ELSE 'valid_until' END,
    ended_in = pg_current_xact_id()::text::bigint
FROM chunk WHERE delivery.id = chunk.id AND delivery.day = chunk.day
"""

LOCK_DUE = """
SELECT id FROM messaging_pushmessage
WHERE id IN (
    SELECT id FROM messaging_pushmessage
    WHERE transactional = %s AND due_at <= now()
      AND (state IN ('sending', 'cancelled') OR (state = 'expanding' AND valid_until <= now()))
    ORDER BY due_at LIMIT 2000
) OR (id = ANY(%s) AND state IN ('sending', 'cancelled'))
ORDER BY id FOR UPDATE
"""

# Whoever ends one of these alerts calls back what waits for it: it must see what we let wait. Locked before
# the messages, as they do.
LOCK_STOPS = (
    "SELECT 1 FROM deliveries_alert WHERE ended_at IS NULL AND probe_at IS NOT NULL ORDER BY id FOR SHARE"
)

# An open alert with a time of its next try holds back the deliveries of its push service until then.
SETTLE = """
UPDATE messaging_pushmessage message
SET due_at = next.at,
    state = CASE WHEN next.at IS NULL AND message.state <> 'cancelled' THEN 'finished'
            ELSE message.state END,
    finished_at = CASE WHEN next.at IS NULL THEN coalesce(message.finished_at, now()) END,
    ended_in = CASE WHEN next.at IS NULL THEN pg_current_xact_id()::text::bigint END
FROM (
    SELECT locked.id, LEAST(
        (SELECT LEAST(min(GREATEST(first.due_at, (
             SELECT max(probe_at) FROM deliveries_alert alert
             WHERE alert.ended_at IS NULL AND alert.push_service = service.name
               AND (alert.website_id IS NULL OR alert.website_id = locked.website_id)
         ))), locked.valid_until)
         FROM unnest(%s::text[]) AS service (name)
         CROSS JOIN LATERAL (
             SELECT due_at FROM deliveries_delivery
             WHERE push_message_id = locked.id AND day = locked.day AND state = 'pending'
               AND push_service = service.name
             ORDER BY due_at LIMIT 1
         ) first
         HAVING count(*) > 0),
        (SELECT min(lease_until) FROM deliveries_delivery
         WHERE push_message_id = locked.id AND day = locked.day AND state = 'sending'),
        (SELECT min(due_at) FROM deliveries_delivery
         WHERE push_message_id = locked.id AND day = locked.day AND recall = 'asked'),
        CASE WHEN locked.state = 'cancelled' AND locked.recall_cursor IS NOT NULL THEN now() END,
        CASE WHEN locked.state = 'sending' AND locked.expand_at IS NOT NULL AND locked.valid_until > now()
             THEN LEAST(locked.expand_at, locked.valid_until) END
    ) AS at
    FROM messaging_pushmessage locked WHERE locked.id = ANY(%s)
) next
WHERE message.id = next.id
"""

# What was told to stop: its deliveries that are claimed but not yet on their way are put back.
STOPPED = "SELECT id FROM messaging_pushmessage WHERE id = ANY(%s) AND state <> 'sending'"

PAUSE = """
UPDATE messaging_pushmessage SET state = 'paused', paused_because = %s
WHERE id = %s AND state IN ('sending', 'expanding')
"""


def advance(transactional: bool, touched: Iterable[int] = ()) -> bool:
    """One round over the messages whose time has come and those ``touched`` since. True: there is more."""
    repeated = repeating.run_due(transactional)
    with connection.cursor() as cursor:
        cursor.execute(START, [transactional])
    expanded = expanding.expand_chunk(transactional)
    closed = _close(transactional)
    _settle(transactional, touched)
    return repeated or expanded or closed >= CHUNK


def _close(transactional: bool) -> int:
    """Ends up to CHUNK deliveries of messages that were cancelled or are not valid any more."""
    with connection.cursor() as cursor:
        cursor.execute(OVER, [transactional])
        if not (ids := [message_id for (message_id,) in cursor.fetchall()]):
            return 0
        cursor.execute(CLOSE, [CHUNK, ids, CHUNK])
        return cursor.rowcount


def stopped(message_ids: Iterable[int]) -> set[int]:
    """Those of these push messages that were paused or cancelled."""
    with connection.cursor() as cursor:
        cursor.execute(STOPPED, [list(message_ids)])
        return {message_id for (message_id,) in cursor.fetchall()}


def pause(message_id: int, reason: str) -> None:
    """The engine pauses a push message itself, where going on would only fail."""
    with connection.cursor() as cursor:
        cursor.execute(PAUSE, [reason, message_id])


def _settle(transactional: bool, touched: Iterable[int]) -> None:
    """The lock orders us after whoever puts a delivery back: both also write ``due_at``."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK_STOPS)
        cursor.execute(LOCK_DUE, [transactional, list(touched)])
        if ids := [message_id for (message_id,) in cursor.fetchall()]:
            cursor.execute(f"{BY_INDEX};{SETTLE}", [list(SERVICES), ids])
