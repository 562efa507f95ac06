"""What moves a push message on when its time has come: start, expand, expire, cancel, settle.

Each step is bounded, commits by itself and can be repeated. ``due_at`` is the message's next appointment:
settling sets it to the earliest of its deliveries, or ends the message when none is open.
"""

import json
import logging
from collections.abc import Iterable
from typing import Any

from django.db import DataError, ProgrammingError, connection, transaction
from django.db.backends.utils import CursorWrapper

from signalize_console.audiences.compiler import compile_frozen
from signalize_console.audiences.counting import TooSlow, limited
from signalize_console.audiences.tree import BadSegment
from signalize_console.deliveries.ledger import BY_INDEX
from signalize_console.webpush.push_services import SERVICES

CHUNK = 5_000
# Of a segment each subscription is looked at, and the engine has others to serve.
SEGMENT_CHUNK, SEGMENT_SECONDS = 1_000, 5.0

log = logging.getLogger(__name__)

# A marketing message that nobody could start in time waits for a person: its hour may have passed.
START = """
UPDATE messaging_pushmessage
SET state = CASE WHEN late THEN 'held' WHEN audience <> 'recipients' THEN 'expanding' ELSE 'sending' END,
    due_at = CASE WHEN late THEN NULL ELSE due_at END,
    expand_until = CASE WHEN audience <> 'recipients' AND NOT late THEN
        (SELECT coalesce(max(id), 0) FROM recipients_subscription) END
FROM (
    SELECT id AS due_id, NOT transactional AND coalesce(scheduled_at < now() - interval '30 minutes', false)
        AS late
    FROM messaging_pushmessage
    WHERE transactional = %s AND due_at <= now() AND state = 'scheduled'
    ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED
) due
WHERE id = due_id
"""

NEXT_TO_EXPAND = """
SELECT id, day, website_id, expanded_to, expand_until, due_at, frozen_segment FROM messaging_pushmessage
WHERE transactional = %s AND due_at <= now() AND state = 'expanding' AND valid_until > now()
ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""

EXPAND = """
WITH chunk AS (
    SELECT id, recipient_id, push_service, platform, created_at FROM recipients_subscription
    WHERE website_id = %(website)s AND state = 'active' AND id > %(after)s AND id <= %(until)s
    ORDER BY id LIMIT %(limit)s
), made AS (
    INSERT INTO deliveries_delivery
        (day, push_message_id, subscription_id, recipient_id, push_service, state, due_at)
    SELECT %(day)s, %(message)s, subscription.id, recipient_id, push_service, 'pending', %(due)s
    FROM chunk subscription{chosen}
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT max(id), count(*), (SELECT count(*) FROM made) FROM chunk
"""
CHOSEN = " JOIN recipients_recipient recipient ON recipient.id = recipient_id WHERE "

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
        CASE WHEN locked.state = 'cancelled' AND locked.recall_cursor IS NOT NULL THEN now() END
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
    with connection.cursor() as cursor:
        cursor.execute(START, [transactional])
    expanded = _expand_chunk(transactional)
    closed = _close(transactional)
    _settle(transactional, touched)
    return expanded or closed >= CHUNK


def _close(transactional: bool) -> int:
    """Ends up to CHUNK deliveries of messages that were cancelled or are not valid any more."""
    with connection.cursor() as cursor:
        cursor.execute(OVER, [transactional])
        if not (ids := [message_id for (message_id,) in cursor.fetchall()]):
            return 0
        cursor.execute(CLOSE, [CHUNK, ids, CHUNK])
        return cursor.rowcount


def _expand_chunk(transactional: bool) -> bool:
    """Makes up to CHUNK deliveries of one message, and moves its cursor in the same transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(NEXT_TO_EXPAND, [transactional])
        if (row := cursor.fetchone()) is None:
            return False
        names = ["message", "day", "website", "after", "until", "due"]
        values, segment = dict(zip(names, row, strict=False)), row[-1]
        try:
            last, made, done = _make_chosen(values, segment) if segment else _make_all(values)
        except (BadSegment, TooSlow, DataError, ProgrammingError) as error:
            if not segment:
                raise
            log.warning("The segment of push message %s can't be expanded: %s", values["message"], error)
            reason = "segment_too_slow" if isinstance(error, TooSlow) else "segment_broken"
            cursor.execute(PAUSE, [reason, values["message"]])
            return True
        cursor.execute(
            "UPDATE messaging_pushmessage SET expanded_to = %s, total = total + %s, state = %s WHERE id = %s",
            [values["until"] if done else last, made, "sending" if done else "expanding", values["message"]],
        )
    return True


def _make_all(values: dict[str, Any]) -> tuple[int, int, bool]:
    """The last subscription looked at, the number of deliveries made, and whether that was all."""
    with connection.cursor() as cursor:
        return _make(cursor, EXPAND.format(chosen=""), values, CHUNK)


def _make_chosen(values: dict[str, Any], segment: str) -> tuple[int, int, bool]:
    """As ``_make_all``, of those in the segment. A failure undoes only this."""
    condition = compile_frozen(json.loads(segment))
    with limited(SEGMENT_SECONDS) as cursor:
        expand = EXPAND.format(chosen=CHOSEN + condition.sql)
        return _make(cursor, expand, {**values, **condition.values}, SEGMENT_CHUNK)


def _make(cursor: CursorWrapper, sql: str, values: dict[str, Any], limit: int) -> tuple[int, int, bool]:
    cursor.execute(sql, {**values, "limit": limit})
    last, count, made = cursor.fetchone()
    return last, made, count < limit


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
        cursor.execute(LOCK_DUE, [transactional, list(touched)])
        if ids := [message_id for (message_id,) in cursor.fetchall()]:
            cursor.execute(f"{BY_INDEX};{SETTLE}", [list(SERVICES), ids])
