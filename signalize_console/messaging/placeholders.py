"""Placeholders in texts: ``{{ name | "fallback" }}``, filled with a recipient's values.

A name is letters, digits and underscores, and nothing more: no attributes, no calls, no filters. What doesn't
look like that stays text, and a value is never read again for placeholders.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from signalize_console.websites.origins import validate_link

NAME = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
PLACEHOLDER = re.compile(
    r"\{\{[ \t]*(?P<name>" + NAME + r")[ \t]*(?:\|[ \t]*\"(?P<fallback>[^\"{}]{0,200})\"[ \t]*)?\}\}"
)

# What a JSON object may give for a name.
Values = Mapping[str, object]


class MissingValue(LookupError):
    """Nothing is known to put in place of this name, and there is no fallback."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    name: str
    fallback: str | None


@functools.lru_cache(maxsize=4096)
def parts(text: str) -> tuple[str | Placeholder, ...]:
    """The text taken apart: what stays, and what is filled."""
    found: list[str | Placeholder] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        found += [text[end : match.start()], Placeholder(match["name"], match["fallback"])]
        end = match.end()
    return tuple(part for part in [*found, text[end:]] if part != "")


def placeholders(texts: Iterable[str]) -> list[Placeholder]:
    """Each placeholder in these texts, once."""
    return list(
        dict.fromkeys(part for text in texts for part in parts(text) if isinstance(part, Placeholder))
    )


def validate_text_link(link: str) -> None:
    """A link that may hold placeholders, though not before its path: a value must not choose the host."""
    validate_link(PLACEHOLDER.sub("x", link))
    origin = link.split("://", 1)[-1].replace("?", "/").replace("#", "/").split("/", 1)[0]
    if "{{" in origin:
        raise ValidationError(_("A placeholder may stand in a link's path, but not in its host."))


def fill(text: str, values: Values) -> str:
    """The text with its values; raises MissingValue, naming the name."""
    return _fill(text, values, str)


def fill_link(link: str, values: Values) -> str:
    """As ``fill``, but a value can't become another host, path or parameter: it is percent-encoded."""
    return _fill(link, values, lambda value: quote(value, safe=""))


def _fill(text: str, values: Values, written: Callable[[str], str]) -> str:
    if "{{" not in text:
        return text
    filled = []
    for part in parts(text):
        if isinstance(part, str):
            filled.append(part)
            continue
        value = values.get(part.name)
        if value is None or value == "":
            value = part.fallback
        if value is None:
            raise MissingValue(part.name)
        filled.append(written(in_text(value)))
    return "".join(filled)


def in_text(value: object) -> str:
    """How a JSON value stands in a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value)) if abs(value) < 1e15 else repr(value)
    return str(value)
