"""Why a recipient got a message, or didn't: the explanations as their page shows them."""

import datetime
import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from signalize_console.activity.models import EventKind
from signalize_console.audiences.sentences import sentence
from signalize_console.console import devices
from signalize_console.console.outcomes import Said, said
from signalize_console.console.segment_builder import names_in
from signalize_console.deliveries.causes import Explanation
from signalize_console.deliveries.explaining import explain
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import MessageState
from signalize_console.recipients.models import Recipient

LATEST = 5
REPORTED = {
    EventKind.SHOWN: _("shown"),
    EventKind.CLICKED: _("clicked"),
    EventKind.CLOSED: _("closed"),
}


@dataclass(frozen=True)
class Answer:
    """For one browser; ``conditions`` are those that kept it out of the audience, and whether each is so."""

    said: Said
    device: str
    delivery: Delivery | None
    conditions: list[tuple[str, bool]]
    reports: list[tuple[Any, datetime.datetime]]


def answers(recipient: Recipient, wanted: str) -> list[tuple[PushMessage, list[Answer]]]:
    """For the message of this number, or without one for the website's latest."""
    messages = _messages(recipient, wanted)
    explanations = explain(recipient, messages)
    return [(message, [_answer(recipient, one) for one in explanations[message.pk]]) for message in messages]


def _messages(recipient: Recipient, wanted: str) -> list[PushMessage]:
    of_website = PushMessage.objects.filter(website=recipient.website_id)
    known = of_website.select_related("website").prefetch_related("texts")
    if wanted:
        number = int(wanted) if re.fullmatch(r"[0-9]{1,18}", wanted) else 0
        return list(known.filter(pk=number))
    return list(known.exclude(state=MessageState.DRAFT).order_by("-id")[:LATEST])


def _answer(recipient: Recipient, explanation: Explanation) -> Answer:
    subscription, verdict = explanation.subscription, explanation.verdict
    conditions = [] if verdict is None or verdict.is_in else verdict.decisive
    reports = sorted(explanation.reports.items(), key=lambda report: report[1])
    return Answer(
        said=said(explanation),
        device=devices.name(subscription) if subscription else "",
        delivery=explanation.delivery,
        conditions=[(sentence(one, names_in(recipient.website_id, one)), holds) for one, holds in conditions],
        reports=[(REPORTED[EventKind(kind)], at) for kind, at in reports],
    )
