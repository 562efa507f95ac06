"""Erasing a recipient: all that is theirs goes, and what stays counts without saying who it was."""

from django.db import connection, transaction

from signalize_console.recipients.models import Recipient

# What was said to nobody else: an order, an appointment.
OWN_TEXTS = """
UPDATE messaging_pushmessagetext
SET title = '–', message = '', link = '', first_button = '', first_button_link = '',
    second_button = '', second_button_link = ''
WHERE push_message_id IN (
    SELECT message.id FROM messaging_pushmessage message
    JOIN deliveries_delivery own ON own.push_message_id = message.id AND own.day = message.day
    WHERE own.recipient_id = %(recipient)s AND message.audience = 'recipients' AND NOT EXISTS (
        SELECT FROM deliveries_delivery other
        WHERE other.push_message_id = message.id AND other.day = message.day
          AND other.recipient_id <> %(recipient)s
    )
)
"""
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
EVENTS = "DELETE FROM activity_event WHERE recipient_id = %(recipient)s"


@transaction.atomic
def erase(recipient: Recipient) -> None:
    """Deletes the recipient with subscriptions, events and the texts that only they were sent.

    Deliveries and the reports on them stay as anonymous counts. Nothing is claimed for them any more; a
    delivery that a worker holds already may still go out, for 14 seconds.
    """
    values = {"recipient": recipient.pk}
    with connection.cursor() as cursor:
        for statement in (OWN_TEXTS, ANSWERS, DELIVERIES, REPORTS, EVENTS):
            cursor.execute(statement, values)
    recipient.delete()
