"""Taking an import back: what it made is removed, as far as nobody has touched it since."""

import time

from django.db import connection, transaction
from django.utils import timezone

from signalize_console.recipients import importing
from signalize_console.recipients.imports import Import, ImportState

AT_ONCE = 5_000

# Touched is whoever came back (the mark is gone then), left, was sent something, or put on a list.
REMOVE_SUBSCRIPTIONS = """
WITH part AS (
    SELECT id, recipient_id, state FROM recipients_subscription
    WHERE from_import_id = %(of)s ORDER BY id LIMIT %(most)s
), kept AS (
    UPDATE recipients_subscription SET from_import_id = NULL FROM part
    WHERE recipients_subscription.id = part.id AND (part.state = 'unsubscribed' OR EXISTS (
        SELECT FROM deliveries_delivery delivery WHERE delivery.recipient_id = part.recipient_id
    )) RETURNING part.id
), removed AS (
    DELETE FROM recipients_subscription USING part
    WHERE recipients_subscription.id = part.id AND part.id NOT IN (SELECT id FROM kept)
      AND from_import_id = %(of)s  -- once more, should somebody come back at this moment
    RETURNING part.id
)
SELECT (SELECT count(*) FROM removed), count(*) FROM part
"""
REMOVE_RECIPIENTS = """
WITH part AS (
    SELECT id FROM recipients_recipient WHERE from_import_id = %(of)s ORDER BY id LIMIT %(most)s
), removed AS (
    DELETE FROM recipients_recipient recipient USING part
    WHERE recipient.id = part.id AND recipient.from_import_id = %(of)s
      AND NOT EXISTS (SELECT FROM recipients_subscription WHERE recipient_id = recipient.id)
      AND NOT EXISTS (SELECT FROM activity_event WHERE recipient_id = recipient.id)
      AND NOT EXISTS (SELECT FROM deliveries_delivery WHERE recipient_id = recipient.id)
      AND NOT EXISTS (SELECT FROM deliveries_testbrowser WHERE recipient_id = recipient.id)
      AND NOT EXISTS (SELECT FROM audiences_listmember WHERE recipient_id = recipient.id)
    RETURNING recipient.id
), kept AS (
    UPDATE recipients_recipient SET from_import_id = NULL FROM part
    WHERE recipients_recipient.id = part.id AND part.id NOT IN (SELECT id FROM removed)
)
SELECT (SELECT count(*) FROM removed), count(*) FROM part
"""


def work_on(import_id: int, seconds: float = 20) -> Import:
    """Removes for so long; the answer says where it stands."""
    end = time.monotonic() + seconds
    while True:
        of = _step(import_id)
        if of.state != ImportState.UNDOING or time.monotonic() > end:
            return of


@transaction.atomic
def _step(import_id: int) -> Import:
    of = Import.objects.select_for_update(of=("self",)).select_related("website").get(pk=import_id)
    if of.state != ImportState.UNDOING:
        return of
    removed, seen = _remove(REMOVE_SUBSCRIPTIONS, of)
    of.removed += removed
    if not seen and not _remove(REMOVE_RECIPIENTS, of)[1]:
        of.state, of.finished_at = ImportState.UNDONE, timezone.now()
        importing.forget_keys(of)
    of.save()
    return of


def _remove(statement: str, of: Import) -> tuple[int, int]:
    """How many were removed, and how many it looked at."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {"of": of.pk, "most": AT_ONCE})
        removed, seen = cursor.fetchone()
    return removed, seen
