"""Taking back what a cancelled push message has at the push services already.

Where a push service gave the message an address, it is deleted there (RFC 8030 §6.2). Elsewhere a short
notification with the same Topic takes its place (§5.4), and is over after a minute. Both may be done twice
without harm, so a worker that dies in between costs nothing: the row is asked again when its lease ends.
"""

import datetime
import time
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection, transaction

from signalize_console.deliveries.ledger import LEASE_SECONDS
from signalize_console.deliveries.models import Recall
from signalize_console.deliveries.sending import (
    HAND_OVER_SECONDS,
    MIN_TTL,
    prepared,
    push_services,
    signer,
)
from signalize_console.messaging import rendering
from signalize_console.webpush.encryption import BadSubscriptionKeys, PayloadTooLarge, encrypt
from signalize_console.webpush.outcomes import Outcome, outcome_of
from signalize_console.webpush.push_services import EndpointRefused
from signalize_console.webpush.transport import Answer, PushRequest, Transport

SLOTS = 16
CHUNK = 5_000
AGAIN_SECONDS = 60.0
NOT_ALLOWED = 405

NEXT_TO_ASK = """
SELECT id, day, recall_cursor, topic <> '' OR NOT transactional FROM messaging_pushmessage message
WHERE transactional = %s AND due_at <= now() AND state = 'cancelled' AND recall_cursor IS NOT NULL
  AND NOT EXISTS (SELECT FROM deliveries_delivery WHERE push_message_id = message.id AND day = message.day
                  AND state = 'pending')
  AND NOT EXISTS (SELECT FROM deliveries_delivery WHERE push_message_id = message.id AND day = message.day
                  AND state = 'sending')
ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""
# What a browser has reported is there; what has neither an address nor a topic can't be reached any more.
ASK = """
WITH chunk AS (
    SELECT id, day, subscription_id FROM deliveries_delivery
    WHERE push_message_id = %(message)s AND day = %(day)s AND subscription_id > %(after)s
    ORDER BY subscription_id LIMIT %(limit)s
), asked AS (
    UPDATE deliveries_delivery delivery
    SET recall = CASE WHEN (message_url = '' AND NOT %(has_topic)s) OR EXISTS (
                SELECT FROM activity_event event
                WHERE event.delivery_id = delivery.id AND event.day = delivery.day
                  AND event.kind IN ('shown', 'clicked', 'closed'))
            THEN 'too_late' ELSE 'asked' END,
        due_at = now()
    FROM chunk
    WHERE delivery.id = chunk.id AND delivery.day = chunk.day AND delivery.state IN ('accepted', 'unknown')
)
SELECT max(subscription_id), count(*) FROM chunk
"""
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT asked.*, extract(epoch FROM message.valid_until - now()) AS seconds_left
    FROM messaging_pushmessage message CROSS JOIN LATERAL (
        SELECT id, day, subscription_id, recipient_id FROM deliveries_delivery
        WHERE push_message_id = message.id AND day = message.day AND recall = 'asked' AND due_at <= now()
          AND push_service <> ALL(%s)
        ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    ) asked
    WHERE message.transactional = %s AND message.due_at <= now() AND message.state = 'cancelled'
    LIMIT %s
)
UPDATE deliveries_delivery delivery SET due_at = now() + make_interval(secs => %s)
FROM due
LEFT JOIN recipients_subscription subscription ON subscription.id = due.subscription_id
LEFT JOIN recipients_recipient recipient ON recipient.id = due.recipient_id
WHERE delivery.id = due.id AND delivery.day = due.day
RETURNING delivery.id, delivery.day, delivery.push_message_id, delivery.message_url, due.seconds_left::float,
    coalesce(subscription.state = 'active', false), subscription.endpoint, subscription.p256dh,
    subscription.auth, subscription.vapid_key_id, coalesce(recipient.language, '')
"""
RECORD = """
UPDATE deliveries_delivery delivery
SET recall = result.recall, due_at = now() + make_interval(secs => result.delay)
FROM unnest(%s::bigint[], %s::date[], %s::text[], %s::float[]) AS result (id, day, recall, delay)
WHERE delivery.id = result.id AND delivery.day = result.day AND delivery.recall = 'asked'
"""


class Recalled(NamedTuple):
    """One accepted delivery that is to be taken back, with what that takes."""

    id: int
    day: datetime.date
    push_message_id: int
    message_url: str
    seconds_left: float
    is_active: bool
    endpoint: str
    p256dh: str
    auth: str
    vapid_key_id: int
    language: str


