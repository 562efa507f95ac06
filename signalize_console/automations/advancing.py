"""Moves runs on whose time has come: claimed, acted for and advanced in one transaction, a chunk at a time.

Whoever dies in the middle has done nothing; two workers never hold the same run.
"""

import datetime
import json
import logging
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from signalize_console.audiences.sql import Sql
from signalize_console.automations import dates, sending, waiting
from signalize_console.automations.conditions import any_happened, definition_of, guarded, reachable
from signalize_console.automations.definition import BadRule, Definition, Only, Send, Wait
from signalize_console.automations.models import RuleVersion
from signalize_console.recipients.models import Recipient

CHUNK = 500
# A less important rule lets the other one's message go first.
YIELD = datetime.timedelta(minutes=1)

log = logging.getLogger(__name__)

CLAIM = """
SELECT id, version_id, recipient_id, trigger, triggered_at, facts, step, why, due_at FROM automations_run
WHERE state = 'waiting' AND due_at <= now() ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
# How long the oldest has been due.
SECONDS_DUE = """
SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float FROM automations_run
WHERE state = 'waiting' AND due_at <= now()
"""
RECORD = """
UPDATE automations_run run
SET state = moved.state, step = moved.step, why = moved.why, due_at = moved.due_at, moved_at = now(),
    messages = run.messages || moved.sent::bigint[],
    ended_at = CASE WHEN moved.state IN ('waiting', 'held') THEN NULL ELSE now() END
FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::text[], %s::timestamptz[],
            %s::text[])
    AS moved (id, state, step, why, due_at, sent)
WHERE run.id = moved.id
"""
CANCELLED = """
SELECT run.id FROM automations_run run WHERE run.id = ANY(%(ids)s) AND EXISTS (
    SELECT FROM activity_event event
    WHERE event.recipient_id = run.recipient_id AND event.occurred_at > run.triggered_at AND {happened}
)
"""
INCLUDED = """
SELECT recipient.id FROM recipients_recipient recipient WHERE recipient.id = ANY(%(ids)s) AND {condition}
"""


HOLD_DUE = """
UPDATE automations_run SET state = 'held', why = 'restored', due_at = NULL
WHERE state = 'waiting' AND due_at <= now()
"""


@dataclass(slots=True)
class Claimed:
    """A run in our hands. It is ``moving`` until it waits, ends or is held."""

    id: int
    version_id: int
    recipient_id: int
    trigger: str
    triggered_at: datetime.datetime
    facts: Any
    step: int
    why: str
    due_at: datetime.datetime | None
    state: str = "waiting"
    moving: bool = True
    sent: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.facts = json.loads(self.facts)

    def wait(self, due_at: datetime.datetime, why: str, step: int) -> None:
        self.due_at, self.why, self.step, self.moving = due_at, why, step, False

    def end(self, state: str, why: str) -> None:
        self.state, self.why, self.due_at, self.moving = state, why, None, False


def advance() -> bool:
    """One chunk. True: there may be more."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM, [CHUNK])
        runs = [Claimed(*row) for row in cursor.fetchall()]
        if not runs:
            return False
        _move(runs, timezone.now())
        columns = [
            (run.id, run.state, run.step, run.why, run.due_at, f"{{{','.join(map(str, run.sent))}}}")
            for run in runs
        ]
        cursor.execute(RECORD, [list(column) for column in zip(*columns, strict=True)])
    return True


def hold_due() -> None:
    """What is due in a restored database may have been done since, elsewhere: a person decides."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD_DUE)


def seconds_due() -> float:
    """For how long the oldest run that is due has been."""
    with connection.cursor() as cursor:
        cursor.execute(SECONDS_DUE)
        return float(cursor.fetchone()[0])


def _move(runs: list[Claimed], now: datetime.datetime) -> None:
    versions = RuleVersion.objects.select_related("rule__website").in_bulk({run.version_id for run in runs})
    recipients = Recipient.objects.in_bulk({run.recipient_id for run in runs})
    by_version = defaultdict(list)
    for run in runs:
        by_version[run.version_id].append(run)
    for version_id, its in by_version.items():
        if not _is_readable(versions[version_id]):
            _hold(its)
    for run in _yielding([run for run in runs if run.moving], versions):
        run.wait(now + YIELD, "yields", run.step)
    for version_id, its in by_version.items():
        if moving := [run for run in its if run.moving]:
            _walk(versions[version_id], moving, recipients, now)


def _is_readable(version: RuleVersion) -> bool:
    """Not where an older release has stored what this one doesn't know."""
    try:
        definition_of(version)
    except BadRule as error:
        version.rule.note_trouble(str(error))
        return False
    return True


def _walk(
    version: RuleVersion, runs: list[Claimed], recipients: dict[int, Recipient], now: datetime.datetime
) -> None:
    """What goes wrong with one rule undoes and holds only its own."""
    try:
        with transaction.atomic():
            _Walk(version, recipients, now).walk(runs)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        for run in runs:
            run.sent.clear()
        ids = {"automation_id": version.rule_id}
        log.exception("The automation %s can't go on.", version.rule_id, extra=ids)
        version.rule.note_trouble(_("It failed (%s). The worker's log says why.") % type(error).__name__)
        _hold(runs)


