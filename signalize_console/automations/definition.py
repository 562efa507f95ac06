"""Reading a rule's JSON: when, if, unless, and steps. Parsed once, then trusted; all mistakes at once.

The steps are a list that is gone through once, so no rule can loop.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from signalize_console.audiences.fields import FIELDS
from signalize_console.audiences.tree import SEGMENT, BadSegment, Reader
from signalize_console.audiences.values import Check, Wrong, one_of
from signalize_console.automations import values

MOST_STEPS, MOST_UNLESS = 20, 5
Facts = Mapping[str, Any]

# What may start a rule: the members that each kind needs, and those that it takes.
WHEN: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
    "event": ({"name": values.name}, {}),
    "page": ({"path": values.page}, {}),
    "subscribed": ({}, {}),
    "interest": ({"name": values.name}, {}),
    "attribute": ({"name": values.name}, {}),
    "date": (
        {"attribute": values.name},
        {"offset": values.signed_duration, "at": values.clock, "every": one_of(["year"])},
    ),
    "inactivity": ({"days": values.days}, {}),
    "every": ({"days": values.weekdays, "at": values.clock}, {"zone": values.zone}),
    "feed": ({"url": values.feed}, {}),
}
# What the page or another system tells; the others come by themselves, by the clock.
HAPPENS = {"event", "page", "subscribed", "interest", "attribute"}


class BadRule(BadSegment):
    """This is no rule, for these ``problems``."""


@dataclass(frozen=True)
class Happening:
    """Something that comes as an event: ``kind`` is one of HAPPENS."""

    kind: str
    facts: Facts


@dataclass(frozen=True)
class Wait:
    """``kind``: for (a duration), until (a time of day), or event (or a timeout)."""

    kind: str
    facts: Facts
    event: Happening | None = None


@dataclass(frozen=True)
class Only:
    """Goes on only for whom the condition holds."""

    condition: Any


@dataclass(frozen=True)
class Send:
    template_id: int
    transactional: bool
    valid_for: Facts | None


Step = Wait | Only | Send


@dataclass(frozen=True)
class Definition:
    """``condition`` is a segment's tree, or ``{"segment": id}``; None: everybody."""

    when: Happening
    condition: Any
    unless: tuple[Happening, ...]
    steps: tuple[Step, ...]

    @property
    def conditions(self) -> list[Any]:
        steps = (step.condition for step in self.steps if isinstance(step, Only))
        return [one for one in (self.condition, *steps) if one]

    @property
    def templates(self) -> set[int]:
        return {step.template_id for step in self.steps if isinstance(step, Send)}


def parse(said: object) -> Definition:
    """Raises BadRule with everything that is wrong."""
    reader = RuleReader()
    definition = reader.definition(said)
    if not reader.problems and len(json.dumps(said)) > SEGMENT.size:
        reader.wrong("$", _("An automation takes at most %d bytes.") % SEGMENT.size)
    if reader.problems or definition is None:
        raise BadRule(reader.problems)
    return definition


