"""Whom an audience reaches, while somebody edits it: exactly where few are to be looked at, else about.

Of many, some are looked at, taken from all over the table. What a person sends to is counted by counting.py.
"""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext_lazy as _

from signalize_console.audiences.compiler import compile_both
from signalize_console.audiences.counting import SAMPLE, limited
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website

SECONDS = 1.5
EXACT_UP_TO, LOOKED_AT = 8_000, 7_000

HOW_MANY = "SELECT count(*) FROM (SELECT FROM {table} WHERE {which} LIMIT {most}) counted"
PLANNED = "EXPLAIN (FORMAT JSON) SELECT FROM {table} WHERE {which}"
SUBSCRIPTIONS = "recipients_subscription", "website_id = %(website)s AND state = 'active'"
RECIPIENTS = "recipients_recipient", "website_id = %(website)s"
# The same rows at each look, so that the number moves only when the audience does.
SOME = " TABLESAMPLE SYSTEM ({percent}) REPEATABLE (1)"
# Of so few rows the rest is found by an index; the planner thinks of slow disks, and would read whole tables.
BY_INDEX = "SET LOCAL random_page_cost = 1.1"

REACHED = """
WITH looked AS MATERIALIZED (
    SELECT id, recipient_id, push_service, platform, created_at FROM recipients_subscription{some}
    WHERE website_id = %(website)s AND state = 'active'
)
SELECT (SELECT count(*) FROM looked), count(*), count(*) FILTER (WHERE {also}),
    (array_agg(recipient.id ORDER BY subscription.id DESC))[:{examples}]
FROM looked subscription JOIN recipients_recipient recipient ON recipient.id = subscription.recipient_id
WHERE {chosen}
"""
# By the best subscription of each; a condition on the subscription is not met by who never had one.
STANDING = """
WITH looked AS MATERIALIZED (SELECT * FROM recipients_recipient{some} WHERE website_id = %(website)s)
SELECT standing, count(*), (SELECT count(*) FROM looked) FROM (
    SELECT CASE
        WHEN subscription.id IS NULL THEN 'none'
        WHEN subscription.state <> 'active' THEN subscription.state
        WHEN subscription.key_mismatch_at IS NOT NULL THEN 'key_mismatch'
        WHEN recipient.paused_until > %(at)s THEN 'paused'
        ELSE 'reachable' END AS standing
    FROM looked recipient LEFT JOIN LATERAL (
        SELECT * FROM recipients_subscription own WHERE own.recipient_id = recipient.id
        ORDER BY own.state = 'active' DESC, own.id DESC LIMIT 1
    ) subscription ON true
    WHERE coalesce({chosen}, false)
) counted GROUP BY 1
"""


class Standing(models.TextChoices):
    """Why a recipient can't be reached, or that they can."""

    REACHABLE = "reachable", _("reachable")
    NONE = "none", _("never subscribed")
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
    EXPIRED = "expired", _("subscription expired")
    QUARANTINED = "quarantined", _("called gone by the push service, kept for a week")
    KEY_MISMATCH = "key_mismatch", _("subscribed with another VAPID key; waits for their next visit")
    PAUSED = "paused", _("paused by the visitor; transactional messages still go")


@dataclass(frozen=True)
class Reach:
    """``of``: how many subscriptions there are to choose from; ``also``: how many also meet the other one."""

    subscriptions: int
    also: int
    of: int
    examples: list[Recipient]
    is_exact: bool

    @property
    def percent_also(self) -> int:
        return round(100 * self.also / self.subscriptions) if self.subscriptions else 0


def reach(
    website: Website, tree: object | None, at: datetime.datetime, also: object, *, seconds: float = SECONDS
) -> Reach:
    """``tree`` None: everyone. Raises BadSegment or TooSlow."""
    chosen, compiled = compile_both(tree, also, at)
    with limited(seconds) as cursor:
        total, some = _portion(cursor, SUBSCRIPTIONS, website)
        sql = REACHED.format(some=some, chosen=chosen, also=compiled.sql, examples=2 * SAMPLE)
        cursor.execute(sql, {**compiled.values, "website": website.pk})
        looked, found, both, ids = cursor.fetchone()
    factor = total / looked if some and looked else 1
    known = Recipient.objects.in_bulk(ids or [])
    examples = [known[one] for one in dict.fromkeys(ids or []) if one in known][:SAMPLE]
    return Reach(_about(found, factor), _about(both, factor), total, examples, not some)


def standings(
    website: Website, tree: object | None, at: datetime.datetime, *, seconds: float = SECONDS
) -> dict[Standing, int]:
    """How many recipients meet the conditions, by whether and why not they can be reached."""
    chosen, compiled = compile_both(tree, None, at)
    with limited(seconds) as cursor:
        total, some = _portion(cursor, RECIPIENTS, website)
        values = {**compiled.values, "website": website.pk, "at": at}
        cursor.execute(STANDING.format(some=some, chosen=chosen), values)
        found = {standing: _about(count, total / looked if some else 1) for standing, count, looked in cursor}
    return {one: found[one.value] for one in Standing if one.value in found}


def _portion(cursor: CursorWrapper, of: tuple[str, str], website: Website) -> tuple[int, str]:
    """How many rows there are, and the clause that takes some of them where they are too many."""
    table, which = of
    values: dict[str, Any] = {"website": website.pk}
    cursor.execute(HOW_MANY.format(table=table, which=which, most=EXACT_UP_TO + 1), values)
    (counted,) = cursor.fetchone()
    if counted <= EXACT_UP_TO:
        return counted, ""
    cursor.execute(PLANNED.format(table=table, which=which), values)
    (plan,) = cursor.fetchone()
    total = max(counted, int(plan[0]["Plan"]["Plan Rows"]))
    cursor.execute(BY_INDEX)
    return total, SOME.format(percent=100 * LOOKED_AT / total)


def _about(found: int, factor: float) -> int:
    """With two digits that mean something, where it is an estimate."""
    if factor == 1:
        return found
    number = round(found * factor)
    return round(number, 2 - len(str(number)))
