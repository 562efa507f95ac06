"""CSV that spreadsheets open without calculating anything (OWASP: CSV injection), line by line."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

AT_ONCE = 2_000
Row = TypeVar("Row", bound=Model)
CALCULATED = ("=", "+", "-", "@", "\t", "\r", "\0")


class _Line:
    """What csv.writer writes to: hands the line back."""

    @staticmethod
    def write(line: str) -> str:
        return line


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer: Any = csv.writer(_Line())
    yield writer.writerow(list(header))
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def cell(value: Any) -> Any:
    """A text that a spreadsheet would calculate gets an apostrophe before it; lists and objects are JSON."""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        return f"'{value}" if value.startswith(CALCULATED) else value
    return "" if value is None else value


def in_parts(rows: QuerySet[Row]) -> Iterator[Row]:
    """All of them by their id, a few thousand at a time: a server's cursor would be lost behind PgBouncer."""
    last = 0
    while part := list(rows.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        yield from part
        last = part[-1].pk


def plain(text: str) -> str:
    """What ``cell`` was given."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(CALCULATED) else text
