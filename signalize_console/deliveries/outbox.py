"""The outbox: accepting a push message. When ``send`` returns and commits, nothing can lose it.

Message, idempotency key and deliveries of named recipients stand in one transaction; everyone else's
deliveries are made by the engine, chunk by chunk.
"""

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from signalize_console.audiences.compiler import freeze
from signalize_console.audiences.models import Segment
from signalize_console.audiences.tree import BadSegment
from signalize_console.deliveries import splitting, wake
from signalize_console.deliveries.idempotency import InFlight, KeyReused, NotAccepted, once
from signalize_console.messaging import rendering, storing, wall_clock
from signalize_console.messaging.content import are_varied, by_variant
from signalize_console.messaging.models import Audience, PushMessage, PushMessageText, Share
from signalize_console.messaging.placeholders import MissingValue, placeholders
from signalize_console.messaging.states import MessageState, states_before
from signalize_console.recipients.models import Recipient, Subscription, SubscriptionState

__all__ = ["Accepted", "InFlight", "KeyReused", "NobodyReachable", "NotAccepted", "ValuesMissing", "send"]

MAX_RECIPIENTS = 1_000
AT_ONCE = datetime.timedelta(0)

MAKE_DELIVERIES = """
WITH made AS (
    INSERT INTO deliveries_delivery
        (day, push_message_id, subscription_id, recipient_id, push_service, state, due_at, data, variant)
    SELECT %(day)s, %(message)s, subscription.id, recipient_id, push_service, 'pending', %(due)s,
        given.data::jsonb, {variant}
    FROM unnest(%(recipients)s::bigint[], %(data)s::text[]) AS given (recipient, data)
    JOIN recipients_subscription subscription ON subscription.recipient_id = given.recipient
    WHERE website_id = %(website)s AND state = %(active)s
      AND (%(only)s::bigint IS NULL OR subscription.id = %(only)s)
    RETURNING recipient_id
), counted AS (
    UPDATE messaging_pushmessage SET total = (SELECT count(*) FROM made) WHERE id = %(message)s
)
SELECT recipient_id FROM made
"""

# The values of each recipient's placeholders, by the recipient's id.
Data = Mapping[int, Mapping[str, Any]]
# A saved segment, or a tree of conditions.
Chosen = Segment | Mapping[str, Any] | None


class NobodyReachable(NotAccepted):
    """None of the named recipients has an active subscription."""


class ValuesMissing(NotAccepted):
    """Placeholders without a value and without a fallback: ``missing`` has (recipient id, name)."""

    def __init__(self, missing: list[tuple[int, str]]) -> None:
        names = ", ".join(dict.fromkeys(name for _recipient, name in missing))
        super().__init__(_("There is no value for: %s. Give one, or a fallback in the text.") % names)
        self.missing = missing


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
    data: Data | None = None,
    segment: Chosen = None,
    excluded: Sequence[Segment] = (),
    only: Subscription | None = None,
    idempotency_key: str = "",
    fingerprint: object = None,
    even_if_expired: bool = False,
    hold: datetime.timedelta = AT_ONCE,
) -> Accepted:
    """Accepts a new push message with its texts, or a saved draft, for these recipients or for everyone.

    ``segment``, a saved one or a tree of conditions, narrows everyone; without it the message's own does.
    Who is in one of ``excluded``, or got a message in the last ``message.rest_hours``, is left out.
    ``only`` this subscription of the named recipients gets it, and none of their others.
    ``unreachable`` lists the ids of the recipients without an active subscription. Where the texts have
    placeholders, the recipients' attributes fill them, ``message.data`` comes before these, and ``data``
    before both. ``idempotency_key`` and ``fingerprint``: see ``idempotency.once``. ``hold``: so long nothing
    goes out, and all can be undone.
    """

    def act() -> dict[str, Any]:
        earliest, audience = timezone.now() + hold, (segment, excluded)
        _fix_times(message, earliest, even_if_expired)
        return asdict(_accept(message, texts, recipients, data or {}, audience, only, earliest=earliest))

    if idempotency_key:
        done = once(message.website_id, idempotency_key, fingerprint, act)
        return Accepted(**{**done.answer, "replayed": done.replayed})
    with transaction.atomic(savepoint=False):
        return Accepted(**act())


def _accept(  # noqa: PLR0917 - what send has
    message: PushMessage,
    texts: Sequence[PushMessageText],
    recipients: Iterable[Recipient] | None,
    data: Data,
    audience: tuple[Chosen, Sequence[Segment]],
    only: Subscription | None,
    *,
    earliest: datetime.datetime,
) -> Accepted:
    named = None if recipients is None else {recipient.pk: recipient for recipient in recipients}
    if named is None:
        _freeze_audience(message, *audience)
    else:
        if message.is_local:
            raise NotAccepted(
                _("Named recipients get it at one time. Send to a segment for their local times.")
            )
        message.audience = Audience.RECIPIENTS
    starts_at_once = named is not None and message.due_at == earliest <= timezone.now()
    texts = _store(message, texts, MessageState.SENDING if starts_at_once else MessageState.SCHEDULED)
    if audience[1]:
        message.excluded_segments.set(audience[1])
    transaction.on_commit(lambda: wake.wake(transactional=message.transactional))
    if named is None:
        return Accepted(message.pk, None)
    if message.personal:
        _check_values(message, texts, named.values(), data)
    reached = _make_deliveries(message, list(named), data, only)
    if not reached:
        raise NobodyReachable(_("None of these recipients has an active subscription."))
    return Accepted(message.pk, len(reached), sorted(set(named) - set(reached)))


