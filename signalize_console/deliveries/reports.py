"""What a browser reports on a notification: shown, clicked, closed. Stored once each, never counted here."""

import json

from django.db import connection

from signalize_console.activity.models import REPORTS, EventKind
from signalize_console.deliveries import tokens

INSERT = """
INSERT INTO activity_event
    (day, website_id, recipient_id, kind, push_message_id, delivery_id, properties)
SELECT delivery.day, message.website_id, delivery.recipient_id, %s, message.id, delivery.id, %s
FROM deliveries_delivery delivery
JOIN messaging_pushmessage message ON message.id = delivery.push_message_id
WHERE delivery.id = %s AND delivery.day = %s AND delivery.recipient_id <> 0
ON CONFLICT DO NOTHING
"""


def report(token: str, kind: str, button: str = "") -> bool:
    """Stores the report of the delivery that the token names. False for a repeat or an erased delivery.

    Raises BadToken for a token that isn't ours, ValueError for a kind that isn't a report.
    """
    if kind not in REPORTS:
        raise ValueError(f"{kind!r} isn't shown, clicked or closed.")
    delivery_id, day = tokens.read(token)
    properties = {"button": button[:32]} if button else {}
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [EventKind(kind), json.dumps(properties), delivery_id, day])
        return cursor.rowcount == 1
