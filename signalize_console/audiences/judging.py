"""Why somebody is in a segment, or isn't: each condition looked at by itself, for one recipient."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils import timezone

from signalize_console.audiences.compiler import thaw
from signalize_console.audiences.counting import SECONDS, limited
from signalize_console.audiences.sql import Sql
from signalize_console.audiences.tree import BadSegment, parse
from signalize_console.recipients.models import Recipient

JUDGE = """
SELECT subscription.id, ARRAY[{conditions}]
FROM recipients_subscription subscription
JOIN recipients_recipient recipient ON recipient.id = subscription.recipient_id
WHERE subscription.recipient_id = %(recipient)s
"""


class Judged(NamedTuple):
    """A condition, as its segment writes it, and whether it is so."""

    condition: dict[str, Any]
    holds: bool


@dataclass(frozen=True)
class Verdict:
    """Whether a subscription is in the segment, and the conditions that decide it."""

    is_in: bool
    decisive: list[Judged]


def judge(
    recipient: Recipient, segments: Mapping[int, object], *, seconds: float = SECONDS
) -> dict[int, dict[int, Verdict]]:
    """For each of these frozen segments, by its key: the verdict on each of the recipient's subscriptions.

    One that this version doesn't understand has no verdicts. They are looked at as the recipient is now, with
    days counted from the segment's own time. Raises TooSlow.
    """
    sql = Sql(timezone.now())
    trees: dict[int, Any] = {}
    columns: list[str] = []
    for key, frozen in segments.items():
        try:
            tree, at = thaw(frozen)
            compiled = [parse(one).compile(sql.at_another_time(at)) for one in conditions(tree)]
        except BadSegment:
            continue
        trees[key] = tree
        columns += compiled
    if not columns:
        return {}
    with limited(seconds) as cursor:
        select = JUDGE.format(conditions=", ".join(columns))
        cursor.execute(select, {**sql.values, "recipient": recipient.pk})
        rows = cursor.fetchall()
    verdicts: dict[int, dict[int, Verdict]] = {key: {} for key in trees}
    for subscription_id, truths in rows:
        remaining = iter(truths)
        for key, tree in trees.items():
            verdicts[key][subscription_id] = _verdict(tree, remaining)
    return verdicts


def conditions(tree: Any) -> Iterator[dict[str, Any]]:
    """The conditions of a tree, in the order in which they stand there."""
    if "field" in tree:
        yield tree
        return
    inside = next(iter(tree.values()))
    for member in inside if isinstance(inside, list) else [inside]:
        yield from conditions(member)


def _verdict(tree: Any, truths: Iterator[bool]) -> Verdict:
    if "field" in tree:
        holds = next(truths)
        return Verdict(holds, [Judged(tree, holds)])
    if "not" in tree:
        inner = _verdict(tree["not"], truths)
        return Verdict(not inner.is_in, inner.decisive)
    join = "all" if "all" in tree else "any"
    members = [_verdict(one, truths) for one in tree[join]]
    is_in = all(one.is_in for one in members) if join == "all" else any(one.is_in for one in members)
    # Of "all" that fails, and of "any" that succeeds, only those members count that are so themselves.
    return Verdict(is_in, [judged for one in members if one.is_in == is_in for judged in one.decisive])
