"""Date attributes: when an occasion comes, on each recipient's own clock, and whose comes in a span of time.

A value is a day (``1990-05-17``), or a time (``2026-11-26T15:00:00+01:00``; without a zone, the recipient's).
"""

import datetime
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from signalize_console.audiences.sql import Sql
from signalize_console.automations import waiting
from signalize_console.automations.conditions import definition_of, guarded, reachable
from signalize_console.automations.definition import Facts
from signalize_console.automations.models import RuleVersion, Schedule
from signalize_console.automations.starting import start
from signalize_console.messaging.wall_clock import instant

DAY = datetime.timedelta(days=1)
MORNING = "09:00"
Span = tuple[datetime.datetime, datetime.datetime]

# Days written as YYYY-MM-DD stand in order as texts; the exact time is reckoned of these few.
FIND = """
SELECT recipient.id, recipient.time_zone, recipient.attributes ->> %(attribute)s
FROM recipients_recipient recipient
WHERE recipient.website_id = %(website)s AND {among}
  AND recipient.attributes ->> %(attribute)s ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}($|[T ])'
  AND substring(recipient.attributes ->> %(attribute)s FROM %(first)s FOR %(length)s) = ANY(%(days)s)
"""
SOURCE = """
SELECT recipient_id, trigger, at, facts::jsonb, due_at
FROM unnest(%(recipients)s::bigint[], %(triggers)s::text[], %(ats)s::timestamptz[], %(facts)s::text[],
            %(dues)s::timestamptz[]) AS given (recipient_id, trigger, at, facts, due_at)
"""
LEAP_DAY = (2, 29)


class Occasion(NamedTuple):
    trigger: str
    due_at: datetime.datetime


def occasions(value: object, facts: Facts, zone: str, span: Span) -> Iterator[Occasion]:
    """Those of this value that are due from the span's begin on and before its end."""
    if (written := _read(value)) is None:
        return
    clock, offset = waiting.zone(zone), facts.get("offset", {"days": 0})
    years = {span[0].year - 1, span[0].year, span[1].year, span[1].year + 1} if "every" in facts else {0}
    for year in sorted(years):
        moment = _in_year(written, year) if year else written
        if isinstance(moment, datetime.datetime):
            at = moment if moment.tzinfo else instant(moment, clock)
            name = at.astimezone(datetime.UTC).isoformat(timespec="minutes")
        else:
            time = datetime.time.fromisoformat(facts.get("at", MORNING))
            at = instant(datetime.datetime.combine(moment, time), clock)
            name = moment.isoformat()
        due = waiting.later(at, offset, clock)
        if span[0] <= due < span[1]:
            yield Occasion(f"date-{name}", due)


def still_so(trigger: str, value: object, facts: Facts) -> bool:
    """Whether the value is still the one that this trigger came from."""
    if (written := _read(value)) is None:
        return False
    said = trigger.removeprefix("date-")
    if "every" in facts:
        written = _in_year(written, int(said[:4]))
    if isinstance(written, datetime.datetime):
        # Without a zone of its own it may lie a day around what UTC calls it.
        at = written if written.tzinfo else written.replace(tzinfo=datetime.UTC)
        return abs(at - datetime.datetime.fromisoformat(said)) < (DAY if not written.tzinfo else DAY / 1440)
    return written.isoformat() == said


def plan(cursor: CursorWrapper, version: RuleVersion, span: Span, among: str, **values: Any) -> int:
    """Starts the runs whose occasion is due in this span, of the recipients ``among``."""
    definition = definition_of(version)
    facts = definition.when.facts
    found = _found(cursor, version.rule.website_id, facts, span, (among, values))
    if not found:
        return 0
    columns = list(zip(*found, strict=True))
    names = ["recipients", "triggers", "ats", "facts", "dues"]
    sql = Sql(timezone.now())
    condition = reachable(sql, version.rule.website_id, definition.condition)
    given = {name: list(column) for name, column in zip(names, columns, strict=True)}
    return start(cursor, version, SOURCE, condition, {**sql.values, **given})


def plan_changed(version: RuleVersion, recipients: list[int]) -> None:
    """Of these recipients, as far as all others have been looked at already."""
    schedule = Schedule.objects.filter(rule=version.rule).first()
    if schedule is not None and recipients:
        now = timezone.now()
        with guarded(version.rule) as cursor:
            span = (now - version.rule.late_after, max(schedule.moment or schedule.since, now))
            plan(cursor, version, span, "recipient.id = ANY(%(ids)s)", ids=recipients)


def due(cursor: CursorWrapper, website_id: int, facts: Facts, span: Span) -> list[int]:
    """The recipients of the website with an occasion in this span."""
    return [found[0] for found in _found(cursor, website_id, facts, span, ("true", {}))]


def _found(
    cursor: CursorWrapper, website_id: int, facts: Facts, span: Span, among: tuple[str, dict[str, Any]]
) -> list[tuple[int, str, datetime.datetime, str, datetime.datetime]]:
    asked = {**among[1], "website": website_id, **_asked(facts, span)}
    cursor.execute(FIND.format(among=among[0]), asked)
    return [
        (recipient, one.trigger, one.due_at, "{}", one.due_at)
        for recipient, zone, value in cursor.fetchall()
        for one in occasions(value, facts, zone, span)
    ]


def _asked(facts: Facts, span: Span) -> dict[str, Any]:
    """Which part of the value is compared with which texts."""
    first, length = (6, 5) if "every" in facts else (1, 10)
    days = [day.isoformat()[first - 1 : first - 1 + length] for day in _days(facts, span)]
    return {"attribute": facts["attribute"], "first": first, "length": length, "days": days}


def _days(facts: Facts, span: Span) -> Iterable[datetime.date]:
    """The days that a value may name to be due in the span, in any zone."""
    offset = facts.get("offset", {"days": 0})
    distance = datetime.timedelta(**offset)
    first, last = (span[0] - distance).date() - 2 * DAY, (span[1] - distance).date() + 2 * DAY
    days = [first + number * DAY for number in range((last - first).days + 1)]
    if any((day.month, day.day) == (2, 28) for day in days):
        # In other years, who was born on the 29th of February has the day before.
        days.append(datetime.date(2000, *LEAP_DAY))
    return days


def _read(value: object) -> datetime.date | datetime.datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    if not 1 < found.year < 9_998:
        return None
    return found.date() if len(value) == len("2026-01-01") else found


def _in_year(moment: Any, year: int) -> Any:
    try:
        return moment.replace(year=year)
    except ValueError:
        return moment.replace(year=year, day=28)
