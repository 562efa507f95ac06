"""A step that sends: one push message for all whose time came together, each with their own values."""

import datetime
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from django.db import transaction
from django.utils.translation import gettext as _

from signalize_console.automations import waiting
from signalize_console.automations.definition import Send
from signalize_console.automations.models import RuleVersion, StepMessage, StepWinner
from signalize_console.deliveries import outbox
from signalize_console.messaging.content import are_varied
from signalize_console.messaging.models import MessageTemplate, PushMessage
from signalize_console.recipients.models import Recipient

DEEPEST, MOST_VALUES = 4, 100


class Run(Protocol):
    """What it takes of a run that is being moved on."""

    id: int
    recipient_id: int
    facts: Any
    sent: list[int]

    def end(self, state: str, why: str) -> None: ...


class Sender:
    """Sends for a version's steps, within the transaction that moves the runs on: both or nothing."""

    def __init__(
        self, version: RuleVersion, recipients: Mapping[int, Recipient], now: datetime.datetime
    ) -> None:
        self.version, self.recipients, self.now = version, recipients, now

    def send(self, number: int, step: Send, runs: Sequence[Run]) -> None:
        """Who can't be sent to, ends."""
        template = (
            MessageTemplate.objects.prefetch_related("texts")
            .filter(pk=step.template_id, website=self.version.rule.website_id)
            .first()
        )
        if template is None:
            self.version.rule.note_trouble(_("The template was deleted. Choose another one and save."))
            for run in runs:
                run.end("held", "template_gone")
            return
        for group in _each_once(runs):
            self._send(number, step, template, group)

    def _send(self, number: int, step: Send, template: MessageTemplate, runs: list[Run]) -> None:
        """What one of them makes impossible is tried without that one."""
        try:
            with transaction.atomic():
                accepted = self._accept(number, step, template, runs)
        except outbox.NobodyReachable:
            _end(runs, "unreachable")
        except outbox.ValuesMissing as error:
            missing = {recipient for recipient, _name in error.missing}
            _end([run for run in runs if run.recipient_id in missing], "value_missing")
            if rest := [run for run in runs if run.recipient_id not in missing]:
                self._send(number, step, template, rest)
        except outbox.NotAccepted as error:
            if len(runs) == 1:
                self.version.rule.note_trouble(str(error))
                _end(runs, "not_accepted")
                return
            half = len(runs) // 2
            self._send(number, step, template, runs[:half])
            self._send(number, step, template, runs[half:])
        else:
            unreachable = set(accepted.unreachable)
            for run in runs:
                if run.recipient_id in unreachable:
                    run.end("dropped", "unreachable")
                else:
                    run.sent.append(accepted.message_id)

    def _accept(self, number: int, step: Send, template: MessageTemplate, runs: list[Run]) -> outbox.Accepted:
        rule, ids = self.version.rule, sorted(run.id for run in runs)
        message = PushMessage(
            website=rule.website, transactional=step.transactional, sent_by=f"automation: {rule.name}"
        )
        texts = message.use(template)
        if are_varied(texts):
            message.winner = self._winner(number)
        if step.valid_for:
            message.valid_until = waiting.later(self.now, step.valid_for, datetime.UTC)
        accepted = outbox.send(
            message,
            texts,
            [self.recipients[run.recipient_id] for run in runs],
            data={run.recipient_id: values_of(run.facts) for run in runs},
            idempotency_key=f"automation-{self.version.pk}-{number}-{_digest(ids)}",
            fingerprint=ids,
        )
        if not accepted.replayed:
            StepMessage.objects.create(
                version=self.version,
                step=number,
                push_message_id=accepted.message_id,
                recipients=len(runs) - len(accepted.unreachable),
            )
        return accepted

    def _winner(self, number: int) -> str:
        winners = StepWinner.objects.filter(version=self.version, step=number)
        return winners.values_list("variant", flat=True).first() or ""


def values_of(facts: object) -> dict[str, Any]:
    """The trigger's values by names that a placeholder can have: ``product.name`` is ``product_name``.

    Of a list, the first counts, and how many there are is ``…_count``.
    """
    return dict(item for item, _number in zip(_flat(facts, "", 0), range(MOST_VALUES), strict=False))


def _flat(facts: object, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(facts, dict) and depth < DEEPEST:
        for key, value in facts.items():
            yield from _flat(value, f"{name}_{key}" if name else str(key), depth + 1)
    elif isinstance(facts, list) and depth < DEEPEST:
        yield f"{name}_count", len(facts)
        yield from _flat(facts[0], name, depth + 1) if facts else ()
    elif name and isinstance(facts, str | int | float):
        yield name, facts


def _each_once(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """In groups that name no recipient twice: a message goes to each of them once."""
    met: Counter[int] = Counter()
    rounds: dict[int, list[Run]] = {}
    for run in runs:
        met[run.recipient_id] += 1
        rounds.setdefault(met[run.recipient_id], []).append(run)
    yield from rounds.values()


def _digest(ids: list[int]) -> str:
    return hashlib.sha256(repr(ids).encode()).hexdigest()[:32]


def _end(runs: Sequence[Run], why: str) -> None:
    for run in runs:
        run.end("dropped", why)
