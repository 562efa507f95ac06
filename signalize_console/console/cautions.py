"""What may go wrong with a message that is about to be sent. None of it stops anybody."""

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from signalize_console.console.reviewing import Reach, is_too_late
from signalize_console.console.troubles import troubles
from signalize_console.messaging import lint, wall_clock
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Recipient

NIGHT_BEGINS, NIGHT_ENDS = 22, 7
SMALL_TEST, SMALL_SPLIT = 20, 1_000


def warnings_of(user: Any, message: PushMessage, reach: Reach, readers: list[Recipient]) -> list[str]:
    """``readers``: some of those who would get it."""
    now = timezone.now()
    return [
        *_about_late(message),
        *_about_reach(message, reach),
        *_about_texts(message, readers),
        *_about_time(message, now),
        *(sentence for sentence, _link in troubles(user)),
    ]


def _about_late(message: PushMessage) -> list[str]:
    """The first of all: it changes what the button does."""
    if not is_too_late(message) or not message.is_draft:
        return []
    return [_("This time has passed: it goes out as soon as you send it.")]


def _about_reach(message: PushMessage, reach: Reach) -> list[str]:
    if not reach.count:
        in_segment = _("Nobody is in this segment now.")
        return [in_segment if message.segment else _("Nobody has opted in on this website yet.")]
    share, least = reach.count * message.website.canary_percent // 100, SMALL_TEST
    if message.has_variants:
        share, least = reach.count * message.split_percent // 100, SMALL_SPLIT
    if (message.canary or message.has_variants) and share < least:
        said = _("The test reaches only about %(count)d subscriptions: too few to learn much from.")
        return [said % {"count": share}]
    return []


def _about_texts(message: PushMessage, readers: list[Recipient]) -> list[str]:
    """What a colleague would remark; each with its language, where there are several."""
    texts = list(message.texts.all())
    return [in_one_line(one, texts) for one in lint.remarks(message, texts, message.website, readers)]


def in_one_line(remark: lint.Remark, texts: list[Any]) -> str:
    said = remark.sentence
    return f"{remark.text.label}: {said}" if remark.text and len(texts) > 1 else said


def _about_time(message: PushMessage, now: datetime.datetime) -> list[str]:
    first, last = message.span(now)
    found = []
    is_local = message.is_local and not message.repeat
    if is_local and wall_clock.around_the_world(message.wall_time)[0] + wall_clock.PATIENCE < now:
        found.append(_("For some recipients this time has passed: they get it the next day."))
    if message.valid_until and message.valid_until < last:
        found.append(_("“Valid until” comes before the last recipient's turn: who is later gets nothing."))
    wall = message.wall_time if message.in_local_time or message.repeat else first.astimezone(message.zone)
    if not NIGHT_ENDS <= wall.hour < NIGHT_BEGINS and not message.transactional:
        found.append(_("It arrives at night, at %(time)s. People sleep.") % {"time": f"{wall:%H:%M}"})
    return found
