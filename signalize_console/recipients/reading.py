"""From a stored file to its records, from any place on, with no more than a piece of it in memory.

CSV with commas, semicolons, tabs or bars, as Excel and others write it; or JSON objects, in an array or one
after the other. A line that isn't UTF-8 is read as Windows-1252.
"""

import codecs
import csv
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

LONGEST_LINE = 100_000
DELIMITERS = ",;\t|"
BETWEEN_OBJECTS = " \t\r\n,[]\ufeff"


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
        self._piece, self.position, self._rest = piece, position, b""

    def more(self) -> bytes:
        """The next ones as they come."""
        data = self._rest or self._piece(self.position)
        self._rest = b""
        self.position += len(data)
        return data

    def line(self) -> bytes:
        """Up to and with the next line feed; empty at the end."""
        parts: list[bytes] = []
        size = 0
        while size <= LONGEST_LINE:
            data = self._rest or self._piece(self.position)
            head, feed, self._rest = data.partition(b"\n")
            parts.append(head + feed)
            size += len(head) + len(feed)
            self.position += len(head) + len(feed)
            if feed or not data:
                return b"".join(parts)
        raise Unreadable(f"A line is longer than {LONGEST_LINE} characters. Is it a file of subscriptions?")


def records(piece: Callable[[int], bytes], position: int = 0) -> Iterator[Record]:
    """Every record from ``position`` on, where a record begins; 0 is the file's start. Raises Unreadable."""
    start = piece(0)[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
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
    header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
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
