"""Moving in what a file has: check every row, then move all that may.

Each step commits with how far it came, so that whoever goes on, wherever, goes on from there. Nothing moves
before the whole file was read.
"""

import time
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from signalize_console.recipients.checking import Checked, Checker, RowRefused
from signalize_console.recipients.columns import ColumnsMissing
from signalize_console.recipients.imports import AT_WORK, Import, ImportState
from signalize_console.recipients.reading import Record, Unreadable, records
from signalize_console.recipients.receiving import piece
from signalize_console.recipients.spreadsheets import csv_lines, in_parts

CHECKED_AT_ONCE, MOVED_AT_ONCE = 5_000, 10_000
MOST_BYTES_AT_ONCE, MOST_ROWS = 4_000_000, 10_000_000

STAGE = """
COPY recipients_importrow (of_id, line, vapid_key_id, endpoint, endpoint_hash, p256dh, auth, push_service,
    client_id, customer_id, language, time_zone, attributes, interests, subscribed_at) FROM STDIN
"""
REFUSE = "COPY recipients_importrefusal (of_id, line, field, reason) FROM STDIN"

# Of two rows with one endpoint the first counts; one that is subscribed here already stays as it is.
REFUSE_DOUBLE = """
WITH double AS (
    DELETE FROM recipients_importrow row USING (
        SELECT id, 'This endpoint stands in line ' || first_line || ' already.' AS reason FROM (
            SELECT id, line, first_value(line) OVER (PARTITION BY endpoint_hash ORDER BY id) AS first_line,
                row_number() OVER (PARTITION BY endpoint_hash ORDER BY id) AS number
            FROM recipients_importrow WHERE of_id = %(of)s
        ) numbered WHERE number > 1
        UNION ALL
        SELECT staged.id, 'This subscription is here already.'
        FROM recipients_importrow staged JOIN recipients_subscription known
          ON known.website_id = %(website)s AND known.endpoint_hash = staged.endpoint_hash
        WHERE staged.of_id = %(of)s
    ) why WHERE row.id = why.id RETURNING row.line, why.reason
), refused AS (
    INSERT INTO recipients_importrefusal (of_id, line, field, reason)
    SELECT %(of)s, line, 'endpoint', reason FROM double
)
SELECT count(*) FROM double
"""

PART = "SELECT * FROM recipients_importrow WHERE of_id = %(of)s AND id > %(after)s ORDER BY id LIMIT %(most)s"
MAKE_RECIPIENTS = f"""
INSERT INTO recipients_recipient
    (website_id, client_id, customer_id, language, time_zone, attributes, interests, from_import_id)
SELECT DISTINCT ON (client_id)
    %(website)s, client_id, customer_id, language, time_zone, attributes, interests, %(of)s
FROM ({PART}) part ORDER BY client_id
ON CONFLICT DO NOTHING
"""  # noqa: S608 - our own words
MAKE_SUBSCRIPTIONS = f"""
WITH part AS MATERIALIZED ({PART}), made AS (
    INSERT INTO recipients_subscription (website_id, recipient_id, vapid_key_id, endpoint, endpoint_hash,
        p256dh, auth, push_service, state, ended_reason, from_import_id, created_at)
    SELECT %(website)s, recipient.id, part.vapid_key_id, part.endpoint, part.endpoint_hash,
        part.p256dh, part.auth, part.push_service, 'active', '', %(of)s, coalesce(part.subscribed_at, now())
    FROM part JOIN recipients_recipient recipient
      ON recipient.website_id = %(website)s AND recipient.client_id = part.client_id
    ON CONFLICT DO NOTHING RETURNING id
)
SELECT (SELECT count(*) FROM made), count(*), max(id) FROM part
"""  # noqa: S608 - our own words


def work_on(import_id: int, seconds: float = 20) -> Import:
    """Checks or moves for so long; the answer says where it stands. Two at once do no harm."""
    end = time.monotonic() + seconds
    while True:
        of = _step(import_id)
        if of.state not in {ImportState.CHECKING, ImportState.MOVING} or time.monotonic() > end:
            return of


@transaction.atomic
def _step(import_id: int) -> Import:
    of = Import.objects.select_for_update(of=("self",)).select_related("website").get(pk=import_id)
    if of.state == ImportState.CHECKING:
        try:
            with transaction.atomic():
                _check_some(of)
        except (Unreadable, ColumnsMissing) as error:
            of.refresh_from_db()
            of.error = str(error)[:500]
            _end(of, ImportState.FAILED)
    elif of.state == ImportState.MOVING:
        _move_some(of)
    of.save()
    return of


