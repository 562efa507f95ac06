"""From a segment's JSON to one SQL condition over ``subscription`` and ``recipient``, its values apart."""

import datetime
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.utils.dateparse import parse_datetime

from signalize_console.audiences.sql import Sql
from signalize_console.audiences.tree import AUDIENCE, BadSegment, Problem, parse

EVERYONE = "true"


class Compiled(NamedTuple):
    """``sql`` stands in a WHERE beside ``recipients_subscription subscription`` and ``recipients_recipient
    recipient``, whose placeholders (``%(segment_0)s`` …) take ``values``. It is never null."""

    sql: str
    values: dict[str, Any]


def compile(tree: object, at: datetime.datetime) -> Compiled:
    """``at`` is the now that "days ago" counts from. Raises BadSegment with all that is wrong."""
    sql = Sql(at)
    return Compiled(_condition(tree, sql), sql.values)


def compile_both(tree: object, other: object, at: datetime.datetime) -> tuple[str, Compiled]:
    """Two conditions for one statement; the values are those of both. None: everyone."""
    sql = Sql(at)
    first = _condition(tree, sql) if tree is not None else EVERYONE
    return first, Compiled(_condition(other, sql) if other is not None else EVERYONE, sql.values)


def _condition(tree: object, sql: Sql) -> str:
    return parse(tree, AUDIENCE).compile(sql)


def without(tree: object | None, excluded: Sequence[object]) -> Any:
    """The same, but nobody who is in one of the others. None: everyone."""
    if not excluded:
        return tree
    nobody_of = {"not": {"any": list(excluded)}}
    return nobody_of if tree is None else {"all": [tree, nobody_of]}


def freeze(tree: object, at: datetime.datetime) -> dict[str, Any]:
    """What a push message keeps: its audience as it is now, and its time. Raises BadSegment."""
    parse(tree, AUDIENCE)
    return {"tree": tree, "at": at.isoformat()}


def thaw(frozen: object) -> tuple[Any, datetime.datetime]:
    """The tree that ``freeze`` kept, and its time. Raises BadSegment for what isn't a frozen segment."""
    at = parse_datetime(str(frozen.get("at"))) if isinstance(frozen, dict) else None
    if at is None:
        raise BadSegment([Problem("$", "This is no frozen segment.")])
    return frozen["tree"], at  # type: ignore[index]


def compile_frozen(frozen: object) -> Compiled:
    """Raises BadSegment for what ``freeze`` of this version would not have made."""
    return compile(*thaw(frozen))
