"""Reading the CSV that spreadsheets write, row by row: Excel's in many countries, or a plain list."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

DELIMITERS = ";\t,|"
LONGEST_LINE = 64 * 1024
SEPARATOR_LINE = re.compile(r'^"?sep=([;\t,|])"?\s*$', re.IGNORECASE)
# ="00123" is how a spreadsheet is made to keep a number's zeros.
KEPT_AS_TEXT = re.compile(r'^="(.*)"$')


class NotCsv(ValueError):
    """This can't be read as CSV; ``str()`` says what to do."""


def rows(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """The number of each line that isn't empty, with its cells. Raises NotCsv."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=_encoding(file), newline="")
    try:
        first = text.readline(LONGEST_LINE)
        told = SEPARATOR_LINE.match(first)
        delimiter = told[1] if told else _delimiter(first)
        reader = csv.reader(_lines(first if not told else "", text), delimiter=delimiter)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num + bool(told), [_clean(cell) for cell in cells]
    except (csv.Error, UnicodeError) as error:
        raise NotCsv(_("This file can't be read. Save it as “CSV UTF-8”, and upload that.")) from error
    finally:
        text.detach()


def _encoding(file: BinaryIO) -> str:
    """By its byte order mark; else UTF-8 if all of the file is, else what Windows writes in the West."""
    start = file.read(4)
    file.seek(0)
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise NotCsv(_("This is a workbook, not CSV. In the spreadsheet, save it as “CSV UTF-8”."))
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig" if _is_utf8(file) else "cp1252"


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while part := file.read(1 << 20):
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def _delimiter(line: str) -> str:
    """The one that the first line has most of; without any it doesn't matter."""
    return max(DELIMITERS, key=line.count)


def _lines(first: str, text: io.TextIOWrapper) -> Iterator[str]:
    """No line takes more memory than it may."""
    line = first or text.readline(LONGEST_LINE)
    while line:
        if len(line) >= LONGEST_LINE:
            raise NotCsv(_("A line of this file is too long. Is it CSV?"))
        yield line.replace("\0", "")
        line = text.readline(LONGEST_LINE)


def _clean(cell: str) -> str:
    cell = cell.strip().strip("\ufeff\u200b\u00a0")
    kept = KEPT_AS_TEXT.match(cell)
    return kept[1] if kept else cell
