"""How many a segment reaches, who for example, and who of some. PostgreSQL does it, within a time limit."""

import datetime
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg.errors
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _

from signalize_console.audiences.compiler import Compiled, compile
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website

SECONDS = 10.0
SAMPLE = 10

REACHED = """
FROM recipients_subscription subscription
JOIN recipients_recipient recipient ON recipient.id = subscription.recipient_id
WHERE subscription.website_id = %(website)s AND subscription.state = 'active' AND """
NEWEST = " ORDER BY subscription.id DESC LIMIT %(limit)s"
AMONG = " AND subscription.recipient_id = ANY(%(recipients)s)"


class TooSlow(Exception):
    """The answer took longer than it may; ``str()`` says what to do."""


def count(website: Website, tree: object, at: datetime.datetime, *, seconds: float = SECONDS) -> int:
    """How many active subscriptions it reaches. Raises BadSegment or TooSlow."""
    with limited(seconds) as cursor:
        _select(cursor, "SELECT count(*)", website, compile(tree, at))
        return int(cursor.fetchone()[0])


def sample(
    website: Website, tree: object, at: datetime.datetime, *, size: int = SAMPLE, seconds: float = SECONDS
) -> list[Recipient]:
    """Some of the recipients, those who subscribed last first. Raises BadSegment or TooSlow."""
    with limited(seconds):
        return _newest(website, compile(tree, at), size)


def count_and_sample(
    website: Website, tree: object, at: datetime.datetime, *, size: int = SAMPLE, seconds: float = SECONDS
) -> tuple[int, list[Recipient]]:
    """Both of the same moment. Raises BadSegment or TooSlow."""
    compiled = compile(tree, at)
    with limited(seconds) as cursor:
        _select(cursor, "SELECT count(*)", website, compiled)
        return int(cursor.fetchone()[0]), _newest(website, compiled, size)


def among(
    website: Website,
    tree: object,
    at: datetime.datetime,
    recipient_ids: Iterable[int],
    *,
    seconds: float = SECONDS,
) -> set[int]:
    """The ids of those recipients who are in it with an active subscription. Raises BadSegment or TooSlow."""
    with limited(seconds) as cursor:
        _select(
            cursor, "SELECT recipient.id", website, compile(tree, at), AMONG, recipients=list(recipient_ids)
        )
        return {recipient_id for (recipient_id,) in cursor.fetchall()}


def _newest(website: Website, compiled: Compiled, size: int) -> list[Recipient]:
    values = {**compiled.values, "website": website.pk, "limit": size}
    found = Recipient.objects.raw(f"SELECT recipient.* {REACHED} {compiled.sql} {NEWEST}", values)
    return list(dict.fromkeys(found))


def _select(
    cursor: CursorWrapper, select: str, website: Website, compiled: Compiled, more: str = "", **values: Any
) -> None:
    cursor.execute(
        f"{select} {REACHED} {compiled.sql} {more}", {**compiled.values, **values, "website": website.pk}
    )


@contextmanager
def limited(seconds: float) -> Iterator[CursorWrapper]:
    """A cursor whose statements are ended after this time, and the limit of before when it is left."""
    is_part = connection.in_atomic_block
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # The columns of one row are made from left to right. The limit ends with its transaction.
            limit = "set_config('statement_timeout', %s, true)"
            asked = f"SELECT current_setting('statement_timeout'), {limit}"
            cursor.execute(asked, [str(int(seconds * 1000))])
            before, _limit = cursor.fetchone()
            yield cursor
            if is_part:
                cursor.execute(f"SELECT {limit}", [before])
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            raise TooSlow(
                _("This takes longer than %d seconds to find out. Use fewer or narrower conditions.")
                % seconds
            ) from error
        raise