class RuleReader(Reader):
    def definition(self, said: object) -> Definition | None:
        whole = self.members(said, "$", {"when", "steps"}, {"if", "unless"})
        if whole is None:
            return None
        when = self.happening(whole["when"], "$.when", set(WHEN))
        condition = self.condition(whole["if"], "$.if") if whole.get("if") else None
        listed = self.listed(whole.get("unless", []), "$.unless", MOST_UNLESS)
        unless = [self.happening(one, f"$.unless[{n}]", {"event", "page"}) for n, one in enumerate(listed)]
        listed = self.listed(whole["steps"], "$.steps", MOST_STEPS)
        steps = [self.step(one, f"$.steps[{n}]") for n, one in enumerate(listed)]
        if not self.problems and not any(isinstance(step, Send) for step in steps):
            self.wrong("$.steps", _("Nothing is sent. Add a step that sends a template."))
        if when is None or self.problems:
            return None
        return Definition(when, condition, tuple(filter(None, unless)), tuple(filter(None, steps)))

    def members(self, said: object, path: str, needs: set[str], takes: set[str]) -> dict[str, Any] | None:
        if not isinstance(said, dict):
            self.wrong(path, _("Give an object."))
            return None
        for name in sorted(needs - set(said)):
            self.wrong(f"{path}.{name}", _("This is missing."))
        for name in said:
            if name not in needs | takes:
                known = ", ".join(sorted(needs | takes))
                self.wrong(f"{path}.{name[:64]}", _("This is unknown here. Known are: %s.") % known)
        return said if needs <= set(said) else None

    def listed(self, said: object, path: str, most: int) -> list[Any]:
        if not isinstance(said, list) or len(said) > most:
            self.wrong(path, _("Give a list of at most %d.") % most)
            return []
        return said

    def happening(self, said: object, path: str, kinds: set[str]) -> Happening | None:
        if not isinstance(said, dict):
            self.wrong(path, _("Give an object."))
            return None
        kind = self.value(one_of(sorted(kinds)), said.get("kind"), f"{path}.kind")
        if kind is None:
            return None
        needs, takes = WHEN[kind]
        more = {"event": {"properties"}, "attribute": {"value"}}.get(kind, set())
        given = self.members(said, path, {"kind", *needs}, {*takes, *more})
        if given is None:
            return None
        checks = {**needs, **takes}
        facts = {
            name: self.value(checks[name], value, f"{path}.{name}")
            for name, value in given.items()
            if name in checks
        }
        if "properties" in given:
            facts["properties"] = self._properties(given["properties"], f"{path}.properties")
        if kind == "attribute" and "value" in given:
            facts["value"] = self.comparison(given["value"], f"{path}.value")
        return Happening(kind, facts)

    def comparison(self, said: object, path: str) -> Facts:
        """What the attribute has become: ``{"type": "text", "op": "equals", "value": "gold"}``."""
        if not isinstance(said, dict):
            self.wrong(path, _("Give an object with type, op and value."))
            return {}
        return self._facts(FIELDS["attribute"], {**said, "name": "value"}, path)

    def condition(self, said: object, path: str) -> object:
        if isinstance(said, dict) and set(said) == {"segment"}:
            self.value(values.identity, said["segment"], f"{path}.segment")
        else:
            self.read(said, path, 1)
        return said

    def step(self, said: object, path: str) -> Step | None:
        kind = self.value(_kind_of_step, said, path)
        if kind is None or not isinstance(said, dict):
            return None
        if kind == "wait":
            return self.wait(said["wait"], f"{path}.wait")
        if kind == "if":
            return Only(self.condition(said["if"], f"{path}.if"))
        return self.send(said["send"], f"{path}.send")

    def wait(self, said: object, path: str) -> Wait | None:
        if not isinstance(said, dict):
            self.wrong(path, _('Give {"hours": 1}, {"until": "09:00"} or {"event": …, "timeout": …}.'))
            return None
        if "until" in said:
            self.members(said, path, {"until"}, set())
            return Wait("until", {"until": self.value(values.clock, said["until"], f"{path}.until")})
        if "event" in said:
            given = self.members(said, path, {"event", "timeout"}, {"onTimeout"})
            if given is None:
                return None
            facts = {
                "timeout": self.value(values.duration, said["timeout"], f"{path}.timeout"),
                "onTimeout": self.value(
                    one_of(["continue", "end"]), said.get("onTimeout", "continue"), f"{path}.onTimeout"
                ),
            }
            return Wait("event", facts, self.happening(said["event"], f"{path}.event", {"event", "page"}))
        return Wait("for", self.value(values.duration, said, path) or {})

    def send(self, said: object, path: str) -> Send | None:
        given = self.members(said, path, {"template"}, {"transactional", "validFor"})
        if given is None:
            return None
        template = self.value(values.identity, given["template"], f"{path}.template")
        is_transactional = self.value(
            values.boolean, given.get("transactional", False), f"{path}.transactional"
        )
        valid_for = given.get("validFor")
        if valid_for is not None:
            valid_for = self.value(values.duration, valid_for, f"{path}.validFor")
        return Send(template or 0, bool(is_transactional), valid_for)


def _kind_of_step(said: object) -> str:
    kind = next(iter(said)) if isinstance(said, dict) and len(said) == 1 else None
    if kind not in {"wait", "if", "send"}:
        raise Wrong(_("A step is one of wait, if and send. Steps follow one another; none leads back."))
    return str(kind)
