"""Reading a segment's JSON: a tree of ``all``, ``any`` and ``not`` over conditions.

Parsed once, then trusted. Every mistake is told with its path (``$.all[2].op``), all of them at once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from signalize_console.audiences.fields import FIELDS, Field
from signalize_console.audiences.operators import TYPES, Operators
from signalize_console.audiences.sql import Sql
from signalize_console.audiences.values import Check, Wrong, one_of

JOINS = {"all": " AND ", "any": " OR "}


class Limits(NamedTuple):
    """How large a tree may be."""

    conditions: int
    levels: int
    size: int


SEGMENT = Limits(50, 8, 64 * 1024)
# A message's audience: one segment, without up to ten others.
AUDIENCE = Limits(SEGMENT.conditions * 12, SEGMENT.levels + 4, SEGMENT.size * 12)


class Problem(NamedTuple):
    """``path`` says where, as JSONPath does; ``message`` in words what is wrong there and what can be."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class BadSegment(ValueError):
    """This is no segment, for these ``problems``."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Condition:
    field: Field
    facts: Mapping[str, Any]

    def compile(self, sql: Sql) -> str:
        return f"({self.field.compile(sql, self.facts)})"


@dataclass(frozen=True)
class Group:
    """``join`` is "all" or "any"."""

    join: str
    members: list["Node"]

    def compile(self, sql: Sql) -> str:
        return f"({JOINS[self.join].join(member.compile(sql) for member in self.members)})"


@dataclass(frozen=True)
class Not:
    member: "Node"

    def compile(self, sql: Sql) -> str:
        return f"(NOT {self.member.compile(sql)})"


Node = Condition | Group | Not


def parse(tree: object, limits: Limits = SEGMENT) -> Node:
    """Raises BadSegment with everything that is wrong."""
    reader = Reader(limits)
    node = reader.read(tree, "$", 1)
    if reader.conditions > limits.conditions:
        reader.wrong("$", _("A segment has at most %d conditions.") % limits.conditions)
    if node and not reader.problems and len(json.dumps(tree)) > limits.size:
        reader.wrong("$", _("A segment takes at most %d bytes.") % limits.size)
    if reader.problems or node is None:
        raise BadSegment(reader.problems)
    return node


class Reader:
    """Collects the problems, and goes on reading."""

    def __init__(self, limits: Limits = SEGMENT) -> None:
        self.limits = limits
        self.problems: list[Problem] = []
        self.conditions = 0

    def wrong(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, message))

    def value(self, check: Check, value: object, path: str) -> Any:
        """What the check makes of it, or None and a problem."""
        try:
            return check(value)
        except Wrong as error:
            self.wrong(path, str(error))
            return None

    def read(self, tree: object, path: str, depth: int) -> Node | None:
        if self.conditions > self.limits.conditions:
            return None
        if (kind := self.value(_kind_at(depth, self.limits.levels), tree, path)) is None:
            return None
        inside: Any = tree
        if kind == "field":
            return self._condition(inside, path)
        if kind == "not":
            member = self.read(inside["not"], f"{path}.not", depth + 1)
            return Not(member) if member else None
        return self._group(kind, inside[kind], f"{path}.{kind}", depth)

    def _group(self, join: str, members: object, path: str, depth: int) -> Group:
        members = self.value(_members, members, path) or []
        nodes = [self.read(one, f"{path}[{place}]", depth + 1) for place, one in enumerate(members)]
        return Group(join, [node for node in nodes if node])

    def _condition(self, tree: dict[str, Any], path: str) -> Condition | None:
        self.conditions += 1
        name = self.value(one_of(FIELDS), tree["field"], f"{path}.field")
        if name is None:
            return None
        field = FIELDS[name]
        facts = self._facts(field, {key: value for key, value in tree.items() if key != "field"}, path)
        if field.has_properties and "properties" in tree:
            facts["properties"] = self._properties(tree["properties"], f"{path}.properties")
        return Condition(field, facts)

    def _properties(self, conditions: object, path: str) -> list[dict[str, Any]]:
        """Conditions on an event's properties look like those on attributes."""
        conditions = self.value(_conditions, conditions, path) or []
        self.conditions += len(conditions)
        if self.conditions > self.limits.conditions:
            return []
        kind = FIELDS["attribute"]
        return [self._facts(kind, one, f"{path}[{place}]") for place, one in enumerate(conditions)]

    def _facts(self, field: Field, given: dict[str, Any], path: str) -> dict[str, Any]:
        given = {**field.defaults, **given}
        facts: dict[str, Any] = {}
        for name, check in {**field.needs, **field.takes}.items():
            if name in given:
                facts[name] = self.value(check, given[name], f"{path}.{name}")
            elif name in field.needs and not (name == "type" and given.get("op") == "exists"):
                self.wrong(f"{path}.{name}", _("This is missing."))
        operators = field.operators or TYPES.get(str(facts.get("type")), TYPES["text"])
        facts |= self._operation(operators, given, path)
        known = {"op", "value", *field.needs, *field.takes, *(["properties"] if field.has_properties else [])}
        for name in given:
            if name not in known:
                self.wrong(f"{path}.{name[:64]}", _("This is unknown here. Leave it out."))
        return facts

    def _operation(self, operators: Operators, given: dict[str, Any], path: str) -> dict[str, Any]:
        if "op" not in given:
            self.wrong(f"{path}.op", _("This is missing. Give one of: %s.") % ", ".join(operators))
            return {}
        op = self.value(one_of(operators), given["op"], f"{path}.op")
        if op is None:
            return {}
        check = operators[op]
        if check is None:
            if "value" in given:
                self.wrong(f"{path}.value", _("exists takes no value. Leave it out."))
            return {"op": op}
        if "value" not in given:
            self.wrong(f"{path}.value", _("This is missing."))
        return {
            "op": op,
            "value": self.value(check, given["value"], f"{path}.value") if "value" in given else None,
        }


def _kind_at(depth: int, deepest: int) -> Check:
    """Whether this is a condition ("field"), or which group it is."""

    def check(tree: object) -> str:
        if depth > deepest:
            raise Wrong(_("A segment is at most %d levels deep.") % deepest)
        if not isinstance(tree, dict):
            raise Wrong(_("Give an object with all, any, not, or a field."))
        if "field" in tree:
            return "field"
        if len(tree) != 1 or (kind := next(iter(tree))) not in {*JOINS, "not"}:
            raise Wrong(_("Give exactly one of all, any and not, or a field."))
        return str(kind)

    return check


def _members(value: object) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise Wrong(_("Give a list of at least one condition."))
    return value


def _conditions(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Wrong(_("Give a list of conditions, each an object."))
    return value
