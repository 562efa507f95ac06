"""From an audience to deliveries, a part at a time, each in the transaction that moves the message's cursor.

With a speed limit a part is what may go out in a second or so, and ``expand_at`` says when the next one is
due: nobody has to be held back later, whatever pauses, dies or resumes. With a test (canary.py) or with
variants (splitting.py) a share of the audience comes first, and the cursor starts anew for the rest.
"""

import datetime
import json
import logging
from typing import Any, NamedTuple

from django.db import DataError, ProgrammingError, connection, transaction
from django.db.backends.utils import CursorWrapper

from signalize_console.audiences.compiler import compile_frozen
from signalize_console.audiences.counting import TooSlow, limited
from signalize_console.audiences.tree import BadSegment
from signalize_console.deliveries import canary, splitting
from signalize_console.messaging import wall_clock
from signalize_console.messaging.models import Canary, PushMessage
from signalize_console.messaging.states import MessageState

CHUNK = 5_000
# Of a segment each subscription is looked at, and the engine has others to serve.
SEGMENT_CHUNK, SEGMENT_SECONDS = 1_000, 5.0

log = logging.getLogger(__name__)

NEXT = """
SELECT message.id, day, website_id, expanded_to, expand_until, due_at, frozen_segment, total, per_minute,
    varied AND winner = '' AND canary_phase <> 'over' AS is_split, canary_phase,
    CASE WHEN varied THEN split_percent ELSE website.canary_percent END,
    CASE WHEN varied THEN split_minutes ELSE website.canary_minutes END, website.canary_limit,
    website.canary_closed_limit, website.canary_unsubscribed_limit,
    CASE WHEN in_local_time THEN scheduled_at END, time_zone, started_at
FROM messaging_pushmessage message JOIN websites_website website ON website.id = website_id
WHERE transactional = %s AND due_at <= now() AND valid_until > now()
  AND (state = 'expanding' OR (state = 'sending' AND expand_at <= now()))
ORDER BY due_at LIMIT 1 FOR UPDATE OF message SKIP LOCKED
"""

EXPAND = """
WITH chunk AS (
    SELECT id, recipient_id, push_service, platform, created_at FROM recipients_subscription
    WHERE website_id = %(website)s AND state = 'active' AND id > %(after)s AND id <= %(until)s{sample}
    ORDER BY id LIMIT %(limit)s
), chosen AS (
    SELECT subscription.id, recipient_id, push_service, {due} AS due_at FROM chunk subscription{chosen}
), made AS (
    INSERT INTO deliveries_delivery
        (day, push_message_id, subscription_id, recipient_id, push_service, state, due_at, variant)
    SELECT %(day)s, %(message)s, id, recipient_id, push_service, 'pending', due_at, {variant} FROM chosen
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT (SELECT max(id) FROM chunk), (SELECT count(*) FROM chunk), (SELECT max(id) FROM chosen),
    (SELECT count(*) FROM chosen), (SELECT count(*) FROM made)
"""
CHOSEN = " WHERE "
RECIPIENT = " JOIN recipients_recipient recipient ON recipient.id = recipient_id"
CLOCK = """
    LEFT JOIN unnest(%(zones)s::text[], %(instants)s::timestamptz[]) AS clock (zone, at)
      ON clock.zone = recipient.time_zone"""
# Others in each message, and as many old subscriptions as new ones.
SAMPLE = " AND mod(id + %(message)s, 100) < %(percent)s"
MOST = " ORDER BY subscription.id LIMIT %(most)s"

# Who was held up catches up with no more than two seconds of the speed limit.
MOVE_ON = """
UPDATE messaging_pushmessage
SET expanded_to = %(last)s, total = total + %(made)s, state = %(state)s, canary_phase = %(canary_phase)s,
    expand_at = GREATEST(coalesce(expand_at, now()), now() - interval '2 seconds')
        + make_interval(secs => %(wait)s)
WHERE id = %(message)s
"""


