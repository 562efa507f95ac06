"""What a rule would do, without doing it: over the last seven days, and with a sample event."""

import datetime
import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from signalize_console.audiences.counting import limited
from signalize_console.audiences.sql import Sql
from signalize_console.automations import dates, waiting
from signalize_console.automations.conditions import KINDS, any_happened, happened, reachable
from signalize_console.automations.definition import HAPPENS, Definition, Only, Send, Wait
from signalize_console.automations.models import Reentry
from signalize_console.automations.sending import values_of
from signalize_console.messaging import rendering
from signalize_console.messaging.models import MessageTemplate, PushMessage
from signalize_console.messaging.placeholders import MissingValue
from signalize_console.websites.models import Website

DAYS, SECONDS = 7, 10.0
WEEK = datetime.timedelta(days=DAYS)

# Each trigger by somebody reachable, but for those that were undone before the first message.
TRIGGERS = """
SELECT {counted} FROM activity_event event
JOIN recipients_recipient recipient ON recipient.id = event.recipient_id
WHERE event.website_id = %(website)s AND event.day >= %(since)s::date AND event.occurred_at >= %(since)s
  AND {happened} AND {reachable}{undone}
"""
UNDONE = """ AND NOT EXISTS (
    SELECT FROM activity_event later WHERE later.recipient_id = event.recipient_id AND {happened}
      AND later.occurred_at > event.occurred_at AND later.occurred_at <= event.occurred_at + %(first)s
)"""
REACHED = """
SELECT count(*) FROM recipients_recipient recipient
WHERE recipient.website_id = %(website)s AND {reachable}{more}
"""
INACTIVE = " AND recipient.seen_at >= %(since)s - %(period)s AND recipient.seen_at < %(until)s - %(period)s"
DATES = " AND recipient.id = ANY(%(recipients)s)"
HOLDS = """
SELECT {happened}
FROM (SELECT %(kind)s::text AS kind, %(name)s::text AS name, %(properties)s::jsonb AS properties) event
"""


class CannotRehearse(ValueError):
    """``str()`` says why."""


def last_week(website: Website, definition: Definition, reentry: str) -> int:
    """How often it would have begun. Raises CannotRehearse, BadSegment or TooSlow."""
    now = timezone.now()
    when = definition.when
    if when.kind == "feed":
        raise CannotRehearse(_("What a feed had last week isn't known. Switch it on and wait for an item."))
    sql = Sql(now)
    conditions = {"reachable": reachable(sql, website.pk, definition.condition)}
    values: dict[str, Any] = {"website": website.pk, "since": now - WEEK, "until": now}
    with limited(SECONDS) as cursor:
        if when.kind in HAPPENS:
            is_each = reentry == Reentry.ALWAYS
            conditions["counted"] = "count(*)" if is_each else "count(DISTINCT event.recipient_id)"
            conditions["happened"] = happened(sql, when)
            conditions["undone"] = _undone(sql, definition)
            values["first"] = _until_first(definition)
            cursor.execute(TRIGGERS.format(**conditions), {**values, **sql.values})
            return int(cursor.fetchone()[0])
        more, times = "", 1
        if when.kind == "inactivity":
            more, values["period"] = INACTIVE, datetime.timedelta(days=when.facts["days"])
        elif when.kind == "date":
            more = DATES
            values["recipients"] = dates.due(cursor, website.pk, when.facts, (now - WEEK, now))
        else:
            times = len(when.facts["days"])
        cursor.execute(REACHED.format(more=more, **conditions), {**values, **sql.values})
        return times * int(cursor.fetchone()[0])


def _undone(sql: Sql, definition: Definition) -> str:
    if not definition.unless:
        return ""
    return UNDONE.format(happened=any_happened(sql, definition.unless, "later"))


def _until_first(definition: Definition) -> datetime.timedelta:
    """How long it is at most until the first message."""
    total = datetime.timedelta()
    for step in definition.steps:
        if isinstance(step, Send):
            break
        if isinstance(step, Wait):
            facts = {"for": step.facts, "until": {"days": 1}, "event": step.facts.get("timeout")}[step.kind]
            total += datetime.timedelta(**(facts or {}))
    return total


class Shown(NamedTuple):
    """A moment of the rehearsal. ``notification``: what would be sent then, or ``problem``: why not."""

    at: datetime.datetime
    text: str
    notification: dict[str, Any] | None = None
    problem: str = ""


@dataclass(frozen=True)
class Sample:
    """A recipient and an event that might be."""

    properties: dict[str, Any]
    attributes: dict[str, Any]
    language: str = "en"
    time_zone: str = ""


def with_sample(website: Website, definition: Definition, sample: Sample) -> tuple[bool, list[Shown]]:
    """Whether the sample triggers it, and what would follow, in time."""
    now = timezone.now()
    return _triggers(definition, sample), list(_follow(website, definition, sample, now))


def _triggers(definition: Definition, sample: Sample) -> bool:
    when = definition.when
    if when.kind not in HAPPENS:
        return True
    sql = Sql(timezone.now())
    statement = HOLDS.format(happened=happened(sql, when))
    event = {
        "kind": KINDS[when.kind].value,
        "name": when.facts.get("name", ""),
        "properties": json.dumps(sample.properties),
    }
    with limited(SECONDS) as cursor:
        cursor.execute(statement, {**event, **sql.values})
        return bool(cursor.fetchone()[0])


def _follow(website: Website, definition: Definition, sample: Sample, now: datetime.datetime) -> Any:
    zone, at = waiting.zone(sample.time_zone), now
    templates = MessageTemplate.objects.prefetch_related("texts").in_bulk(definition.templates)
    values = {**sample.attributes, **values_of(sample.properties)}
    for step in definition.steps:
        if isinstance(step, Wait):
            if step.kind == "until":
                at = waiting.next_at(at, step.facts["until"], zone)
            else:
                at = waiting.later(at, step.facts.get("timeout", step.facts), zone)
        elif isinstance(step, Only):
            yield Shown(at, _("Only for whom the condition holds at this time"))
        elif template := templates.get(step.template_id):
            yield _shown(website, template, sample, values, at)
        else:
            yield Shown(at, "", problem=_("The template was deleted."))


def _shown(
    website: Website, template: MessageTemplate, sample: Sample, values: dict[str, Any], at: datetime.datetime
) -> Shown:
    message = PushMessage(website=website)
    texts = message.use(template)
    try:
        said = rendering.notification(message, rendering.text_for(texts, sample.language), values)
    except MissingValue as error:
        return Shown(at, template.name, problem=_("There is no value for “%s”.") % error.args[0])
    return Shown(at, template.name, said)