def _fix_times(message: PushMessage, earliest: datetime.datetime, even_if_expired: bool) -> None:
    """Once and for all: the day of the partition, when it is due, and until when it is valid."""
    message.day = timezone.now().astimezone(datetime.UTC).date()
    message.due_at, _last = message.span(earliest)
    if message.is_local and wall_clock.around_the_world(message.wall_time)[1] < earliest:
        raise NotAccepted(_("This time has passed everywhere on Earth. Give a later one."))
    latest = message.latest(earliest)
    message.valid_until = min(message.valid_until or latest, latest)
    if message.valid_until <= message.due_at and not even_if_expired:
        raise NotAccepted(_("“Valid until” (validUntil) lies before the time of sending. Give a later one."))


def _freeze_audience(message: PushMessage, segment: Chosen, excluded: Sequence[Segment]) -> None:
    """The message keeps its audience as it is now; "days ago" count from when it is to be sent."""
    if segment is not None:
        message.segment = segment if isinstance(segment, Segment) else None
    if message.pk and not excluded:
        excluded = list(message.excluded_segments.all())
    for one in [message.segment, *excluded]:
        if one and one.website_id != message.website_id:
            raise NotAccepted(_("The segment belongs to another website. Choose one of this website."))
    own = message.segment.definition if message.segment else segment
    message.audience = Audience.EVERYONE if own is None else Audience.SEGMENT
    if (tree := message.chosen(own, excluded)) is None:
        return
    try:
        message.frozen_segment = freeze(tree, message.due_at or timezone.now())
    except BadSegment as error:
        raise NotAccepted(" ".join([_("The segment can't be used."), str(error)])) from error


def _store(
    message: PushMessage, texts: Sequence[PushMessageText], state: MessageState
) -> Sequence[PushMessageText]:
    is_new = message.pk is None
    if not is_new:
        drafts = PushMessage.objects.filter(pk=message.pk, state__in=states_before(state))
        if not drafts.select_for_update().exists():
            raise NotAccepted(_("This push message was sent or withdrawn already."))
        texts = _texts_of(message)
    message.state = state
    message.varied = are_varied(texts)
    if message.varied and (message.canary or (message.is_local and message.split_percent < Share.ALL)):
        raise NotAccepted(
            _("Texts A or B can't be tried on a few beside another test or in local times. Choose one.")
        )
    message.personal = bool(placeholders(written for text in texts for written in text.written))
    if is_new:
        storing.insert(message, texts)
    else:
        message.save()
    try:
        rendering.check_size(message, texts)
    except rendering.TooLarge as error:
        raise NotAccepted(str(error)) from error
    return texts


def _texts_of(message: PushMessage) -> list[PushMessageText]:
    texts = list(message.texts.all())
    if not all(any(text.standard for text in its) for its in by_variant(texts).values()):
        raise NotAccepted(_("One text must be the standard one, for everybody whose language has none."))
    unfinished = [text.label for text in texts if not (text.title and text.link)]
    if unfinished:
        raise NotAccepted(_("The text in %s still needs a title and a link.") % ", ".join(unfinished))
    return texts


def _check_values(
    message: PushMessage, texts: Sequence[PushMessageText], recipients: Iterable[Recipient], data: Data
) -> None:
    """Renders each recipient's message: every placeholder has a value, and the whole is not too large."""
    missing, variants = [], [*by_variant(texts)]
    for recipient in recipients:
        values = {**recipient.attributes, **message.data, **data.get(recipient.pk, {})}
        try:
            said = [rendering.text_for(texts, recipient.language, variant) for variant in variants]
            rendering.check_size(message, said, values)
        except MissingValue as error:
            missing.append((recipient.pk, str(error.args[0])))
        except rendering.TooLarge as error:
            raise NotAccepted(str(error)) from error
    if missing:
        raise ValuesMissing(missing)


def _make_deliveries(
    message: PushMessage, recipient_ids: list[int], data: Data, only: Subscription | None
) -> list[int]:
    """One statement, whatever the number. Returns the recipient id of each delivery made."""
    given = [json.dumps(data[one]) if data.get(one) else None for one in recipient_ids]
    values = {
        "day": message.day,
        "message": message.pk,
        "due": message.due_at,
        "website": message.website_id,
        "recipients": recipient_ids,
        "data": given,
        "active": SubscriptionState.ACTIVE,
        "only": only.pk if only else None,
    }
    variant = splitting.CHOSEN if message.varied and not message.winner else "NULL"
    with connection.cursor() as cursor:
        cursor.execute(MAKE_DELIVERIES.format(variant=variant), values)
        return [recipient_id for (recipient_id,) in cursor.fetchall()]
