"""The contract of a template: its variables, each with a type and an example, and what breaks it."""

import datetime
import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from django.db import models
from django.utils.translation import gettext_lazy as _

from signalize_console.messaging.placeholders import Placeholder, Values


class VariableType(models.TextChoices):
    TEXT = "text", _("text")
    NUMBER = "number", _("number")
    DATE = "date", _("date")


class Variable(TypedDict):
    name: str
    type: str
    example: Any
    required: bool
    description: str


class Breach(NamedTuple):
    """``kind`` is unknown, invalid or missing."""

    name: str
    kind: str
    sentence: str


def fits(kind: str, value: object) -> bool:
    if kind == VariableType.NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if kind == VariableType.DATE:
        try:
            datetime.date.fromisoformat(value)
        except ValueError:
            return False
    return True


def misfits(
    variables: Sequence[Variable], placeholders: Iterable[Placeholder], values: Values
) -> list[Breach]:
    """What is given although nobody uses it, or in another type than promised."""
    types = {variable["name"]: variable["type"] for variable in variables}
    names = {*types, *(placeholder.name for placeholder in placeholders)}
    breaches = []
    for name, value in values.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            breaches.append(Breach(name, "unknown", f"No placeholder has this name.{hint}"))
        elif value is not None and name in types and not fits(types[name], value):
            breaches.append(Breach(name, "invalid", f"Give a {types[name]}."))
    return breaches


def absent(variables: Sequence[Variable], values: Mapping[str, Any]) -> list[Breach]:
    """The required variables that have no value."""
    return [
        Breach(variable["name"], "missing", "This variable is required.")
        for variable in variables
        if variable["required"] and values.get(variable["name"]) in (None, "")
    ]
