"""What is done every few minutes: what has waited long enough is put away."""

from django.conf import settings
from django.db import connection

from signalize_console.deliveries import heartbeats
from signalize_console.recipients import consent

# A subscription that a push service called gone is kept for a week: push services have been wrong. As long as
# somebody has to judge a wave of them, none ends.
EXPIRE_QUARANTINED = """
UPDATE recipients_subscription SET state = 'expired'
WHERE id IN (
    SELECT id FROM recipients_subscription subscription
    WHERE state = 'quarantined' AND ended_at < now() - interval '7 days' AND NOT EXISTS (
        SELECT FROM deliveries_alert alert
        WHERE alert.kind = 'mass_expiry' AND alert.ended_at IS NULL
          AND alert.push_service = subscription.push_service
    )
    LIMIT %s
)
"""
# Nothing of it goes out any more: the engine closes what still waits, and it is finished.
END_PAUSED = """
UPDATE messaging_pushmessage SET state = 'sending', due_at = now(), paused_because = ''
WHERE state = 'paused' AND valid_until <= now()
"""
DROP_TALLIES = "DELETE FROM deliveries_tally WHERE minute < now() - interval '30 days'"
# The oldest keys come first by their ids, too.
FORGET_KEYS = """
DELETE FROM deliveries_idempotencykey
WHERE id IN (SELECT id FROM deliveries_idempotencykey ORDER BY id LIMIT %s)
  AND created_at < now() - make_interval(days => %s)
"""
CHUNK = 10_000


def clean_up() -> None:
    heartbeats.forget_old()
    with connection.cursor() as cursor:
        cursor.execute(END_PAUSED)
        cursor.execute(DROP_TALLIES)
        _in_chunks(EXPIRE_QUARANTINED)
        if settings.KEEP_KEYS_DAYS:
            _in_chunks(FORGET_KEYS, settings.KEEP_KEYS_DAYS)
    if settings.KEEP_CONSENT_DAYS:
        consent.forget_withdrawn(settings.KEEP_CONSENT_DAYS)


def _in_chunks(statement: str, *values: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [CHUNK, *values])
        while cursor.rowcount == CHUNK:
            cursor.execute(statement, [CHUNK, *values])
