"""A file arrives: it is stored in pieces of one size, where a worker on any machine reads it."""

import codecs
import itertools
from collections.abc import Iterable, Iterator

from django.db import transaction

from signalize_console.recipients.columns import ColumnsMissing, ensure_complete, flat
from signalize_console.recipients.imports import Import, ImportChunk
from signalize_console.recipients.reading import Unreadable, records
from signalize_console.webpush import vapid
from signalize_console.websites.models import Website

PIECE = 1_000_000
MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@transaction.atomic
def receive(
    website: Website,
    file_name: str,
    pieces: Iterable[bytes],
    *,
    by: str = "",
    vapid_private_key: str = "",
    at_once: bool = False,
) -> Import:
    """Stores a file to be worked on. ``vapid_private_key`` is of the rows that name none.

    Raises ValueError for a key that is none, and then stores nothing.
    """
    of = Import(website=website, file_name=file_name[-200:], by=by[:150], at_once=at_once)
    if vapid_private_key:
        of.vapid_key, is_new = website.keep_vapid_key(vapid.parse_private_key(vapid_private_key))
        of.made_keys = [of.vapid_key.pk] if is_new else []
    of.save()
    for number, data in enumerate(_sized(_lines(_utf_8(pieces)))):
        ImportChunk.objects.create(of=of, number=number, data=data)
        of.size += len(data)
        if number == 0 and _is_hopeless(data):
            break  # the check will say why; nobody needs the other two gigabytes
    of.save()
    return of


def _is_hopeless(first: bytes) -> bool:
    """Whether the beginning shows already that this is no file of subscriptions."""
    try:
        record = next(records(lambda position: first[position:]), None)
        if record is not None:
            ensure_complete(flat(record.values))
    except (Unreadable, ColumnsMissing):
        return True
    return False


def _utf_8(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """UTF-16, as Excel's "Unicode text" is, becomes UTF-8; all else stays as it is."""
    pieces = iter(pieces)
    first = next(pieces, b"")
    encoding = MARKS.get(first[:2])
    if encoding is None:
        yield from itertools.chain([first], pieces)
        return
    decode = codecs.getincrementaldecoder(encoding)("replace").decode
    for piece in itertools.chain([first[2:]], pieces):
        yield decode(piece).encode()


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Lines that end as on an old Macintosh, as Excel still writes them there, get a line feed."""
    first = next(pieces, b"")
    is_old = b"\r" in first and b"\n" not in first
    for piece in itertools.chain([first], pieces):
        yield piece.replace(b"\r", b"\n") if is_old else piece


def _sized(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one size, so that a place is found by its number."""
    rest = b""
    for piece in pieces:
        rest += piece
        while len(rest) >= PIECE:
            yield rest[:PIECE]
            rest = rest[PIECE:]
    if rest:
        yield rest


def piece(of: Import, position: int) -> bytes:
    """The bytes of the file from ``position`` to the end of their chunk."""
    number, offset = divmod(position, PIECE)
    found = of.chunks.filter(number=number).values_list("data", flat=True).first()
    return bytes(found)[offset:] if found else b""
