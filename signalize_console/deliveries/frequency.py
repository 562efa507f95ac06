"""How often a recipient has been sent something lately: one row each, where the website has a cap."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

from signalize_console.deliveries.ledger import Claimed
from signalize_console.deliveries.politeness import Politeness
from signalize_console.recipients.models import Recipient

# One statement counts and takes: who waits for the row's lock sees what the other one has taken. A message
# that goes to several browsers of a recipient counts once.
TAKE = """
INSERT INTO deliveries_frequency AS had (recipient_id, push_message_id, sent_at)
SELECT recipient, message, ARRAY[now()] FROM unnest(%(recipients)s::bigint[], %(messages)s::bigint[])
    AS given (recipient, message)
ORDER BY recipient
ON CONFLICT (recipient_id) DO UPDATE
SET push_message_id = excluded.push_message_id,
    sent_at = CASE WHEN had.push_message_id = excluded.push_message_id THEN had.sent_at ELSE ARRAY(
        SELECT at FROM unnest(had.sent_at || excluded.sent_at) at
        WHERE at > now() - interval '7 days' ORDER BY at DESC LIMIT 200
    ) END
WHERE %(exempt)s OR had.push_message_id = excluded.push_message_id OR (
    (%(hour)s::int IS NULL OR %(hour)s > (
        SELECT count(*) FROM unnest(had.sent_at) at WHERE at > now() - interval '1 hour'))
    AND (%(day)s::int IS NULL OR %(day)s > (
        SELECT count(*) FROM unnest(had.sent_at) at WHERE at > now() - interval '1 day'))
    AND (%(week)s::int IS NULL OR %(week)s > (
        SELECT count(*) FROM unnest(had.sent_at) at WHERE at > now() - interval '7 days')))
RETURNING recipient_id
"""


class Frequency(models.Model):
    """``sent_at``: when, in the last seven days, the latest first. ``push_message_id``: the last of them."""

    recipient = models.OneToOneField(
        Recipient, models.CASCADE, primary_key=True, db_constraint=False, related_name="+"
    )
    push_message_id = models.BigIntegerField()
    sent_at = ArrayField(models.DateTimeField())

    def __str__(self) -> str:
        return f"{self.recipient_id}: {len(self.sent_at)}"


def refused(deliveries: Sequence[Claimed], politeness: Politeness) -> list[Claimed]:
    """Those, of one website and class, that would be too many for their recipient. The others are counted."""
    over = []
    for group in _each_once(deliveries):
        values: dict[str, Any] = {
            "recipients": [one.recipient_id for one in group],
            "messages": [one.push_message_id for one in group],
            "exempt": group[0].transactional,
            "hour": politeness.hour,
            "day": politeness.day,
            "week": politeness.week,
        }
        with connection.cursor() as cursor:
            cursor.execute(TAKE, values)
            taken = {recipient for (recipient,) in cursor.fetchall()}
        over += [one for one in group if one.recipient_id not in taken]
    return over


def _each_once(deliveries: Iterable[Claimed]) -> Iterable[list[Claimed]]:
    """One statement can't take twice for one recipient."""
    rounds: list[dict[int, Claimed]] = []
    for delivery in deliveries:
        free = next((each for each in rounds if delivery.recipient_id not in each), None)
        if free is None:
            rounds.append(free := {})
        free[delivery.recipient_id] = delivery
    return [list(each.values()) for each in rounds]
