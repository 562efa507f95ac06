"""What became of a delivery, or why there is none, as a person says it: in a line, and with what to do."""

from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from signalize_console.console.moments import moment
from signalize_console.console.outcome_words import NO_REPORT, SILENCES, WORDS
from signalize_console.console.reasons import in_words, service_name
from signalize_console.console.troubles import sentence
from signalize_console.deliveries.causes import Cause, Explanation
from signalize_console.messaging.states import MessageState


class Said(NamedTuple):
    """``line`` says it; ``more`` what it means, and what can be done."""

    tone: str
    line: str
    more: str


def said(explanation: Explanation) -> Said:
    tone, line, more = WORDS[explanation.cause]
    service = explanation.delivery.push_service if explanation.delivery else ""
    facts = {
        "service": service_name(service),
        "until": moment(explanation.until) if explanation.until else "",
    }
    return Said(tone, str(line) % facts, " ".join(part for part in (str(more), _more(explanation)) if part))


def _more(explanation: Explanation) -> str:
    cause, delivery, message = explanation.cause, explanation.delivery, explanation.message
    if cause == Cause.UNREPORTED and delivery:
        return f"{SILENCES.get(delivery.push_service, NO_REPORT)} {_kept(explanation)}".strip()
    if cause == Cause.STOPPED and explanation.alert:
        return sentence(explanation.alert)
    if cause == Cause.MISMATCHED:
        return in_words("vapid_key_mismatch")
    if cause == Cause.MESSAGE_PAUSED or (
        cause == Cause.STOPPED_BEFORE and message.state == MessageState.PAUSED
    ):
        return in_words(message.paused_because)
    return in_words(delivery.reason) if delivery else ""


def _kept(explanation: Explanation) -> str:
    """How long the push service keeps it for a browser that is away; or that it was taken back."""
    delivery, until = explanation.delivery, explanation.message.valid_until
    if delivery and delivery.recall:
        return _("The message was taken back: %s.") % delivery.get_recall_display()
    if until is None:
        return ""
    if until > timezone.now():
        return _("The push service keeps it until %s.") % moment(until)
    return _("It was kept until %s; a device that was off until then doesn't get it any more.") % moment(
        until
    )