class RecallResult(NamedTuple):
    """``delay``: seconds until the next try, where it is still asked for."""

    id: int
    day: datetime.date
    recall: Recall
    delay: float = 0.0


def ask(transactional: bool) -> bool:
    """Marks up to CHUNK deliveries of one cancelled message, once none of it is open. True: there was one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(NEXT_TO_ASK, [transactional])
        if (row := cursor.fetchone()) is None:
            return False
        message, day, after, has_topic = row
        values = {"message": message, "day": day, "after": after, "has_topic": has_topic, "limit": CHUNK}
        cursor.execute(ASK, values)
        last, count = cursor.fetchone()
        cursor.execute(
            "UPDATE messaging_pushmessage SET recall_cursor = %s WHERE id = %s",
            [last if count == CHUNK else None, message],
        )
    return True


class Recalls:
    """The recalls that one run of the engine has under way: at most SLOTS, beside its window.

    ``touched`` are the messages that have to be settled since.
    """

    def __init__(self, transactional: bool, wire: Transport) -> None:
        self.transactional, self.wire = transactional, wire
        self.open: dict[int, Recalled] = {}
        self.results: list[RecallResult] = []
        self.touched: set[int] = set()
        self.may_be_more = True

    def turn(self, claiming: bool, closed: Sequence[str]) -> None:
        """Records what is known and refills the slots. ``closed`` are the push services that are stopped."""
        if self.results:
            with connection.cursor() as cursor:
                columns = [list(column) for column in zip(*self.results, strict=True)]
                cursor.execute(RECORD, columns)
            self.touched |= {self.open.pop(result.id).push_message_id for result in self.results}
            self.results = []
        room = SLOTS - len(self.open)
        if claiming and self.may_be_more and room:
            self._claim(room, closed)

    def _claim(self, room: int, closed: Sequence[str]) -> None:
        now = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, [list(closed), room, self.transactional, room, LEASE_SECONDS])
            claimed = [Recalled(*row) for row in cursor.fetchall()]
        self.may_be_more = len(claimed) == room
        for one in claimed:
            self.open[one.id] = one
            request = _request_for(one, now)
            if request is None:
                self.results.append(RecallResult(one.id, one.day, Recall.TOO_LATE))
            else:
                self.wire.submit(request)

    def take(self, answer: Answer) -> None:
        """An answer to a recall of this run; one of an earlier run is simply asked for again."""
        one: Recalled = answer.request.id
        if one.id in self.open:
            self.results.append(RecallResult(one.id, one.day, *_sorted(answer)))


def _request_for(one: Recalled, claimed_at: float) -> PushRequest | None:
    """The DELETE, or the notification that replaces it; None where there is nothing to be done any more."""
    if not one.is_active or one.seconds_left <= 0:
        return None
    message = prepared(one.push_message_id)
    body, endpoint, method = b"", one.message_url, "DELETE"
    try:
        if not one.message_url:
            text = rendering.text_for(message.texts, one.language)
            plaintext = rendering.payload(
                rendering.withdrawal(message.message, text), "", time.time() + MIN_TTL
            )
            body, endpoint, method = encrypt(plaintext, one.p256dh, one.auth), one.endpoint, "POST"
        place = push_services().parse(endpoint)
    except (BadSubscriptionKeys, EndpointRefused, PayloadTooLarge):
        return None
    return PushRequest(
        id=one,
        endpoint=place,
        body=body,
        authorization=signer(one.vapid_key_id).authorization(place.origin),
        ttl=MIN_TTL,
        urgency=message.message.urgency,
        topic=message.topic,
        deadline=claimed_at + min(HAND_OVER_SECONDS, one.seconds_left),
        method=method,
    )


def _sorted(answer: Answer) -> tuple[Recall, float]:
    verdict = outcome_of(
        answer.request.endpoint.service, answer.status, text=answer.text, headers=answer.headers,
        sent=answer.sent, error=answer.error,
    )  # fmt: skip
    if verdict.reason == "stopped":
        return Recall.ASKED, 0.0
    if 200 <= answer.status < 300:
        return Recall.WITHDRAWN, 0.0
    if verdict.outcome in {Outcome.GONE, Outcome.MESSAGE_REJECTED} or answer.status == NOT_ALLOWED:
        return Recall.TOO_LATE, 0.0
    return Recall.ASKED, verdict.wait or AGAIN_SECONDS
