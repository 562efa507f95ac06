"""Conditions on what a recipient or an event carries as JSON: attributes and properties."""

from collections.abc import Mapping
from typing import Any

from signalize_console.audiences.sql import OPERATORS, Sql

# A day, or a time of which the day counts.
DAY = "'^[0-9]{4}-[0-9]{2}-[0-9]{2}($|[T ])'"


def json_condition(sql: Sql, column: str, facts: Mapping[str, Any]) -> str:
    """Whether the member ``name`` of this jsonb column is of the ``type`` and as ``op`` and ``value`` say.

    What is missing or of another type equals nothing, and is neither greater nor less.
    """
    name, op = facts["name"], facts["op"]
    value: Any = facts.get("value")
    member = f"({column} -> {sql.bind(name, 'text')})"
    if op == "exists":
        return f"coalesce(jsonb_typeof({member}), 'null') <> 'null'"
    if facts["type"] == "date":
        return _day(sql, member, op, value)
    if op == "in":
        return f"coalesce({member} = ANY({sql.jsons(value)}), false)"
    if op in {"equals", "notEquals"}:
        found = f"{column} @> {sql.json({name: value})}"
        return found if op == "equals" else f"NOT {found}"
    if op == "contains":
        return (
            f"coalesce(jsonb_typeof({member}) = 'string' "
            f"AND strpos(lower({member} #>> '{{}}'), lower({sql.bind(value, 'text')})) > 0, false)"
        )
    return (
        f"CASE WHEN jsonb_typeof({member}) = 'number' "
        f"THEN {member}::numeric {OPERATORS[op]} {sql.bind(repr(value), 'numeric')} ELSE false END"
    )


def _day(sql: Sql, member: str, op: str, value: Any) -> str:
    text = f"({member} #>> '{{}}')"
    return (
        f"coalesce(jsonb_typeof({member}) = 'string' AND {text} ~ {DAY} "
        f"AND left({text}, 10) {OPERATORS[op]} {sql.day(value)}, false)"
    )