def _check_some(of: Import) -> None:
    checker = Checker(of)
    # The first record shows the columns, wherever this step begins.
    stored = records(lambda position: piece(of, position), of.position)
    batch, is_all = _some(stored, of.position + MOST_BYTES_AT_ONCE)
    accepted: list[tuple[Any, ...]] = []
    refused: list[tuple[int, int, str, str]] = []
    for line, record in enumerate(batch, of.rows + 1):
        try:
            accepted.append((of.pk, line, *_columns(_checked(checker, record))))
        except RowRefused as error:
            refused.append((of.pk, line, error.field, error.reason))
        except ColumnsMissing as error:
            if line == 1:
                raise
            refused.append((of.pk, line, "", str(error)[:300]))
    _copy(STAGE, accepted)
    _copy(REFUSE, refused)
    of.rows, of.refused = of.rows + len(batch), of.refused + len(refused)
    if of.rows > MOST_ROWS:
        raise Unreadable(f"There are more than {MOST_ROWS} rows. Split the file.")
    if not of.rows:
        raise Unreadable("There are no subscriptions in the file.")
    if is_all:
        of.position = of.size
        _finish_checking(of)
    else:
        of.position = batch[-1].position


def _some(stored: Iterator[Record], until: int) -> tuple[list[Record], bool]:
    """The next records, of long ones fewer, and whether these are all."""
    batch: list[Record] = []
    for record in stored:
        batch.append(record)
        if len(batch) == CHECKED_AT_ONCE or record.position > until:
            return batch, False
    return batch, True


def _checked(checker: Checker, record: Record) -> Checked:
    if record.broken:
        raise RowRefused("", record.broken)
    return checker.check(record.values)


def _columns(row: Checked) -> Iterator[Any]:
    return (getattr(row, name) for name in Checked.__slots__)


def _copy(statement: str, rows: list[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _finish_checking(of: Import) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE recipients_importrow")
        cursor.execute(REFUSE_DOUBLE, {"of": of.pk, "website": of.website_id})
        of.refused += cursor.fetchone()[0]
    of.chunks.all().delete()
    of.state = ImportState.MOVING if of.at_once else ImportState.CHECKED


def _move_some(of: Import) -> None:
    values = {"of": of.pk, "website": of.website_id, "after": of.moved_to, "most": MOVED_AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(MAKE_RECIPIENTS, values)
        of.recipients_made += cursor.rowcount
        cursor.execute(MAKE_SUBSCRIPTIONS, values)
        made, seen, last = cursor.fetchone()
    of.subscriptions_made, of.moved = of.subscriptions_made + made, of.moved + seen
    if seen < MOVED_AT_ONCE:
        _end(of, ImportState.DONE)
    else:
        of.moved_to = last


def discard(of: Import) -> bool:
    """What was checked doesn't move in; its report stays."""
    with transaction.atomic():
        if not of.move_to(ImportState.DISCARDED, only_from=ImportState.CHECKED):
            return False
        _end(of, ImportState.DISCARDED)
        of.save()
    return True


def _end(of: Import, state: ImportState) -> None:
    of.chunks.all().delete()
    of.staged.all().delete()
    of.state, of.finished_at = state, timezone.now()
    if state != ImportState.DONE:
        forget_keys(of)


def forget_keys(of: Import) -> None:
    """The keys that came with the file, as far as no subscription needs them."""
    of.vapid_key = None if of.vapid_key_id in of.made_keys else of.vapid_key
    of.save(update_fields=["vapid_key"])
    retired = of.website.vapid_keys.filter(pk__in=of.made_keys, retired_at__isnull=False)
    retired.filter(subscription=None, imports=None).delete()


def at_work() -> list[int]:
    return list(Import.objects.filter(state__in=AT_WORK).order_by("id").values_list("id", flat=True)[:20])


def report(of: Import) -> Iterator[str]:
    """Each refused row with field and reason, as lines of CSV, without holding them all."""
    refused = ([one.line, one.field, one.reason] for one in in_parts(of.refusals.all()))
    return csv_lines(["line", "field", "reason"], refused)
