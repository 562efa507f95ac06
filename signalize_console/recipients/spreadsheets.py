"""CSV that spreadsheets open without calculating anything (OWASP: CSV injection), line by line."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

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


def plain(text: str) -> str:
    """What ``cell`` was given."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(CALCULATED) else text
