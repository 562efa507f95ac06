"""From a stored file to its records, from any place on, with no more than a piece of it in memory.

CSV with commas, semicolons, tabs or bars, as Excel and others write it; or JSON objects, in an array or one
after the other. A line that isn't UTF-8 is read as Windows-1252.
"""

import codecs
import csv
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

LONGEST_LINE, MOST_COLUMNS = 100_000, 500
DELIMITERS = ",;\t|"
BETWEEN_OBJECTS = " \t\r\n,[]\ufeff"
PACKED = (b"PK\x03\x04", b"\x1f\x8b")


class Unreadable(ValueError):
    """This file as a whole can't be read; nothing of it moves in."""


class Record(NamedTuple):
    """``position``: where the next one begins. ``broken`` says why this one can't be read."""

    position: int
    values: dict[str, Any]
    broken: str = ""


class Pieces:
    """The bytes of a file from ``position`` on; ``piece`` gives those that begin at a place, or none."""

    def __init__(self, piece: Callable[[int], bytes], position: int = 0) -> None:
        self._piece, self.position = piece, position
        self._data, self._at = b"", 0

    def more(self) -> bytes:
        """The next ones as they come."""
        data = self._piece(self.position)
        self.position += len(data)
        return data

    def line(self) -> bytes:
        """Up to and with the next line feed; empty at the end."""
        parts: list[bytes] = []
        size = 0
        while size <= LONGEST_LINE:
            if self._at == len(self._data):
                self._data, self._at = self._piece(self.position), 0
            end = self._data.find(b"\n", self._at) + 1 or len(self._data)
            part = self._data[self._at : end]
            self._at = end
            self.position += len(part)
            parts.append(part)
            size += len(part)
            if not part or part.endswith(b"\n"):
                return b"".join(parts)
        raise Unreadable(f"A line is longer than {LONGEST_LINE} characters. Is it a file of subscriptions?")


def records(piece: Callable[[int], bytes], position: int = 0) -> Iterator[Record]:
    """Every record from ``position`` on, where a record begins; 0 is the file's start. Raises Unreadable."""
    start = piece(0)[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(PACKED):
        raise Unreadable("This is an Excel workbook or a packed file. Save it as CSV, or unpack it, first.")
    if not start:
        raise Unreadable("The file is empty.")
    if start[:1] in b"[{":
        return _objects(Pieces(piece, position))
    return _csv_records(piece, position)


def _csv_records(piece: Callable[[int], bytes], position: int) -> Iterator[Record]:
    pieces = Pieces(piece)
    first = _text(pieces.line()).lstrip("\ufeff")
    named = first.strip("\r\n\"'").removeprefix("sep=") if first.lower().startswith(("sep=", '"sep=')) else ""
    if named:
        first = _text(pieces.line())
    delimiter = named[:1] or max(DELIMITERS, key=first.count)
    header = _header(first, delimiter)
    if position:
        pieces = Pieces(piece, position)
    rows = csv.reader(iter(lambda: _text(pieces.line()), ""), delimiter=delimiter)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(pieces.position, {}, f"This is no row of CSV: {error}.")
            continue
        if not any(row):
            continue
        broken = "" if len(row) <= len(header) else f"It has {len(row)} fields, the first row {len(header)}."
        row += [""] * (len(header) - len(row))
        yield Record(pieces.position, dict(zip(header, row, strict=False)), broken)


def _header(line: str, delimiter: str) -> list[str]:
    try:
        names = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        raise Unreadable(f"The first row isn't CSV: {error}.") from error
    if len(names) > MOST_COLUMNS:
        raise Unreadable(f"There are more than {MOST_COLUMNS} columns. Is it a file of subscriptions?")
    return [name.strip() for name in names]


def _objects(pieces: Pieces) -> Iterator[Record]:
    decode = codecs.getincrementaldecoder("utf-8")().decode
    parse = json.JSONDecoder().raw_decode
    position, text = pieces.position, ""
    while True:
        data = pieces.more()
        try:
            text += decode(data, final=not data)
        except UnicodeDecodeError:
            raise Unreadable("JSON must be UTF-8, and this file isn't.") from None
        began = at = 0
        while at < len(text):
            while at < len(text) and text[at] in BETWEEN_OBJECTS:
                at += 1
            try:
                value, at = parse(text, at)
            except (ValueError, RecursionError):
                break
            if not isinstance(value, dict):
                raise Unreadable("There is something else than objects in the JSON.")
            position += len(text[began:at].encode())
            began = at
            yield Record(position, value)
        position += len(text[began:at].encode())
        text = text[at:]
        if len(text) > LONGEST_LINE or (text and not data):
            raise Unreadable(f"After byte {position} it isn't JSON, or an object is too long.")
        if not data:
            return


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")