def _hold(runs: list[Claimed]) -> None:
    for run in runs:
        run.end("held", "internal_error")


def _yielding(runs: list[Claimed], versions: dict[int, RuleVersion]) -> list[Claimed]:
    """Those about to send marketing to somebody whom a more important rule sends to at this moment."""
    sending: dict[int, list[Claimed]] = defaultdict(list)
    for run in runs:
        steps = definition_of(versions[run.version_id]).steps
        step = steps[run.step] if run.step < len(steps) else None
        if isinstance(step, Send) and not step.transactional and versions[run.version_id].rule.is_on:
            sending[run.recipient_id].append(run)

    def priority(run: Claimed) -> int:
        return versions[run.version_id].rule.priority

    return [
        run
        for its in sending.values()
        for run in its
        if priority(run) < max(priority(other) for other in its)
    ]


class _Walk:
    """The way of one version's runs through its steps, all together."""

    def __init__(
        self, version: RuleVersion, recipients: dict[int, Recipient], now: datetime.datetime
    ) -> None:
        self.version, self.rule, self.recipients, self.now = version, version.rule, recipients, now
        self.definition: Definition = definition_of(version)

    def walk(self, runs: list[Claimed]) -> None:
        self._sort_out([run for run in runs if run.moving])
        for number, step in enumerate(self.definition.steps):
            here = [run for run in runs if run.moving and run.step == number]
            if not here:
                continue
            if isinstance(step, Wait):
                self._wait(step, number, here)
            elif isinstance(step, Only):
                self._narrow(step, here)
            else:
                sending.Sender(self.version, self.recipients, self.now).send(number, step, here)
            for run in here:
                run.step = run.step + 1 if run.moving else run.step
        for run in runs:
            if run.moving:
                run.end("finished", "")

    def _sort_out(self, runs: list[Claimed]) -> None:
        """Ends those that must not go on, and holds what is too late."""
        for run in runs:
            if not self.rule.is_on:
                run.end("dropped", "switched_off")
            elif run.due_at and run.due_at < self.now - self.rule.late_after:
                run.end("held", "late")
            elif run.why == "wait_event" and self._must_not_time_out(run.step - 1):
                run.end("dropped", "timed_out")
            elif not self._still_so(run):
                run.end("dropped", "changed")
        if self.definition.unless and (going := [run for run in runs if run.moving]):
            for run in self._undone(going):
                run.end("cancelled", "unless")

    def _undone(self, runs: list[Claimed]) -> list[Claimed]:
        sql = Sql(self.now)
        statement = CANCELLED.format(happened=any_happened(sql, self.definition.unless))
        with connection.cursor() as cursor:
            cursor.execute(statement, {**sql.values, "ids": [run.id for run in runs]})
            undone = {run_id for (run_id,) in cursor.fetchall()}
        return [run for run in runs if run.id in undone]

    def _must_not_time_out(self, number: int) -> bool:
        step = self.definition.steps[number]
        return isinstance(step, Wait) and step.facts.get("onTimeout") == "end"

    def _still_so(self, run: Claimed) -> bool:
        """An appointment may have been moved, and who was away may have come back."""
        when, recipient = self.definition.when, self.recipients[run.recipient_id]
        if run.step > 0 or when.kind not in {"date", "inactivity"}:
            return True
        if when.kind == "inactivity":
            return run.trigger == f"inactive-{round(recipient.seen_at.timestamp())}"
        value = recipient.attributes.get(when.facts["attribute"])
        return dates.still_so(run.trigger, value, when.facts)

    def _wait(self, step: Wait, number: int, runs: list[Claimed]) -> None:
        for run in runs:
            start = run.triggered_at if number == 0 and run.why != "released" else self.now
            zone = waiting.zone(self.recipients[run.recipient_id].time_zone)
            if step.kind == "for":
                run.wait(waiting.later(start, step.facts, zone), "wait", number + 1)
            elif step.kind == "until":
                run.wait(waiting.next_at(start, step.facts["until"], zone), "wait_until", number + 1)
            else:
                run.wait(waiting.later(self.now, step.facts["timeout"], zone), "wait_event", number + 1)

    def _narrow(self, step: Only, runs: list[Claimed]) -> None:
        included: set[int] | None = None
        with guarded(self.rule) as cursor:
            sql = Sql(self.now)
            condition = reachable(sql, self.rule.website_id, step.condition)
            ids = [run.recipient_id for run in runs]
            cursor.execute(INCLUDED.format(condition=condition), {**sql.values, "ids": ids})
            included = {recipient for (recipient,) in cursor.fetchall()}
        for run in runs:
            if included is None:
                run.end("held", "condition_broken")
            elif run.recipient_id not in included:
                run.end("dropped", "not_included")
