"""Runs that ended long ago are forgotten, the oldest first."""

from django.conf import settings
from django.db import connection

CHUNK = 5_000
# "Once in a recipient's life" is known by its runs. The oldest come first by their ids, too: few of those
# still wait.
FORGET = """
DELETE FROM automations_run WHERE id IN (
    SELECT oldest.id FROM automations_rule rule CROSS JOIN LATERAL (
        SELECT id, ended_at FROM automations_run WHERE rule_id = rule.id ORDER BY id LIMIT %s
    ) oldest
    WHERE rule.reentry <> 'once' AND oldest.ended_at < now() - make_interval(days => %s)
)
"""


def forget_old() -> None:
    days = settings.KEEP_RUNS_DAYS
    with connection.cursor() as cursor:
        while days:
            cursor.execute(FORGET, [CHUNK, days])
            if not cursor.rowcount:
                return
