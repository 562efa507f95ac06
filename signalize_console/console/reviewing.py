"""What a person should know before a message is sent: to how many, how it looks, what may go wrong."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _

from signalize_console.audiences import counting
from signalize_console.audiences.tree import BadSegment
from signalize_console.console.durations import about
from signalize_console.deliveries import speed
from signalize_console.messaging import rendering
from signalize_console.messaging.coverage import ASKED
from signalize_console.messaging.models import PushMessage, Share
from signalize_console.messaging.placeholders import MissingValue, placeholders
from signalize_console.messaging.revisions import revision
from signalize_console.recipients.models import Recipient, Subscription

EXAMPLES = 3
SALT, TOKEN_SECONDS = "console.review", 3_600
RATE_SECONDS = 300
# How much the audience may have grown between review and sending.
GROWTH = 1.1


@dataclass(frozen=True)
class Reach:
    """How many subscriptions get it now; at most so many, where it takes too long to find out."""

    count: int
    is_exact: bool


def reach_of(message: PushMessage) -> Reach:
    return reach_and_some(message)[0]


def reach_and_some(message: PushMessage) -> tuple[Reach, list[Recipient]]:
    """How many, and some of those who subscribed last; of these nobody, where counting takes too long."""
    everyone = Subscription.objects.active().filter(website=message.website)
    if (tree := message.audience_tree) is None:
        newest = [one.recipient for one in everyone.select_related("recipient").order_by("-pk")[:ASKED]]
        return Reach(everyone.count(), is_exact=True), list(dict.fromkeys(newest))
    try:
        at = message.scheduled_at or timezone.now()
        count, some = counting.count_and_sample(message.website, tree, at, size=ASKED)
        return Reach(count, is_exact=True), some
    except (BadSegment, counting.TooSlow):
        return Reach(everyone.count(), is_exact=False), []


@dataclass(frozen=True)
class Example:
    """The message as one real recipient sees it; ``missing`` names a placeholder that stays empty."""

    recipient: Recipient
    title: str
    message: str
    link: str
    buttons: list[tuple[str, str]]
    missing: str = ""


def examples_of(message: PushMessage, recipients: list[Recipient]) -> list[Example]:
    texts = list(message.texts.all())
    is_personal = bool(placeholders(written for text in texts for written in text.written))
    readers = recipients[:EXAMPLES] if texts else []
    return [_example(message, texts, recipient, is_personal) for recipient in readers]


def _example(message: PushMessage, texts: Any, recipient: Recipient, is_personal: bool) -> Example:
    text, missing = rendering.text_for(texts, recipient.language), ""
    values = {**recipient.attributes, **message.data} if is_personal else None
    try:
        shown = rendering.notification(message, text, values)
    except MissingValue as error:
        missing, shown = str(error.args[0]), rendering.notification(message, text)
    buttons = [(one["title"], one["navigate"]) for one in shown.get("actions", [])]
    return Example(
        recipient, shown.get("title", ""), shown.get("body", ""), shown["navigate"], buttons, missing
    )


def _rate() -> int:
    """What this installation has shown, 0 if nothing; it changes slowly."""
    return int(cache.get_or_set("sending-rate", lambda: speed.per_minute() or 0, RATE_SECONDS) or 0)


def duration_of(message: PushMessage, count: int) -> str:
    """How long it takes, in words; "" where nobody can know yet."""
    known = [rate for rate in (message.per_minute, _rate()) if rate]
    if not (known and count):
        return ""
    test = message.website.canary_minutes if message.canary else 0
    if message.has_variants and message.split_percent < Share.ALL:
        test = message.split_minutes
    return about(60 * (test + count / min(known)))


def make_token(message: PushMessage, count: int) -> str:
    """Says by whom nobody can change it what was reviewed, and names this review."""
    return signing.dumps([message.pk, count, seen(message), secrets.token_hex(8)], salt=SALT)


def seen(message: PushMessage) -> str:
    """A digest of what was looked at: the message, and what its segments say."""
    whole = json.dumps([revision(message), message.audience_tree], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Reviewed:
    """``count`` is None if nobody has seen a review of late; ``seen`` is what they saw."""

    name: str
    count: int | None
    seen: str = ""


def read_token(message: PushMessage, token: str) -> Reviewed:
    try:
        pk, count, looked_at, name = signing.loads(token, salt=SALT, max_age=TOKEN_SECONDS)
    except (signing.BadSignature, ValueError):
        return Reviewed(token[:32], None)
    return Reviewed(name, count, looked_at) if pk == message.pk else Reviewed(token[:32], None)


def objection(message: PushMessage, reach: Reach, reviewed: Reviewed, typed: str) -> str:
    """Why it isn't sent yet; "" if it may be."""
    is_many = reach.count > message.website.confirm_above
    if reviewed.count is None or (is_many and reach.count > reviewed.count * GROWTH):
        return _("It reaches %(count)d subscriptions now. Look at the review once more, and confirm it.") % {
            "count": reach.count
        }
    if reviewed.seen != seen(message):
        return _("This message or its segment was changed since you looked at it. This is how it is now.")
    if not is_many:
        return ""
    if "".join(char for char in typed if char.isdigit()) != str(reviewed.count):
        return _("Type the number %(count)d to confirm that so many get it.") % {"count": reviewed.count}
    return ""


def needs_approval(message: PushMessage, reach: Reach) -> bool:
    limit = message.website.approve_above
    return limit is not None and reach.count > limit


def is_too_late(message: PushMessage) -> bool:
    """Its one appointment has passed: to send it now would be at an hour that nobody chose."""
    if message.scheduled_at is None or message.in_local_time or message.repeat:
        return False
    return message.scheduled_at < timezone.now()
