"""The operators for each kind of value, with the check of what they compare with (None: with nothing)."""

from collections.abc import Collection, Mapping

from signalize_console.audiences import values
from signalize_console.audiences.values import Check

Operators = Mapping[str, Check | None]

COMPARISONS = ("equals", "notEquals", "greater", "less", "atLeast", "atMost")
TEXT: Operators = {
    "equals": values.text,
    "notEquals": values.text,
    "contains": values.text,
    "in": values.list_of(values.text),
    "exists": None,
}
NUMBER: Operators = {
    **dict.fromkeys(COMPARISONS, values.number),
    "in": values.list_of(values.number),
    "exists": None,
}
BOOLEAN: Operators = {"equals": values.boolean, "notEquals": values.boolean, "exists": None}
DAY: Operators = {"equals": values.day, "before": values.day, "after": values.day, "exists": None}
TIME: Operators = {"before": values.time, "after": values.time}
COUNT: Operators = dict.fromkeys(COMPARISONS, values.whole)
AMOUNT: Operators = dict.fromkeys(COMPARISONS, values.number)
NUMBERED: Operators = {
    "equals": values.identity,
    "notEquals": values.identity,
    "in": values.list_of(values.identity),
}
TYPES: Mapping[str, Operators] = {"text": TEXT, "number": NUMBER, "boolean": BOOLEAN, "date": DAY}


def text(*names: str) -> Operators:
    """Some of those for texts."""
    return {name: TEXT[name] for name in names}


def words(known: Collection[str]) -> Operators:
    """For a value that is one of few."""
    check = values.one_of(known)
    return {"equals": check, "notEquals": check, "in": values.list_of(check)}
