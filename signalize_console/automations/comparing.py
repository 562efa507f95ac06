"""The variants of steps' texts against each other, looked at each hour until one is better for sure."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection

from signalize_console.automations.models import RuleVersion, StepWinner
from signalize_console.deliveries import splitting
from signalize_console.deliveries.splitting import Seen

# Of the messages of so many days, and of so many of a step's newest.
DAYS, MESSAGES = 30, 2_000
TRIED = """
SELECT version.id, step.number, step.messages
FROM automations_ruleversion version CROSS JOIN LATERAL (
    SELECT step AS number, (array_agg(push_message_id ORDER BY of_step.id DESC))[:%(most)s] AS messages
    FROM automations_stepmessage of_step JOIN messaging_pushmessage message ON message.id = push_message_id
    WHERE of_step.version_id = version.id AND message.varied AND message.winner = ''
      AND message.created_at > now() - make_interval(days => %(days)s)
    GROUP BY step
) step
WHERE version.id = ANY(%(versions)s)
"""


def tried(versions: Iterable[RuleVersion]) -> dict[int, dict[int, dict[str, Seen]]]:
    """What became of each variant of each step of these versions, by version and step."""
    values: dict[str, Any] = {
        "versions": [version.pk for version in versions],
        "days": DAYS,
        "most": MESSAGES,
    }
    with connection.cursor() as cursor:
        cursor.execute(TRIED, values)
        rows = cursor.fetchall()
    found: dict[int, dict[int, dict[str, Seen]]] = defaultdict(dict)
    for version, step, messages in rows:
        found[version][step] = splitting.count(messages)
    return found


def decide() -> None:
    """Notes the winners of all rules that are on."""
    current = RuleVersion.objects.filter(current_of__is_on=True)
    decided = set(StepWinner.objects.filter(version__in=current).values_list("version_id", "step"))
    StepWinner.objects.bulk_create(
        (
            StepWinner(version_id=version, step=step, variant=winner)
            for version, steps in tried(current).items()
            for step, seen in steps.items()
            if (version, step) not in decided and (winner := splitting.surely_better(seen))
        ),
        ignore_conflicts=True,
    )
