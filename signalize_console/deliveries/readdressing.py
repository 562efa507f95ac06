"""A recipient's waiting deliveries when its browser has subscribed anew, or somebody else uses it now."""

from django.db import connection

from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.recipients.subscribing import REPLACED

READDRESS = """
WITH waiting AS (
    SELECT DISTINCT ON (push_message_id, day) id, day FROM deliveries_delivery delivery
    WHERE recipient_id = %(recipient)s AND state = 'pending'
      AND (reason = 'vapid_key_mismatch' OR subscription_id IN (
        SELECT id FROM recipients_subscription
        WHERE recipient_id = %(recipient)s AND state <> 'active' AND ended_reason = %(replaced)s
      ))
      AND NOT EXISTS (
        SELECT FROM deliveries_delivery twin
        WHERE twin.push_message_id = delivery.push_message_id AND twin.day = delivery.day
          AND twin.subscription_id = %(subscription)s AND twin.id <> delivery.id
      )
    ORDER BY push_message_id, day, id
), moved AS (
    UPDATE deliveries_delivery delivery
    SET subscription_id = %(subscription)s, push_service = %(push_service)s, reason = 'resubscribed',
        due_at = CASE reason WHEN 'vapid_key_mismatch' THEN now() ELSE due_at END
    FROM waiting
    WHERE delivery.id = waiting.id AND delivery.day = waiting.day AND delivery.state = 'pending'
    RETURNING delivery.push_message_id
)
UPDATE messaging_pushmessage SET due_at = LEAST(due_at, now())
WHERE id IN (
    SELECT id FROM messaging_pushmessage WHERE id IN (SELECT push_message_id FROM moved)
    ORDER BY id FOR UPDATE
)
"""


# Transactional messages are about a person; marketing about a shop.
WITHDRAW = """
WITH withdrawn AS (
    UPDATE deliveries_delivery delivery SET state = 'cancelled', reason = 'other_person',
        ended_in = pg_current_xact_id()::text::bigint
    FROM messaging_pushmessage message
    WHERE delivery.recipient_id = %s AND delivery.state = 'pending'
      AND message.id = delivery.push_message_id AND message.transactional
    RETURNING delivery.push_message_id
)
UPDATE messaging_pushmessage SET due_at = LEAST(due_at, now())
WHERE id IN (
    SELECT id FROM messaging_pushmessage WHERE id IN (SELECT push_message_id FROM withdrawn)
    ORDER BY id FOR UPDATE
)
"""


def readdress(subscription: Subscription) -> None:
    """What waits for a new key is due now, at this subscription; the rest of what waits, in its time."""
    values: dict[str, int | str] = {
        "subscription": subscription.pk,
        "push_service": subscription.push_service,
        "recipient": subscription.recipient_id,
        "replaced": REPLACED,
    }
    with connection.cursor() as cursor:
        cursor.execute(READDRESS, values)


def withdraw(recipient: Recipient) -> None:
    """Cancels the transactional deliveries that wait for whoever used this browser before."""
    with connection.cursor() as cursor:
        cursor.execute(WITHDRAW, [recipient.pk])
