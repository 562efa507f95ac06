"""The test of a push message: a share gets it first, and how that goes decides about the rest."""

import datetime
from typing import NamedTuple

from django.db import connection

from signalize_console.deliveries import happenings

# So few may be chance, unless they are all.
CHANCE = 2

# As the report charges it: to the last message that was accepted for the recipient.
OF_MESSAGE = {
    "ended": "",
    "recorded": """event.day >= %(day)s AND event.recipient_id IN (
        SELECT recipient_id FROM deliveries_delivery
        WHERE push_message_id = %(message)s AND day = %(day)s AND state = 'accepted')""",
}
UNSUBSCRIBED = happenings.rows(OF_MESSAGE, (happenings.UNSUBSCRIBED,))
LOOK = f"""
SELECT count(*) FILTER (WHERE state = 'accepted'), count(*) FILTER (WHERE state = 'gone'),
    count(*) FILTER (WHERE state = 'failed' OR (state IN ('pending', 'sending') AND attempts > 0)),
    count(*) FILTER (WHERE state = 'pending' AND attempts = 0),
    (SELECT count(*) FROM activity_event WHERE push_message_id = %(message)s AND kind = 'shown'),
    (SELECT count(*) FROM activity_event WHERE push_message_id = %(message)s AND kind = 'closed'),
    (SELECT count(*) FROM ({UNSUBSCRIBED}) charged WHERE push_message_id = %(message)s)
FROM deliveries_delivery WHERE push_message_id = %(message)s AND day = %(day)s
"""  # noqa: S608 - our own words


class Seen(NamedTuple):
    """``refused`` had no other answer until now."""

    accepted: int
    gone: int
    refused: int
    untried: int
    shown: int
    closed: int
    unsubscribed: int


def judge(message_id: int, day: datetime.date, limit: int, closed_limit: int, unsubscribed_limit: int) -> str:
    """Why the rest should not follow, as a reason that people are told in words; "" if all is well.

    The limits are per cent: of refused or gone among the answered, of closed among the shown, and of
    unsubscribed among the accepted.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOOK, {"message": message_id, "day": day})
        seen = Seen(*cursor.fetchone())
    answered = seen.accepted + seen.gone + seen.refused
    if not answered and seen.untried:
        return "canary_unanswered"
    if _is_too_much(seen.gone, answered, limit):
        return "canary_gone"
    if _is_too_much(seen.refused, answered, limit):
        return "canary_refused"
    if _is_too_much(seen.gone + seen.refused, answered, limit):
        return "canary_lost"
    if _is_too_much(seen.unsubscribed, seen.accepted, unsubscribed_limit):
        return "canary_unsubscribed"
    return "canary_closed" if _is_too_much(seen.closed, seen.shown, closed_limit) else ""


def _is_too_much(count: int, of: int, percent: int) -> bool:
    return 100 * count > percent * of and (count > CHANCE or count == of)
