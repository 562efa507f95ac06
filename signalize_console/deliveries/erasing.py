"""Erasing a recipient: all that is theirs goes, and what stays counts without saying who it was."""

from collections.abc import Iterable

from django.db import connection, transaction

from signalize_console.deliveries import erasure_log
from signalize_console.deliveries.erasure_log import Erased
from signalize_console.recipients.models import Recipient

# What was said to nobody else: an order, an appointment.
OWN_MESSAGES = """
    SELECT message.id FROM messaging_pushmessage message
    JOIN deliveries_delivery own ON own.push_message_id = message.id AND own.day = message.day
    WHERE own.recipient_id = %(recipient)s AND message.audience = 'recipients' AND NOT EXISTS (
        SELECT FROM deliveries_delivery other
        WHERE other.push_message_id = message.id AND other.day = message.day
          AND other.recipient_id <> %(recipient)s
    )
"""
OWN_TEXTS = f"""
UPDATE messaging_pushmessagetext
SET title = '–', message = '', link = '', first_button = '', first_button_link = '',
    second_button = '', second_button_link = ''
WHERE push_message_id IN ({OWN_MESSAGES})
"""  # noqa: S608 - our own words
OWN_VALUES = f"UPDATE messaging_pushmessage SET data = '{{}}' WHERE id IN ({OWN_MESSAGES})"  # noqa: S608
ANSWERS = """
UPDATE deliveries_attempt attempt SET answer = ''
FROM deliveries_delivery delivery
WHERE delivery.recipient_id = %(recipient)s
  AND attempt.delivery_id = delivery.id AND attempt.day = delivery.day
"""
# Recipient 0 is nobody. Deliveries that still wait are cancelled by the engine, which finds no subscription.
DELIVERIES = """
UPDATE deliveries_delivery SET recipient_id = 0, message_url = '', data = NULL
WHERE recipient_id = %(recipient)s
"""
REPORTS = """
UPDATE activity_event SET recipient_id = NULL, properties = '{}'
WHERE recipient_id = %(recipient)s AND delivery_id IS NOT NULL
"""
# Whoever came back after the erasure, with the same id, is somebody who agreed anew.
BACK_AGAIN = """
SELECT recipient.id FROM recipients_recipient recipient
JOIN unnest(%s::bigint[], %s::bytea[], %s::timestamptz[]) AS erased (website_id, client_id_hash, at)
  ON recipient.website_id = erased.website_id
  AND sha256(convert_to(recipient.client_id, 'UTF8')) = erased.client_id_hash
WHERE recipient.created_at < erased.at
"""
CHUNK = 10_000
EVENTS = "DELETE FROM activity_event WHERE recipient_id = %(recipient)s"


def erase(recipient: Recipient) -> None:
    """Deletes the recipient with subscriptions, events and the texts that only they were sent.

    Deliveries and the reports on them stay as anonymous counts. Nothing is claimed for them any more; a
    delivery that a worker holds already may still go out, for 14 seconds.
    """
    erasure_log.note(recipient)
    _remove(recipient)


def replay(erased: Iterable[Erased]) -> int:
    """Erases again whom the restore of a backup has brought back. Returns how many."""
    count = 0
    for chunk in erasure_log.in_chunks(erased, CHUNK):
        columns = [[getattr(one, name) for one in chunk] for name in ("website_id", "client_id_hash", "at")]
        with connection.cursor() as cursor:
            cursor.execute(BACK_AGAIN, columns)
            ids = {recipient_id for (recipient_id,) in cursor.fetchall()}
        for recipient in Recipient.objects.filter(pk__in=ids):
            _remove(recipient)
        count += len(ids)
    return count


@transaction.atomic
def _remove(recipient: Recipient) -> None:
    values = {"recipient": recipient.pk}
    with connection.cursor() as cursor:
        for statement in (OWN_TEXTS, OWN_VALUES, ANSWERS, DELIVERIES, REPORTS, EVENTS):
            cursor.execute(statement, values)
    recipient.delete()
