"""The outbox: accepting a push message. When ``send`` returns and commits, nothing can lose it.

Message, idempotency key and deliveries of named recipients stand in one transaction; everyone else's
deliveries are made by the engine, chunk by chunk.
"""

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from signalize_console.audiences.compiler import freeze
from signalize_console.audiences.models import Segment
from signalize_console.audiences.tree import BadSegment
from signalize_console.deliveries import wake
from signalize_console.deliveries.models import IdempotencyKey
from signalize_console.messaging import rendering
from signalize_console.messaging.models import Audience, PushMessage, PushMessageText
from signalize_console.messaging.states import MessageState, states_before
from signalize_console.recipients.models import Recipient, SubscriptionState
from signalize_console.websites.models import Website

MAX_RECIPIENTS = 1_000

MAKE_DELIVERIES = """
WITH made AS (
    INSERT INTO deliveries_delivery
        (day, push_message_id, subscription_id, recipient_id, push_service, state, due_at)
    SELECT %(day)s, %(message)s, id, recipient_id, push_service, 'pending', %(due)s
    FROM recipients_subscription
    WHERE website_id = %(website)s AND recipient_id = ANY(%(recipients)s) AND state = %(active)s
    RETURNING recipient_id
), counted AS (
    UPDATE messaging_pushmessage SET total = (SELECT count(*) FROM made) WHERE id = %(message)s
)
SELECT recipient_id FROM made
"""


class NotAccepted(ValueError):
    """A push message that can't be sent as it is; nothing was stored. ``str()`` says why and what to do."""


class NobodyReachable(NotAccepted):
    """None of the named recipients has an active subscription."""


class KeyReused(NotAccepted):
    """The idempotency key was used before, for something else."""


@dataclass(frozen=True)
class Accepted:
    """``deliveries`` is None for an audience that the engine expands."""

    message_id: int
    deliveries: int | None
    unreachable: list[int] = field(default_factory=list)
    replayed: bool = False


def send(
    message: PushMessage,
    texts: Sequence[PushMessageText] = (),
    recipients: Iterable[Recipient] | None = None,
    *,
    segment: Segment | Mapping[str, Any] | None = None,
    idempotency_key: str = "",
    fingerprint: object = None,
) -> Accepted:
    """Accepts a new push message with its texts, or a saved draft, for these recipients or for everyone.

    ``segment``, a saved one or a tree of conditions, narrows everyone; without it the message's own does.
    ``unreachable`` lists the ids of the recipients without an active subscription. ``fingerprint`` is
    anything that JSON can say of the request: a repeat of the key with another one raises KeyReused.
    """
    fingerprint_hash = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).digest()
    with transaction.atomic():
        if idempotency_key and (earlier := _earlier(message.website, idempotency_key, fingerprint_hash)):
            return earlier
        accepted = _accept(message, texts, recipients, segment)
        if idempotency_key:
            _remember(message, idempotency_key, fingerprint_hash, accepted)
        transaction.on_commit(lambda: wake.wake(transactional=message.transactional))
    return accepted


def _earlier(website: Website, key: str, fingerprint: bytes) -> Accepted | None:
    """What this key was answered before. Twins in flight wait here for each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [website.pk % 2**31, key])
    known = IdempotencyKey.objects.filter(website=website, key=key).first()
    if known is None:
        return None
    if bytes(known.fingerprint) != fingerprint:
        raise KeyReused("This idempotency key was used before with another content. Use a new key.")
    return Accepted(**known.answer, replayed=True)


def _remember(message: PushMessage, key: str, fingerprint: bytes, accepted: Accepted) -> None:
    answer = {
        "message_id": accepted.message_id,
        "deliveries": accepted.deliveries,
        "unreachable": accepted.unreachable,
    }
    IdempotencyKey.objects.create(
        website=message.website, key=key, fingerprint=fingerprint, push_message=message, answer=answer
    )


def _accept(
    message: PushMessage,
    texts: Sequence[PushMessageText],
    recipients: Iterable[Recipient] | None,
    segment: Segment | Mapping[str, Any] | None,
) -> Accepted:
    now = timezone.now()
    _fix_times(message, now)
    named = None if recipients is None else [recipient.pk for recipient in recipients]
    if named is None:
        _freeze_segment(message, segment)
    else:
        message.audience = Audience.RECIPIENTS
    starts_at_once = named is not None and message.due_at == now
    state = MessageState.SENDING if starts_at_once else MessageState.SCHEDULED
    _store(message, texts, state)
    if named is None:
        return Accepted(message.pk, None)
    reached = _make_deliveries(message, named)
    if not reached:
        raise NobodyReachable("None of these recipients has an active subscription.")
    return Accepted(message.pk, len(reached), sorted(set(named) - set(reached)))


def _fix_times(message: PushMessage, now: datetime.datetime) -> None:
    """The clock is read once: the day of the partition, when it is due, and until when it is valid."""
    start = max(message.scheduled_at or now, now)
    message.day = now.astimezone(datetime.UTC).date()
    message.due_at = start
    latest = start + datetime.timedelta(seconds=message.ttl)
    message.valid_until = min(message.valid_until or latest, latest)
    if message.valid_until <= start:
        raise NotAccepted("validUntil lies before the time of sending. Give a later one.")


def _freeze_segment(message: PushMessage, segment: Segment | Mapping[str, Any] | None) -> None:
    """The message keeps the segment as it is now; "days ago" count from when it is to be sent."""
    if segment is not None:
        message.segment = segment if isinstance(segment, Segment) else None
    elif message.segment is None:
        message.audience = Audience.EVERYONE
        return
    if message.segment and message.segment.website_id != message.website_id:
        raise NotAccepted("The segment belongs to another website. Choose one of this website.")
    tree = message.segment.definition if message.segment else segment
    message.audience = Audience.SEGMENT
    try:
        message.frozen_segment = freeze(tree, message.due_at or timezone.now())
    except BadSegment as error:
        raise NotAccepted(f"The segment can't be used. {error}") from error


def _store(message: PushMessage, texts: Sequence[PushMessageText], state: MessageState) -> None:
    is_new = message.pk is None
    if (
        not is_new
        and not PushMessage.objects.filter(pk=message.pk, state__in=states_before(state))
        .select_for_update()
        .exists()
    ):
        raise NotAccepted("This push message was sent or withdrawn already.")
    message.state = state
    message.save()
    if is_new:
        for text in texts:
            text.push_message = message
        PushMessageText.objects.bulk_create(texts)
    try:
        rendering.check_size(message, texts or _texts_of(message))
    except rendering.TooLarge as error:
        raise NotAccepted(str(error)) from error


def _texts_of(message: PushMessage) -> list[PushMessageText]:
    texts = list(message.texts.all())
    if not any(text.standard for text in texts):
        raise NotAccepted("One text must be the standard one, for everybody whose language has none.")
    return texts


def _make_deliveries(message: PushMessage, recipient_ids: list[int]) -> list[int]:
    """One statement, whatever the number. Returns the recipient id of each delivery made."""
    values = {
        "day": message.day,
        "message": message.pk,
        "due": message.due_at,
        "website": message.website_id,
        "recipients": recipient_ids,
        "active": SubscriptionState.ACTIVE,
    }
    with connection.cursor() as cursor:
        cursor.execute(MAKE_DELIVERIES, values)
        return [recipient_id for (recipient_id,) in cursor.fetchall()]
