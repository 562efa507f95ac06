"""What reports count, as rows: one for each delivery that ended and for each event, with all that it is
counted by. ``rolling_up`` sums them, ``statistics`` reads those that aren't summed yet. Tests count nowhere.

A conversion belongs to the recipient's last click in the hours before it; unsubscribing, to the last push
message that was accepted for the recipient in the day before; a page view that comes long enough after the
recipient's last one begins a visit. Only what was recorded before is looked at, so that what a row counts as
never changes.
"""

from typing import Any

from django.conf import settings

from signalize_console.activity.models import OPT_IN, EventKind
from signalize_console.audiences.occurrences import VISIT_GAP, WORTH
from signalize_console.deliveries.rollups import CONVERTED, VISIT

PARTS = "day, website_id, push_message_id, push_service, language, platform, name, detail"
COLUMNS = f"{PARTS}, occurred_at, value, variant"
DIMENSIONS = f"{PARTS}, variant"
VARIANT = "coalesce(delivery.variant, '')"
LANGUAGE = "lower(split_part(coalesce(recipient.language, ''), '-', 1))"
PLATFORM = "coalesce(subscription.platform, '')"
# A message to named recipients has few deliveries, and there may be very many such messages.
NO_TEST = "NOT EXISTS (SELECT FROM messaging_pushmessage WHERE id = {}.push_message_id AND test)"
MESSAGE = "CASE message.audience WHEN 'recipients' THEN 0 ELSE message.id END"

DELIVERIES = f"""
SELECT delivery.day, message.website_id, {MESSAGE}, delivery.push_service, {LANGUAGE}, {PLATFORM},
    delivery.state, CASE delivery.state WHEN 'accepted' THEN '' ELSE delivery.reason END,
    coalesce(delivery.answered_at, delivery.created_at), 0::numeric, {VARIANT}
FROM deliveries_delivery delivery
JOIN messaging_pushmessage message ON message.id = delivery.push_message_id
LEFT JOIN recipients_recipient recipient ON recipient.id = delivery.recipient_id
LEFT JOIN recipients_subscription subscription ON subscription.id = delivery.subscription_id
WHERE NOT message.test AND {{ended}}"""  # noqa: S608 - our own words, here and below

# A report without its delivery counts nowhere. A button's name comes from outside: only ours count.
REPORTS = f"""
SELECT event.day, event.website_id, {MESSAGE}, delivery.push_service, {LANGUAGE}, {PLATFORM}, event.kind,
    CASE WHEN event.kind = 'clicked' AND event.properties ->> 'button' IN ('button-1', 'button-2')
         THEN event.properties ->> 'button' ELSE '' END,
    event.occurred_at, 0, {VARIANT}
FROM activity_event event
JOIN deliveries_delivery delivery ON delivery.id = event.delivery_id AND delivery.day = event.day
JOIN messaging_pushmessage message ON message.id = delivery.push_message_id
LEFT JOIN recipients_recipient recipient ON recipient.id = delivery.recipient_id
LEFT JOIN recipients_subscription subscription ON subscription.id = delivery.subscription_id
WHERE event.delivery_id IS NOT NULL AND NOT message.test AND {{recorded}}"""  # noqa: S608

SUBSCRIBED = f"""
SELECT event.day, event.website_id, 0, coalesce(event.properties ->> 'push_service', ''), {LANGUAGE},
    {PLATFORM}, event.kind, '', event.occurred_at, 0, ''
FROM activity_event event
LEFT JOIN recipients_recipient recipient ON recipient.id = event.recipient_id
LEFT JOIN LATERAL (
    SELECT platform FROM recipients_subscription
    WHERE recipient_id = event.recipient_id ORDER BY id DESC LIMIT 1
) subscription ON true
WHERE event.kind = '{EventKind.SUBSCRIBED}' AND {{recorded}}"""  # noqa: S608

UNSUBSCRIBED = f"""
SELECT event.day, event.website_id, coalesce(charged.push_message_id, 0),
    coalesce(charged.push_service, event.properties ->> 'push_service', ''), {LANGUAGE}, {PLATFORM},
    event.kind, '', event.occurred_at, 0, coalesce(charged.variant, '')
FROM activity_event event
LEFT JOIN recipients_recipient recipient ON recipient.id = event.recipient_id
LEFT JOIN LATERAL (
    SELECT push_message_id, push_service, subscription_id, variant FROM deliveries_delivery delivery
    WHERE delivery.recipient_id = event.recipient_id AND delivery.state = 'accepted'
      AND delivery.answered_at <= event.occurred_at
      AND delivery.answered_at > event.occurred_at - interval '24 hours'
      AND coalesce(delivery.ended_in, 0) <= coalesce(event.recorded_in, 0)
      AND {NO_TEST.format("delivery")}
    ORDER BY delivery.answered_at DESC, delivery.id DESC LIMIT 1
) charged ON true
LEFT JOIN recipients_subscription subscription ON subscription.id = charged.subscription_id
WHERE event.kind = '{EventKind.UNSUBSCRIBED}' AND {{recorded}}"""  # noqa: S608

