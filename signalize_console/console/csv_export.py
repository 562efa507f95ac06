"""A table as a CSV file that no spreadsheet takes for formulas."""

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# By this Excel knows that it is UTF-8.
BYTE_ORDER_MARK = "\ufeff"


class Echo:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def csv_file(name: str, headings: Sequence[object], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Row by row, however many there are."""
    writer = csv.writer(Echo())
    lines = (writer.writerow([_cell(value) for value in row]) for row in chain([headings], rows))
    answer = StreamingHttpResponse(chain([BYTE_ORDER_MARK], lines), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def _cell(value: Any) -> Any:
    """Numbers as they are, None is unknown; a text that a spreadsheet would calculate gets an apostrophe."""
    if isinstance(value, int | float | Decimal):
        return value
    text = str(_("unknown") if value is None else value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
