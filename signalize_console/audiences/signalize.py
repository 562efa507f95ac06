"""Signalize's ``segmentFilter`` as a segment. Published of it is one sample; the rest is our choice.

``{"segments": [{"name": "custom_segment_SIGNALIZE_INTEREST", "operator": "CONTAINS", "value": "Sport"}]}``:
that sample's name is an interest. ``custom_segment_<NAME>`` is the attribute of that name in lower case, and
``language``, ``platform`` and ``push_service`` are what they say. All of several segments must hold.
"""

import re
from typing import Any

from django.utils.translation import gettext as _

from signalize_console.audiences.tree import BadSegment, Problem, parse

CUSTOM = re.compile(r"custom_segment_([A-Za-z0-9_.-]{1,64})")
INTEREST = "custom_segment_SIGNALIZE_INTEREST"
WORDS = {"language": "language", "platform": "platform", "push_service": "pushService"}
MEMBERS = {"name", "operator", "value"}

TEXT_OPERATORS = {"CONTAINS": "contains", "EQUALS": "equals", "NOT_EQUALS": "notEquals"}
NUMBER_OPERATORS = {"GREATER": "greater", "LESS": "less"}
WORD_OPERATORS = {"EQUALS": "equals", "NOT_EQUALS": "notEquals"}
# A filter's values are texts; a shop's attribute may be the number that the text writes.
NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


def from_segment_filter(segment_filter: object) -> dict[str, Any]:
    """The tree of conditions. Raises BadSegment, with paths such as ``$.segments[0].operator``."""
    segments = segment_filter.get("segments") if isinstance(segment_filter, dict) else None
    if not isinstance(segment_filter, dict) or set(segment_filter) != {"segments"}:
        raise BadSegment([Problem("$", _('Give an object with one member, "segments".'))])
    if not isinstance(segments, list) or not segments:
        raise BadSegment([Problem("$.segments", _("Give a list of at least one segment."))])
    problems: list[Problem] = []
    conditions = [
        _condition(segment, f"$.segments[{place}]", problems) for place, segment in enumerate(segments)
    ]
    if problems:
        raise BadSegment(problems)
    tree = {"all": conditions}
    parse(tree)
    return tree


def _condition(segment: object, path: str, problems: list[Problem]) -> dict[str, Any]:
    if not isinstance(segment, dict) or set(segment) != MEMBERS:
        problems.append(Problem(path, _("Give an object with name, operator and value.")))
        return {}
    for member in sorted(MEMBERS):
        if not isinstance(segment[member], str) or not segment[member]:
            problems.append(Problem(f"{path}.{member}", _("Give a text.")))
            return {}
    name, operator, value = segment["name"], segment["operator"], segment["value"]
    operators = _operators(name)
    if not operators:
        problems.append(
            Problem(
                f"{path}.name",
                _("This is unknown. Give custom_segment_…, %s.") % ", ".join(WORDS),
            )
        )
    elif operator not in operators:
        problems.append(Problem(f"{path}.operator", _("Give one of: %s.") % ", ".join(operators)))
    elif operator in NUMBER_OPERATORS and not NUMBER.fullmatch(value):
        problems.append(Problem(f"{path}.value", _("Give a number, such as 49.90.")))
    else:
        return _translated(name, operators[operator], value)
    return {}


def _operators(name: str) -> dict[str, str]:
    if name == INTEREST:
        # Signalize's CONTAINS asks whether the recipient's interests contain this one.
        return {"CONTAINS": "equals", "EQUALS": "equals", "NOT_EQUALS": "notEquals"}
    if name in WORDS:
        return WORD_OPERATORS
    return {**TEXT_OPERATORS, **NUMBER_OPERATORS} if CUSTOM.fullmatch(name) else {}


def _translated(name: str, op: str, value: str) -> dict[str, Any]:
    if op == "notEquals":
        return {"not": _translated(name, "equals", value)}
    if name == INTEREST:
        return {"field": "interest", "op": "equals", "value": value}
    if name in WORDS:
        return {"field": WORDS[name], "op": op, "value": value}
    attribute = {"field": "attribute", "name": name.removeprefix("custom_segment_").lower(), "op": op}
    as_number = {**attribute, "type": "number", "value": _number(value)}
    as_text = {**attribute, "type": "text", "value": value}
    if op in NUMBER_OPERATORS.values():
        return as_number
    return {"any": [as_text, as_number]} if op == "equals" and NUMBER.fullmatch(value) else as_text


def _number(value: str) -> int | float:
    if not NUMBER.fullmatch(value):
        return 0
    return float(value) if "." in value else int(value)
