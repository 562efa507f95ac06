"""A recipient's runs of automations, in words: where each waits, or why it ended, and what it sent."""

from collections import defaultdict
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from signalize_console.automations import describing
from signalize_console.automations.conditions import definition_of
from signalize_console.automations.definition import BadRule, Definition
from signalize_console.automations.models import Run, RunState
from signalize_console.console.moments import moment
from signalize_console.console.outcomes import Said, said
from signalize_console.console.reasons import in_words
from signalize_console.deliveries.causes import what_became
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.rendering import text_read
from signalize_console.recipients.models import Recipient

LATEST = 20
# Of these, the time says it all.
PLAIN = {"", "wait"}


class Sent(NamedTuple):
    """What the run has sent to one of the recipient's browsers, and what became of it."""

    title: str
    said: Said
    delivery: Delivery


class Shown(NamedTuple):
    """``began`` says what began it, ``lines`` where it waits or why it ended."""

    run: Run
    began: str
    lines: list[str]
    sent: list[Sent]


def of(recipient: Recipient) -> list[Shown]:
    """The newest ones first: a few queries, whatever their number."""
    runs = list(
        Run.objects.filter(recipient=recipient).select_related("rule", "version").order_by("-id")[:LATEST]
    )
    definitions = {run.version_id: found for run in runs if (found := _definition(run))}
    names = describing.names_in(definitions.values())
    sent = _sent(recipient, runs)
    return [
        Shown(
            run,
            describing.happening(definition.when) if definition else "",
            _lines(run, definition, names),
            [one for message in run.messages for one in sent[message]],
        )
        for run in runs
        for definition in [definitions.get(run.version_id)]
    ]


def _definition(run: Run) -> Definition | None:
    try:
        return definition_of(run.version)
    except BadRule:
        return None


def _lines(run: Run, definition: Definition | None, names: describing.Names) -> list[str]:
    if run.state != RunState.WAITING or run.due_at is None:
        return [in_words(run.why)] if run.why else []
    is_due = run.due_at <= timezone.now()
    until = _("It is next to be moved on.") if is_due else _("It waits until %s.") % moment(run.due_at)
    lines = [until] if run.why in PLAIN else [until, in_words(run.why)]
    if definition and run.step < len(definition.steps):
        lines.append(_("Next: %s") % describing.step_box(definition.steps[run.step], run.step, names).text)
    return lines


def _sent(recipient: Recipient, runs: list[Run]) -> defaultdict[int, list[Sent]]:
    """By the number of the push message."""
    messages = {message for run in runs for message in run.messages}
    deliveries = Delivery.objects.filter(recipient=recipient, push_message_id__in=messages)
    found: defaultdict[int, list[Sent]] = defaultdict(list)
    by_id = {one.pk: one for one in deliveries} if messages else {}
    for number, explanation in what_became(list(by_id.values())).items():
        text = text_read(explanation.message, recipient.language, by_id[number].variant)
        one = Sent(text.title if text else "–", said(explanation), by_id[number])
        found[one.delivery.push_message_id].append(one)
    return found
