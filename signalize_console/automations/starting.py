"""Starting runs: one statement for a rule and what has happened, or the recipients whose time has come."""

from collections.abc import Mapping
from typing import Any

from django.db.backends.utils import CursorWrapper

from signalize_console.automations.models import Reentry, Rule, RuleVersion

# ``source`` gives what triggers, with the columns named here; ``recipient`` is the recipient's own row.
START = """
WITH started AS (
    INSERT INTO automations_run
        (rule_id, version_id, recipient_id, trigger, triggered_at, facts, state, why, due_at, moved_at)
    SELECT {distinct} %(rule)s, %(version)s, recipient.id, happened.trigger, happened.at, happened.facts,
        CASE WHEN late THEN 'held' ELSE 'waiting' END, CASE WHEN late THEN 'late' ELSE '' END,
        CASE WHEN NOT late THEN greatest(happened.due_at, now()) END, now()
    FROM ({source}) happened
    JOIN recipients_recipient recipient ON recipient.id = happened.recipient_id
    CROSS JOIN LATERAL (SELECT happened.due_at < now() - %(late_after)s AS late) lateness
    WHERE recipient.website_id = %(website)s AND {condition}{reentry}{order}
    ON CONFLICT DO NOTHING
    RETURNING recipient_id
), restarted AS (
    UPDATE automations_run run
    SET state = 'dropped', why = 'restarted', due_at = NULL, ended_at = now()
    FROM started
    WHERE %(restarts)s AND run.recipient_id = started.recipient_id AND run.rule_id = %(rule)s
      AND run.ended_at IS NULL
)
SELECT count(*) FROM started
"""
EARLIER = """ AND NOT EXISTS (
    SELECT FROM automations_run earlier
    WHERE earlier.recipient_id = recipient.id AND earlier.rule_id = %(rule)s{open}
)"""
REENTRY = {
    Reentry.ALWAYS: "",
    Reentry.RESTART: "",
    Reentry.SINGLE: EARLIER.format(open=" AND earlier.ended_at IS NULL"),
    Reentry.ONCE: EARLIER.format(open=""),
}


def start(
    cursor: CursorWrapper, version: RuleVersion, source: str, condition: str, values: Mapping[str, Any]
) -> int:
    """How many began. ``source`` is a SELECT of recipient_id, trigger, at, facts and due_at."""
    rule: Rule = version.rule
    reentry = Reentry(rule.reentry)
    latest = " DESC" if reentry == Reentry.RESTART else ""
    is_one_each = reentry != Reentry.ALWAYS
    given: dict[str, Any] = {
        **values,
        "rule": rule.pk,
        "version": version.pk,
        "website": rule.website_id,
        "late_after": rule.late_after,
        "restarts": reentry == Reentry.RESTART,
    }
    statement = START.format(
        source=source,
        condition=condition,
        distinct="DISTINCT ON (recipient.id)" if is_one_each else "",
        reentry=REENTRY[reentry],
        order=f" ORDER BY recipient.id, happened.at{latest}" if is_one_each else "",
    )
    cursor.execute(statement, given)
    return int(cursor.fetchone()[0])
