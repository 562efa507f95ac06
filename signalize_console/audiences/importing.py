"""Filling a list from a CSV file: streamed into PostgreSQL by COPY, matched there, nothing kept in memory."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signalize_console.audiences.lists import RecipientList
from signalize_console.audiences.spreadsheets import NotCsv, rows

MOST_ROWS = 1_000_000
LARGEST_FILE = 64 * 1024 * 1024
LONGEST_ID = 128
SHOWN = 50
ROUNDED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+$", re.IGNORECASE)

UPLOADED = "CREATE TEMPORARY TABLE uploaded (line bigint, id text)"
COPY = "COPY uploaded (line, id) FROM STDIN"
CLEAR = "DELETE FROM audiences_listmember WHERE list_id = %(list)s"
ADD = """
INSERT INTO audiences_listmember (list_id, recipient_id)
SELECT DISTINCT %(list)s::bigint, recipient.id FROM uploaded
JOIN recipients_recipient recipient ON recipient.website_id = %(website)s AND recipient.{column} = uploaded.id
WHERE recipient.{column} <> '' ON CONFLICT DO NOTHING
"""
UNKNOWN = """
FROM uploaded WHERE NOT EXISTS (
    SELECT FROM recipients_recipient recipient
    WHERE recipient.website_id = %(website)s AND recipient.{column} = uploaded.id AND recipient.{column} <> ''
)
"""


class Names(models.TextChoices):
    """What the file names recipients by."""

    CLIENT_ID = "client_id", gettext_lazy("recipient ids")
    CUSTOMER_ID = "customer_id", gettext_lazy("customer ids")


# What the column may be called in a file with a first line of names, without signs and in lower case.
HEADERS = {
    Names.CLIENT_ID: {"clientid", "recipientid", "etcoid", "empfängerid", "empfaengerid"},
    Names.CUSTOMER_ID: {"customerid", "customer", "customernumber", "kundennummer", "kundenid", "kundennr"},
}


@dataclass
class Report:
    """What became of a file's rows. ``unknown`` names the first ones with their line."""

    rows: int = 0
    added: int = 0
    repeated: int = 0
    unknown_count: int = 0
    unknown: list[tuple[int, str]] = field(default_factory=list)

    @property
    def known(self) -> int:
        return self.rows - self.repeated - self.unknown_count

    @property
    def shortened(self) -> bool:
        """Whether a spreadsheet seems to have taken long ids for numbers, and rounded them."""
        return any(ROUNDED.match(one) for _line, one in self.unknown)


def check(file: BinaryIO, by: Names) -> None:
    """Raises NotCsv for what can't be read, has no ids or too many."""
    if not sum(1 for _row in _ids(file, by)):
        raise NotCsv(_("There is no id in this file: its first column is empty."))


def fill(
    on: RecipientList, file: BinaryIO, by: Names, at: datetime.datetime, *, replace: bool = False
) -> Report:
    """With a file that ``check`` has taken. ``replace``: who isn't in it is not on the list any more."""
    with transaction.atomic(), connection.cursor() as cursor:
        RecipientList.objects.select_for_update().get(pk=on.pk)
        cursor.execute(UPLOADED)
        report = Report(rows=_copy(cursor, _ids(file, by)))
        cursor.execute("ANALYZE uploaded")
        values: dict[str, Any] = {"list": on.pk, "website": on.website_id, "shown": SHOWN}
        if replace:
            cursor.execute(CLEAR, values)
        cursor.execute(ADD.format(column=by.value), values)
        report.added = cursor.rowcount
        _tell(cursor, report, UNKNOWN.format(column=by.value), values)
        cursor.execute("DROP TABLE uploaded")
        # Else a count of a new list would be planned for an empty one.
        cursor.execute("ANALYZE audiences_listmember")
        on.recount(at)
    return report


def _copy(cursor: CursorWrapper, ids: Iterator[tuple[int, str]]) -> int:
    with cursor.copy(COPY) as copy:
        for row in ids:
            copy.write_row(row)
    return cursor.rowcount


def _ids(file: BinaryIO, by: Names) -> Iterator[tuple[int, str]]:
    """The line and the id of each row, from the column that its name tells, else from the first."""
    column = headings = 0
    for place, (line, cells) in enumerate(rows(file)):
        if place == 0 and (named := _named(cells)):
            if by not in named:
                raise NotCsv(_("This file names recipients by something else than you chose."))
            column, headings = named[by], 1
            continue
        if place - headings >= MOST_ROWS:
            raise NotCsv(_("A file may have up to %d rows. Split it, and add the parts.") % MOST_ROWS)
        if column < len(cells) and (cell := cells[column]):
            yield line, (cell.lower() if by == Names.CLIENT_ID else cell)[: LONGEST_ID + 1]


def _named(cells: list[str]) -> dict[Names, int]:
    """Which columns hold ids, where the first row is one of names."""
    plain = ["".join(one for one in cell.lower() if one.isalnum()) for cell in cells]
    return {by: place for by, names in HEADERS.items() for place, cell in enumerate(plain) if cell in names}


def _tell(cursor: CursorWrapper, report: Report, unknown: str, values: dict[str, Any]) -> None:
    cursor.execute("SELECT count(*) - count(DISTINCT id) FROM uploaded")
    (report.repeated,) = cursor.fetchone()
    cursor.execute(f"SELECT count(DISTINCT id) {unknown}", values)
    (report.unknown_count,) = cursor.fetchone()
    listed = f"SELECT min(line), id {unknown} GROUP BY id ORDER BY 1 LIMIT %(shown)s"
    cursor.execute(listed, values)
    report.unknown = cursor.fetchall()
