"""Which placeholders recipients have values for: the newest ones who can be reached are asked."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import connection

from signalize_console.messaging.placeholders import NAME, Placeholder
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website

ASKED, NAMED_BY, MOST_NAMES = 10, 1_000, 50

NAMES = """
SELECT name, count(*) FROM (
    SELECT CASE jsonb_typeof(attributes) WHEN 'object' THEN attributes ELSE '{}' END AS attributes
    FROM recipients_recipient WHERE id IN (
        SELECT recipient_id FROM recipients_subscription
        WHERE website_id = %(website)s AND state = 'active' ORDER BY id DESC LIMIT %(newest)s
    )
) newest CROSS JOIN LATERAL jsonb_object_keys(attributes) name
WHERE name ~ %(form)s
GROUP BY name ORDER BY count(*) DESC, name LIMIT %(most)s
"""


class Lack(NamedTuple):
    """``missing`` of the ``asked`` recipients have no value for the placeholder."""

    placeholder: Placeholder
    missing: int
    asked: int


def names(website: Website) -> list[str]:
    """The attributes of its newest 1,000 recipients that a placeholder can name, the commonest first."""
    values: dict[str, Any] = {
        "website": website.pk,
        "newest": NAMED_BY,
        "form": f"^{NAME}$",
        "most": MOST_NAMES,
    }
    with connection.cursor() as cursor:
        cursor.execute(NAMES, values)
        return [name for name, _count in cursor.fetchall()]


def newest(website: Website) -> list[Recipient]:
    """Its newest 10 recipients."""
    subscriptions = Subscription.objects.active().filter(website=website).order_by("-id")
    return list(Recipient.objects.filter(pk__in=subscriptions.values("recipient_id")[:ASKED]))


def lacks(placeholders: Iterable[Placeholder], recipients: Iterable[Recipient]) -> list[Lack]:
    """The placeholders that some of the recipients have no value for."""
    attributes = [recipient.attributes for recipient in recipients]
    counted = (
        Lack(one, sum(has.get(one.name) in (None, "") for has in attributes), len(attributes))
        for one in placeholders
    )
    return [lack for lack in counted if lack.missing]