class Part(NamedTuple):
    """What is to be expanded now. ``local_at`` is set where each recipient's clock counts."""

    message: int
    day: datetime.date
    website: int
    after: int
    until: int
    due: datetime.datetime
    segment: str | None
    total: int
    per_minute: int | None
    is_split: bool
    canary_phase: str
    percent: int
    minutes: int
    most_lost: int
    most_closed: int
    most_unsubscribed: int
    local_at: datetime.datetime | None
    time_zone: str
    started_at: datetime.datetime

    @property
    def is_sample(self) -> bool:
        return self.canary_phase == Canary.SAMPLE

    @property
    def most(self) -> int | None:
        """How many deliveries may be made at once."""
        return max(1, self.per_minute // 60) if self.per_minute else None


class Made(NamedTuple):
    """``last`` is the last subscription that was looked at; ``done``: it was the very last."""

    last: int
    made: int
    done: bool


def expand_chunk(transactional: bool) -> bool:
    """Makes the next deliveries of one message, and moves its cursor in the same transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(NEXT, [transactional])
        if (row := cursor.fetchone()) is None:
            return False
        part = Part(*row)
        if part.canary_phase == Canary.WATCH:
            _judge(part)
            return True
        try:
            made = _make_chosen(part) if part.segment else _make_all(part)
        except (BadSegment, TooSlow, DataError, ProgrammingError) as error:
            if not part.segment:
                raise
            ids = {"push_message_id": part.message}
            log.warning(
                "The segment of push message %s can't be expanded: %s", part.message, error, extra=ids
            )
            _pause(part, "segment_too_slow" if isinstance(error, TooSlow) else "segment_broken")
            return True
        _move_on(cursor, part, made)
    return True


def _make_all(part: Part) -> Made:
    with connection.cursor() as cursor:
        joins, values = _clocks(part)
        return _make(cursor, part, f"{RECIPIENT}{joins}" if joins else "", values, CHUNK)


def _make_chosen(part: Part) -> Made:
    """As ``_make_all``, of those in the segment. A failure undoes only this."""
    condition = compile_frozen(json.loads(part.segment or ""))
    joins, values = _clocks(part)
    with limited(SEGMENT_SECONDS) as cursor:
        chosen = f"{RECIPIENT}{joins}{CHOSEN}{condition.sql}"
        return _make(cursor, part, chosen, {**values, **condition.values}, SEGMENT_CHUNK)


def _clocks(part: Part) -> tuple[str, dict[str, Any]]:
    """How recipients find the instant of their time zone, where each has its own."""
    if part.local_at is None:
        return "", {"due": part.due}
    zone = wall_clock.zone(part.time_zone)
    wall = part.local_at.astimezone(zone).replace(tzinfo=None, fold=0)
    instants = wall_clock.instants(wall, part.started_at)
    return CLOCK, {"zones": list(instants), "instants": list(instants.values()), "due": instants[zone.key]}


def _make(cursor: CursorWrapper, part: Part, chosen: str, values: dict[str, Any], limit: int) -> Made:
    sql = EXPAND.format(
        sample=SAMPLE if part.is_sample else "",
        due="coalesce(clock.at, %(due)s)" if part.local_at else "%(due)s::timestamptz",
        chosen=chosen + (MOST if part.most else ""),
        variant=splitting.CHOSEN if part.is_split else "NULL",
    )
    cursor.execute(sql, {**part._asdict(), **values, "limit": limit, "most": part.most})
    last, looked_at, last_chosen, count, made = cursor.fetchone()
    if count == part.most:
        return Made(last_chosen, made, done=False)
    done = looked_at < limit
    return Made(part.until if done else last, made, done)


def _move_on(cursor: CursorWrapper, part: Part, made: Made) -> None:
    """On to the next part: at once, when the speed limit allows it, or when the test is over."""
    last, state, phase = made.last, MessageState.EXPANDING, part.canary_phase
    wait: float | None = None
    if not made.done and part.per_minute:
        state, wait = MessageState.SENDING, made.made * 60 / part.per_minute
    elif made.done and part.is_sample and part.total + made.made:
        state, phase, wait = MessageState.SENDING, Canary.WATCH, part.minutes * 60.0
    elif made.done and part.is_sample:
        last, phase = 0, Canary.OVER
    elif made.done:
        state = MessageState.SENDING
    cursor.execute(
        MOVE_ON,
        {
            "last": last,
            "made": made.made,
            "state": state,
            "canary_phase": phase,
            "wait": wait,
            "message": part.message,
        },
    )


def _judge(part: Part) -> None:
    """The test is over: the rest follows, or a person decides."""
    winner = reason = ""
    if part.is_split:
        winner = splitting.better(splitting.count([part.message]))
        reason = "" if winner else "canary_unanswered"
    else:
        limits = part.most_lost, part.most_closed, part.most_unsubscribed
        reason = canary.judge(part.message, part.day, *limits)
    if reason:
        ids = {"push_message_id": part.message}
        log.warning("The test of push message %s went badly: %s", part.message, reason, extra=ids)
        _pause(part, reason, canary_phase=Canary.STOPPED, expand_at=None)
        return
    PushMessage(pk=part.message).move_to(
        MessageState.EXPANDING, expanded_to=0, expand_at=None, canary_phase=Canary.OVER, winner=winner
    )


def _pause(part: Part, reason: str, **fields: Any) -> None:
    PushMessage(pk=part.message).move_to(MessageState.PAUSED, paused_because=reason, **fields)
