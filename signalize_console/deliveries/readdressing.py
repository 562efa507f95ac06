"""A browser has subscribed anew: what waited because its old key was refused goes to the new subscription."""

from django.db import connection

from signalize_console.recipients.models import Subscription

READDRESS = """
WITH waiting AS (
    SELECT DISTINCT ON (push_message_id, day) id, day FROM deliveries_delivery delivery
    WHERE recipient_id = %(recipient)s AND state = 'pending' AND reason = 'vapid_key_mismatch'
      AND NOT EXISTS (
        SELECT FROM deliveries_delivery twin
        WHERE twin.push_message_id = delivery.push_message_id AND twin.day = delivery.day
          AND twin.subscription_id = %(subscription)s AND twin.id <> delivery.id
      )
    ORDER BY push_message_id, day, id
), moved AS (
    UPDATE deliveries_delivery delivery
    SET subscription_id = %(subscription)s, push_service = %(push_service)s, due_at = now(),
        reason = 'resubscribed'
    FROM waiting
    WHERE delivery.id = waiting.id AND delivery.day = waiting.day
      AND delivery.state = 'pending' AND delivery.reason = 'vapid_key_mismatch'
    RETURNING delivery.push_message_id
)
UPDATE messaging_pushmessage SET due_at = LEAST(due_at, now())
WHERE id IN (
    SELECT id FROM messaging_pushmessage WHERE id IN (SELECT push_message_id FROM moved)
    ORDER BY id FOR UPDATE
)
"""


def readdress(subscription: Subscription) -> None:
    """The recipient's deliveries that wait for a new key are due now, at this subscription."""
    values: dict[str, int | str] = {
        "subscription": subscription.pk,
        "push_service": subscription.push_service,
        "recipient": subscription.recipient_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(READDRESS, values)
