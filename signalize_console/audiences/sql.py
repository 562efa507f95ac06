"""A piece of SQL with its values: what a segment says is only ever bound, never written into the text."""

import datetime
import json
from collections.abc import Sequence
from typing import Any

OPERATORS = {
    "equals": "=",
    "notEquals": "<>",
    "greater": ">",
    "less": "<",
    "atLeast": ">=",
    "atMost": "<=",
    "before": "<",
    "after": ">",
}


class Sql:
    """Collects the values of one condition. ``at`` is the segment's now: relative times count from it."""

    def __init__(self, at: datetime.datetime) -> None:
        self.at = at
        self.values: dict[str, Any] = {}

    def at_another_time(self, at: datetime.datetime) -> "Sql":
        """For a condition with a now of its own beside the others; the values are collected together."""
        other = Sql(at)
        other.values = self.values
        return other

    def bind(self, value: Any, kind: str) -> str:
        """The placeholder of a value of this PostgreSQL type."""
        name = f"segment_{len(self.values)}"
        self.values[name] = value
        return f"%({name})s::{kind}"

    def json(self, value: Any) -> str:
        return self.bind(json.dumps(value), "jsonb")

    def jsons(self, values: Sequence[Any]) -> str:
        return self.bind([json.dumps(value) for value in values], "jsonb[]")

    def moment(self, value: datetime.datetime | datetime.timedelta) -> str:
        found = self._far(value) if isinstance(value, datetime.timedelta) else value
        return self.bind(found, "timestamptz")

    def day(self, value: datetime.date | datetime.timedelta) -> str:
        """As text: days written as YYYY-MM-DD stand in order, and comparing them can't fail."""
        found = self._far(value).date() if isinstance(value, datetime.timedelta) else value
        return f'{self.bind(found.isoformat(), "text")} COLLATE "C"'

    def _far(self, distance: datetime.timedelta) -> datetime.datetime:
        return self.at.astimezone(datetime.UTC) + distance
