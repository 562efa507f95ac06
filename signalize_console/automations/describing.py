"""A rule in words: what its flow shows, box by box."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from signalize_console.audiences.models import Segment
from signalize_console.automations.definition import Definition, Facts, Happening, Only, Send, Step, Wait
from signalize_console.messaging.models import MessageTemplate


class Names(NamedTuple):
    """Of the templates and segments that a definition names by their ids."""

    templates: Mapping[int, str]
    segments: Mapping[int, str]


class Box(NamedTuple):
    """``kind``: when, if, unless, wait, send or end. ``step``: which step of the definition, if it is one."""

    kind: str
    text: str
    step: int | None = None
    template_id: int | None = None


def names_in(definitions: Iterable[Definition]) -> Names:
    """Two queries, however many definitions."""
    definitions = list(definitions)
    templates = {template for one in definitions for template in one.templates}
    conditions = [condition for one in definitions for condition in one.conditions]
    segments = {one["segment"] for one in conditions if set(one) == {"segment"}}
    return Names(
        dict(MessageTemplate.objects.filter(pk__in=templates).values_list("pk", "name")),
        dict(Segment.objects.filter(pk__in=segments).values_list("pk", "name")),
    )


def boxes(definition: Definition, names: Names) -> list[Box]:
    found = [Box("when", happening(definition.when))]
    if definition.condition:
        found.append(Box("if", _only(definition.condition, names)))
    if definition.unless:
        events = _(" or ").join(happening(one) for one in definition.unless)
        found.append(Box("unless", _("Ends at once, whenever: %s") % events))
    found += [step_box(step, number, names) for number, step in enumerate(definition.steps)]
    return [*found, Box("end", _("End"))]


def happening(what: Happening) -> str:
    facts = what.facts
    words = {
        "event": lambda: _("“%s” happens") % facts["name"] + _properties(facts),
        "page": lambda: _("the page %s is visited") % facts["path"],
        "subscribed": lambda: _("somebody opts in"),
        "interest": lambda: _("the interest “%s” is ticked") % facts["name"],
        "attribute": lambda: _("the attribute “%s” changes") % facts["name"] + _value(facts),
        "date": lambda: _date(facts),
        "inactivity": lambda: _("somebody has not visited for %d days") % facts["days"],
        "every": lambda: (
            _("every %(days)s at %(at)s")
            % {"days": ", ".join(_(day.capitalize()) for day in facts["days"]), "at": facts["at"]}
        ),
        "feed": lambda: _("the feed %s has a new item") % facts["url"],
    }
    return words[what.kind]()


def duration(facts: Mapping[str, int]) -> str:
    unit, amount = next(iter(facts.items()))
    counted = {
        "minutes": ngettext("%d minute", "%d minutes", amount),
        "hours": ngettext("%d hour", "%d hours", amount),
        "days": ngettext("%d day", "%d days", amount),
    }
    return counted[unit] % amount


def step_box(step: Step, number: int, names: Names) -> Box:
    if isinstance(step, Send):
        name = names.templates.get(step.template_id, _("a template that was deleted"))
        said = _("Send “%s”") % name
        if step.transactional:
            said += " · " + _("transactional")
        if step.valid_for:
            said += " · " + _("valid for %s") % duration(step.valid_for)
        return Box("send", said, number, step.template_id)
    if isinstance(step, Only):
        return Box("if", _only(step.condition, names), number)
    return Box("wait", _wait(step), number)


def _wait(step: Wait) -> str:
    if step.kind == "for":
        return _("Wait %s") % duration(step.facts)
    if step.kind == "until":
        return _("Wait until %s, on the recipient's clock") % step.facts["until"]
    said = _("Wait until %(event)s, at most %(time)s") % {
        "event": happening(step.event) if step.event else "",
        "time": duration(step.facts["timeout"]),
    }
    return said + (" · " + _("then end") if step.facts["onTimeout"] == "end" else "")


def _only(condition: Any, names: Names) -> str:
    if set(condition) == {"segment"}:
        return _("Only for the segment “%s”") % names.segments.get(
            condition["segment"], _("that was deleted")
        )
    return _("Only for whom the conditions hold")


def _properties(facts: Facts) -> str:
    count = len(facts.get("properties", ()))
    return " " + ngettext("(with %d condition)", "(with %d conditions)", count) % count if count else ""


def _value(facts: Facts) -> str:
    value = facts.get("value")
    return f" ({value['op']} {value.get('value', '')})" if value else ""


def _date(facts: Facts) -> str:
    offset = facts.get("offset", {"days": 0})
    unit, amount = next(iter(offset.items()))
    far = duration({unit: abs(amount)})
    words = {"attribute": facts["attribute"], "far": far}
    if amount < 0:
        said = _("%(far)s before the date “%(attribute)s”") % words
    elif amount > 0:
        said = _("%(far)s after the date “%(attribute)s”") % words
    else:
        said = _("the date “%(attribute)s” has come") % words
    said += ", " + _("every year") if "every" in facts else ""
    return said + (", " + _("at %s") % facts["at"] if facts.get("at") else "")
