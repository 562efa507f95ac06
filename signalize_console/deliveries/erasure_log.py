"""Which recipients were erased, in a file beside the database: a backup from before would bring them back.

A line says when, on which website, and the SHA-256 of the recipient id: found by who has the id, and a list
of nobody.
"""

import datetime
import errno
import itertools
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from signalize_console.recipients.consent import client_id_hash
from signalize_console.recipients.models import Recipient

log = logging.getLogger(__name__)


class Erased(NamedTuple):
    at: datetime.datetime
    website_id: int
    client_id_hash: bytes


class Unreadable(Exception):
    """A line of the file is none of ours; ``str()`` says which."""


def path() -> Path:
    return Path(settings.ERASURES or settings.HOME.path / "erasures.log")


def note(recipient: Recipient) -> None:
    """On disk when this returns. That it can't be written stops no erasure; the log says it."""
    line = (
        f"{timezone.now().isoformat()} {recipient.website_id} {client_id_hash(recipient.client_id).hex()}\n"
    )
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path(), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            _write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        log.error(
            "%s can't be written (%s): after the restore of a backup an erased recipient would be back. "
            "Set SIGNALIZE_ERASURES to a file that can.",
            path(),
            error.strerror,
        )


def _write(descriptor: int, line: bytes) -> None:
    """As a line of its own, also where a disk that was full took only the first half of the one before."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        line = b"\n" + line
    if os.write(descriptor, line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read(file: Path) -> Iterator[Erased]:
    """Raises Unreadable, and OSError."""
    with file.open() as lines:
        for number, line in enumerate(lines, 1):
            try:
                at, website_id, digest = line.split()
                yield Erased(datetime.datetime.fromisoformat(at), int(website_id), bytes.fromhex(digest))
            except ValueError:
                raise Unreadable(f"{file}, line {number}, is no record of an erasure.") from None


def in_chunks(erased: Iterable[Erased], size: int) -> Iterator[list[Erased]]:
    every = iter(erased)
    while chunk := list(itertools.islice(every, size)):
        yield chunk