CONVERSIONS = f"""
SELECT event.day, event.website_id, coalesce(click.push_message_id, 0), coalesce(delivery.push_service, ''),
    {LANGUAGE}, {PLATFORM}, '{CONVERTED}', event.name, event.occurred_at, {WORTH}, {VARIANT}
FROM activity_event event
LEFT JOIN recipients_recipient recipient ON recipient.id = event.recipient_id
LEFT JOIN LATERAL (
    SELECT push_message_id, delivery_id, day FROM activity_event clicked
    WHERE clicked.recipient_id = event.recipient_id AND clicked.kind = 'clicked'
      AND clicked.occurred_at <= event.occurred_at
      AND clicked.occurred_at > event.occurred_at - make_interval(hours => %(conversion_hours)s)
      AND coalesce(clicked.recorded_in, 0) <= coalesce(event.recorded_in, 0)
      AND {NO_TEST.format("clicked")}
    ORDER BY clicked.occurred_at DESC, clicked.id DESC LIMIT 1
) click ON true
LEFT JOIN deliveries_delivery delivery ON delivery.id = click.delivery_id AND delivery.day = click.day
LEFT JOIN recipients_subscription subscription ON subscription.id = delivery.subscription_id
WHERE event.kind = '{EventKind.EVENT}' AND event.name = ANY(%(conversions)s) AND {{recorded}}"""  # noqa: S608

# Of page views it is enough to know which begin a visit, and in whose browser. Each looks back by the index
# of its recipient, in the months that so short a time can lie in.
VISITS = f"""
SELECT event.day, event.website_id, 0, coalesce(subscription.push_service, ''), '', '', '{VISIT}', '',
    event.occurred_at, 0, ''
FROM activity_event event
LEFT JOIN LATERAL (
    SELECT id FROM activity_event viewed
    WHERE viewed.recipient_id = event.recipient_id AND viewed.kind = '{EventKind.PAGE_VIEW}'
      AND viewed.day >= ((event.occurred_at - {VISIT_GAP}) AT TIME ZONE 'UTC')::date
      AND viewed.occurred_at >= event.occurred_at - {VISIT_GAP}
      AND (viewed.occurred_at, viewed.id) < (event.occurred_at, event.id)
      AND coalesce(viewed.recorded_in, 0) <= coalesce(event.recorded_in, 0)
    LIMIT 1
) before ON true
LEFT JOIN LATERAL (
    SELECT push_service FROM recipients_subscription
    WHERE recipient_id = event.recipient_id ORDER BY id DESC LIMIT 1
) subscription ON true
WHERE event.kind = '{EventKind.PAGE_VIEW}' AND before.id IS NULL AND {{recorded}}"""  # noqa: S608

# Of how visitors were asked it is enough to know how often.
ASKED = """
SELECT event.day, event.website_id, 0, '', '', '', event.kind, '', event.occurred_at, 0, ''
FROM activity_event event
WHERE event.kind = ANY(%(opt_in)s) AND {recorded}"""

OF_MESSAGES = (DELIVERIES, REPORTS)
ALL = (DELIVERIES, REPORTS, SUBSCRIBED, UNSUBSCRIBED, CONVERSIONS, VISITS, ASKED)
# Which rows: those of the transactions from ``after`` and before ``until``, …
IN_WINDOW = {
    "ended": "delivery.ended_in >= %(after)s AND delivery.ended_in < %(until)s",
    "recorded": "event.recorded_in >= %(after)s AND event.recorded_in < %(until)s",
}
# … all before ``until``, with those that were written before rows had a transaction number, …
UP_TO = {
    "ended": "delivery.state NOT IN ('pending', 'sending') AND coalesce(delivery.ended_in, 0) < %(until)s",
    "recorded": "coalesce(event.recorded_in, 0) < %(until)s",
}
# … and those of one push message.
OF_MESSAGE = {
    "ended": "delivery.push_message_id = %(message)s AND delivery.day = %(day)s"
    " AND delivery.state NOT IN ('pending', 'sending')",
    "recorded": "event.push_message_id = %(message)s",
}


def rows(which: dict[str, str], sources: tuple[str, ...] = ALL) -> str:
    """SQL for the rows, with COLUMNS. To be executed with ``values`` and what ``which`` asks for."""
    sql = f"SELECT * FROM ({' UNION ALL '.join(sources)}) happened ({COLUMNS})"  # noqa: S608 - our own words
    return sql.replace("{ended}", which["ended"]).replace("{recorded}", which["recorded"])


def values() -> dict[str, Any]:
    return {
        "conversion_hours": settings.CONVERSION_HOURS,
        "conversions": settings.CONVERSION_EVENTS,
        "opt_in": sorted(kind.value for kind in OPT_IN),
    }
