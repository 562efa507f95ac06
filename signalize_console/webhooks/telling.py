"""From what happened to what is to be told: one statement reads on and writes a row for each endpoint.

Nothing below knows of it: activity, deliveries and messages carry the number of the transaction that wrote
or ended them, and the cursor goes on from there.
"""

from django.db import connection

from signalize_console.activity.cursors import next_window
from signalize_console.webhooks.models import WebhookKind

READER = "webhooks"
# Transactions in one statement.
WINDOW = 5_000

EVENTS = """
    SELECT 'event-' || id, kind, website_id, recipient_id, push_message_id, delivery_id,
           jsonb_strip_nulls(jsonb_build_object('button', properties -> 'button',
                                                'pushService', properties -> 'push_service')), occurred_at
    FROM activity_event
    WHERE recorded_in >= %(after)s AND recorded_in < %(until)s AND kind = ANY(%(kinds)s)"""
# When a delivery expired or was lost is known only as "now".
DELIVERIES = """
    SELECT 'delivery-' || delivery.id, CASE delivery.state WHEN 'accepted' THEN 'accepted' ELSE 'failed' END,
           message.website_id, delivery.recipient_id, delivery.push_message_id, delivery.id,
           jsonb_build_object('state', delivery.state, 'reason', delivery.reason,
                              'pushService', delivery.push_service),
           CASE WHEN delivery.state NOT IN ('expired', 'unknown') AND delivery.answered_at IS NOT NULL
                THEN delivery.answered_at ELSE now() END
    FROM deliveries_delivery delivery
    JOIN messaging_pushmessage message ON message.id = delivery.push_message_id
    WHERE delivery.ended_in >= %(after)s AND delivery.ended_in < %(until)s
      AND delivery.state IN ('accepted', 'gone', 'failed', 'expired', 'unknown')"""
MESSAGES = """
    SELECT 'message-' || id, 'finished', website_id, NULL, id, NULL,
           jsonb_build_object('state', state, 'total', total), coalesce(finished_at, now())
    FROM messaging_pushmessage WHERE ended_in >= %(after)s AND ended_in < %(until)s"""
SOURCES = {
    DELIVERIES: {WebhookKind.ACCEPTED, WebhookKind.FAILED},
    MESSAGES: {WebhookKind.FINISHED},
    EVENTS: set(WebhookKind) - {WebhookKind.ACCEPTED, WebhookKind.FAILED, WebhookKind.FINISHED},
}

# What is older than it would be tried for isn't told any more: say, after the restore of a dump.
TELL = """
INSERT INTO webhooks_webhookdelivery
    (endpoint_id, webhook_id, kind, recipient_id, push_message_id, delivery_id, facts, occurred_at, state,
     give_up_at)
SELECT endpoint.id, happened.webhook_id, happened.kind, happened.recipient_id, happened.push_message_id,
       happened.delivery_id, happened.facts, happened.occurred_at, 'pending', now() + interval '3 days'
FROM ({sources}
) happened (webhook_id, kind, website_id, recipient_id, push_message_id, delivery_id, facts, occurred_at)
JOIN webhooks_webhookendpoint endpoint
  ON endpoint.website_id = happened.website_id AND endpoint.active AND happened.kind = ANY(endpoint.kinds)
 AND happened.occurred_at >= endpoint.active_since
WHERE happened.occurred_at > now() - interval '3 days'
ORDER BY happened.occurred_at, happened.webhook_id
ON CONFLICT DO NOTHING
"""
WANTED = "SELECT DISTINCT unnest(kinds) FROM webhooks_webhookendpoint WHERE active"


def read_on() -> bool:
    """Reads the next transactions. True: there are more."""
    with next_window(READER, WINDOW) as window:
        if window is None:
            return False
        with connection.cursor() as cursor:
            cursor.execute(WANTED)
            wanted = {kind for (kind,) in cursor.fetchall()}
            sources = [sql for sql, kinds in SOURCES.items() if kinds & wanted]
            if sources:
                cursor.execute(
                    TELL.format(sources="\n    UNION ALL".join(sources)),
                    {**window._asdict(), "kinds": list(SOURCES[EVENTS])},
                )
    return not window.is_last
