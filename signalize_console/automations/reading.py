"""From what happened to runs: reads on by the cursor, starts, cancels, and wakes who waited for it."""

import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from signalize_console.activity.cursors import Window, next_window
from signalize_console.audiences.sql import Sql
from signalize_console.automations import dates
from signalize_console.automations.conditions import (
    KINDS,
    any_happened,
    definition_of,
    guarded,
    happened,
    reachable,
)
from signalize_console.automations.definition import HAPPENS, Definition, Happening, Wait
from signalize_console.automations.models import RuleVersion
from signalize_console.automations.starting import start

READER = "automations"
# Transactions in one round.
WINDOW = 2_000
# Older than this is not even held: say, after the restore of a dump.
OLDEST = datetime.timedelta(days=3)

# What there is in the window: most rules are spared their statement. The first day spares older partitions.
PRESENT = """
SELECT website_id, kind, name, min(day) FROM activity_event
WHERE recorded_in >= %(after)s AND recorded_in < %(until)s
  AND recipient_id IS NOT NULL AND kind = ANY(%(kinds)s)
GROUP BY website_id, kind, name
"""
NEW = """event.recorded_in >= %(after)s AND event.recorded_in < %(until)s AND event.day >= %(first_day)s
    AND event.website_id = %(website)s"""
TRIGGERS = """
SELECT event.recipient_id, 'event-' || event.id AS trigger, event.occurred_at AS at,
    event.properties AS facts, event.occurred_at AS due_at
FROM activity_event event
WHERE {new} AND {happened} AND event.occurred_at >= %(on_since)s
  AND event.occurred_at > now() - %(oldest)s{undone}
"""
UNDONE = """ AND NOT EXISTS (
    SELECT FROM activity_event later WHERE later.recipient_id = event.recipient_id
      AND later.occurred_at > event.occurred_at AND {happened}
)"""
CANCEL = """
UPDATE automations_run run SET state = 'cancelled', why = 'unless', due_at = NULL, ended_at = now()
FROM activity_event event
WHERE {new} AND {happened} AND run.recipient_id = event.recipient_id AND run.version_id = %(version)s
  AND run.ended_at IS NULL AND event.occurred_at > run.triggered_at
"""
WAKE = """
UPDATE automations_run run SET due_at = now(), why = 'event_came'
FROM activity_event event
WHERE {new} AND {happened} AND run.recipient_id = event.recipient_id AND run.version_id = %(version)s
  AND run.ended_at IS NULL AND run.step = %(step)s AND run.why = 'wait_event'
  AND event.occurred_at >= run.moved_at - interval '1 second'
"""
CHANGED = """
SELECT DISTINCT event.recipient_id FROM activity_event event WHERE {new} AND {happened}
"""


class Present(NamedTuple):
    """What the window holds, with the first day of it all."""

    kinds: set[tuple[int, str, str]]
    first_day: datetime.date

    def has(self, website_id: int, what: Happening) -> bool:
        name = what.facts.get("name", "")
        return (website_id, KINDS[what.kind].value, name) in self.kinds


def read_on() -> bool:
    """Reads the next transactions. True: there are more."""
    with next_window(READER, WINDOW) as window:
        if window is None:
            return False
        present = _present(window)
        if present.kinds:
            for version in versions():
                _Reading(version, window, present).read()
    return not window.is_last


def versions() -> list[RuleVersion]:
    """All versions of the rules that are on: runs may be under way on any of them."""
    found = RuleVersion.objects.filter(rule__is_on=True).select_related("rule")
    return list(found.order_by("rule", "number"))


def _present(window: Window) -> Present:
    with connection.cursor() as cursor:
        cursor.execute(PRESENT, {**window._asdict(), "kinds": [kind.value for kind in KINDS.values()]})
        rows = cursor.fetchall()
    kinds = {(website, kind, name) for website, kind, name, _day in rows}
    return Present(kinds, min((row[3] for row in rows), default=datetime.date.max))


class _Reading:
    """One version and one window."""

    def __init__(self, version: RuleVersion, window: Window, present: Present) -> None:
        self.version, self.rule, self.present = version, version.rule, present
        self.values: dict[str, Any] = {
            "after": window.after,
            "until": window.until,
            "first_day": present.first_day,
            "website": self.rule.website_id,
            "version": version.pk,
            "on_since": self.rule.on_since,
            "oldest": OLDEST,
        }

    def read(self) -> None:
        with guarded(self.rule):
            definition = definition_of(self.version)
            self._cancel(definition)
            self._wake(definition)
            if self.version.pk == self.rule.version_id:
                self._start(definition)

    def _cancel(self, definition: Definition) -> None:
        events = [one for one in definition.unless if self.present.has(self.rule.website_id, one)]
        if events:
            sql = Sql(timezone.now())
            self._execute(CANCEL, sql, any_happened(sql, events))

    def _wake(self, definition: Definition) -> None:
        for number, step in enumerate(definition.steps):
            if isinstance(step, Wait) and step.event and self.present.has(self.rule.website_id, step.event):
                sql = Sql(timezone.now())
                self._execute(WAKE, sql, happened(sql, step.event), step=number + 1)

    def _start(self, definition: Definition) -> None:
        sql, when = Sql(timezone.now()), definition.when
        if when.kind == "date":
            self._plan(definition)
        if when.kind not in HAPPENS or not self.present.has(self.rule.website_id, when):
            return
        undone = (
            UNDONE.format(happened=any_happened(sql, definition.unless, "later")) if definition.unless else ""
        )
        source = TRIGGERS.format(new=NEW, happened=happened(sql, when), undone=undone)
        condition = reachable(sql, self.rule.website_id, definition.condition)
        with connection.cursor() as cursor:
            start(cursor, self.version, source, condition, {**self.values, **sql.values})

    def _plan(self, definition: Definition) -> None:
        """A date that has just been told may be due before the next look at all of them."""
        changed = Happening("attribute", {"name": definition.when.facts["attribute"]})
        if not self.present.has(self.rule.website_id, changed):
            return
        sql = Sql(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(
                CHANGED.format(new=NEW, happened=happened(sql, changed)), {**self.values, **sql.values}
            )
            recipients = [recipient for (recipient,) in cursor.fetchall()]
        dates.plan_changed(self.version, recipients)

    def _execute(self, statement: str, sql: Sql, condition: str, **values: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                statement.format(new=NEW, happened=condition), {**self.values, **sql.values, **values}
            )
