"""What one does with a rule: save a definition as its next version, release or drop what is held."""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from signalize_console.audiences.models import Segment
from signalize_console.audiences.tree import Problem
from signalize_console.automations.definition import BadRule, Definition, Send, parse
from signalize_console.automations.models import Rule, RuleVersion, Run, RunState
from signalize_console.messaging.models import MessageTemplate


def check(website_id: int, said: object) -> Definition:
    """Raises BadRule: for what is wrong in itself, and what names nothing of this website."""
    definition = parse(said)
    problems = [*_unknown_templates(website_id, definition), *_unknown_segments(website_id, definition)]
    if problems:
        raise BadRule(problems)
    return definition


@transaction.atomic
def save(rule: Rule, said: Any, made_by: Any = None) -> RuleVersion:
    """The rule, saved or new, follows this from now on; who is under way stays on their version.

    Raises BadRule, and then saves nothing.
    """
    check(rule.website_id, said)
    rule.trouble, rule.trouble_at = "", None
    rule.save()
    Rule.objects.select_for_update().get(pk=rule.pk)
    current = rule.version
    if current is not None and current.definition == said:
        return current
    last = RuleVersion.objects.filter(rule=rule).first()
    version = RuleVersion.objects.create(
        rule=rule, number=last.number + 1 if last else 1, definition=said, made_by=made_by
    )
    rule.version = version
    rule.save(update_fields=["version"])
    if current is None or current.definition["when"] != said["when"]:
        # It is triggered by something else now: what that missed before isn't made up for.
        rule.restart_schedule()
    return version


def release(rule: Rule) -> int:
    """What is held goes on now, although it is late. How many."""
    return _held(rule).update(state=RunState.WAITING, why="released", due_at=Now())


def drop(rule: Rule) -> int:
    """What is held ends. How many."""
    return _held(rule).update(state=RunState.DROPPED, why="by_hand", ended_at=Now())


def _held(rule: Rule) -> Any:
    return Run.objects.filter(rule=rule, state=RunState.HELD)


def _unknown_templates(website_id: int, definition: Definition) -> list[Problem]:
    known = set(
        MessageTemplate.objects.filter(website=website_id, pk__in=definition.templates).values_list(
            "pk", flat=True
        )
    )
    said = _("This website has no such template. Choose one of its own.")
    return [
        Problem(f"$.steps[{number}].send.template", said)
        for number, step in enumerate(definition.steps)
        if isinstance(step, Send) and step.template_id not in known
    ]


def _unknown_segments(website_id: int, definition: Definition) -> list[Problem]:
    named = {one["segment"] for one in definition.conditions if set(one) == {"segment"}}
    known = set(Segment.objects.filter(website=website_id, pk__in=named).values_list("pk", flat=True))
    said = _("This website has no segment %d. Choose one of its own.")
    return [Problem("$.if", said % one) for one in sorted(named - known)]
