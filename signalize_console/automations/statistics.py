"""What has become of a rule's runs and messages, from what was lately: never from all rows there are."""

from typing import NamedTuple

from django.db import connection

from signalize_console.automations.models import Rule, RuleVersion

# Of so many of the newest runs, and of the messages of so many days.
RUNS, DAYS = 10_000, 30

STATES = """
SELECT state, why, count(*) FROM (
    SELECT state, why FROM automations_run WHERE rule_id = %s ORDER BY id DESC LIMIT %s
) newest GROUP BY state, why ORDER BY count(*) DESC
"""
WAITING = """
SELECT step, count(*) FROM (
    SELECT step, version_id, state FROM automations_run WHERE rule_id = %s ORDER BY id DESC LIMIT %s
) newest WHERE state = 'waiting' AND version_id = %s GROUP BY step
"""
SENT = """
WITH sent AS (
    SELECT of_step.step, of_step.recipients, of_step.push_message_id FROM automations_stepmessage of_step
    JOIN messaging_pushmessage message ON message.id = of_step.push_message_id
    WHERE of_step.version_id = %s AND message.created_at > now() - make_interval(days => %s)
    ORDER BY of_step.id DESC LIMIT 2000
)
SELECT step, sum(recipients), sum(clicked)
FROM sent CROSS JOIN LATERAL (
    SELECT count(*) AS clicked FROM activity_event event
    WHERE event.push_message_id = sent.push_message_id AND event.kind = 'clicked'
) reported GROUP BY step
"""


class Figures(NamedTuple):
    """Of one step: how many wait before it, and were sent to, and clicked."""

    waiting: int = 0
    sent: int = 0
    clicked: int = 0


def of_steps(version: RuleVersion) -> dict[int, Figures]:
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [version.rule_id, RUNS, version.pk])
        waiting = dict(cursor.fetchall())
        cursor.execute(SENT, [version.pk, DAYS])
        sent = {step: (int(recipients), int(clicked)) for step, recipients, clicked in cursor.fetchall()}
    return {step: Figures(waiting.get(step, 0), *sent.get(step, (0, 0))) for step in {*waiting, *sent}}


def of_runs(rule: Rule) -> list[tuple[str, str, int]]:
    """State, why, and how many of the newest runs: the most frequent first."""
    with connection.cursor() as cursor:
        cursor.execute(STATES, [rule.pk, RUNS])
        return list(cursor.fetchall())
