"""From happenings and conditions to SQL over ``event`` and ``recipient``. Values are only ever bound."""

import functools
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DataError, ProgrammingError
from django.db.backends.utils import CursorWrapper

from signalize_console.activity.models import EventKind
from signalize_console.audiences.counting import TooSlow, limited
from signalize_console.audiences.facts import json_condition
from signalize_console.audiences.models import Segment
from signalize_console.audiences.sql import Sql
from signalize_console.audiences.tree import BadSegment, Problem
from signalize_console.audiences.tree import parse as parse_segment
from signalize_console.automations.definition import Definition, Happening, parse
from signalize_console.automations.models import Rule, RuleVersion

SECONDS = 5.0
KINDS = {
    "event": EventKind.EVENT,
    "page": EventKind.PAGE_VIEW,
    "subscribed": EventKind.SUBSCRIBED,
    "interest": EventKind.INTEREST_TICKED,
    "attribute": EventKind.ATTRIBUTE_CHANGED,
}


def definition_of(version: RuleVersion) -> Definition:
    return _parsed(json.dumps(version.definition))


@functools.lru_cache(maxsize=1024)
def _parsed(said: str) -> Definition:
    return parse(json.loads(said))


def happened(sql: Sql, what: Happening, event: str = "event") -> str:
    """Whether this row of activity_event is such a happening."""
    conditions = [f"{event}.kind = '{KINDS[what.kind]}'"]
    if name := what.facts.get("name"):
        conditions.append(f"{event}.name = {sql.bind(name, 'text')}")
    if path := what.facts.get("path"):
        escaped = path.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_").replace("*", "%")
        conditions.append(f"{event}.properties ->> 'page' LIKE {sql.bind(escaped, 'text')}")
    if value := what.facts.get("value"):
        conditions.append(json_condition(sql, f"{event}.properties", value))
    for condition in what.facts.get("properties", ()):
        conditions.append(json_condition(sql, f"{event}.properties", condition))
    return f"({' AND '.join(conditions)})"


def any_happened(sql: Sql, events: Iterable[Happening], event: str = "event") -> str:
    return f"({' OR '.join(happened(sql, one, event) for one in events)})"


def reachable(sql: Sql, website_id: int, condition: Any) -> str:
    """Whether ``recipient`` has an active subscription that fulfils the condition. Raises BadSegment."""
    narrowed = (
        f" AND {parse_segment(_tree(website_id, condition)).compile(sql)}" if condition is not None else ""
    )
    return (
        "EXISTS (SELECT FROM recipients_subscription subscription "
        f"WHERE subscription.recipient_id = recipient.id AND subscription.state = 'active'{narrowed})"
    )


def _tree(website_id: int, condition: Any) -> Any:
    if set(condition) != {"segment"}:
        return condition
    segment = Segment.objects.filter(website=website_id, pk=condition["segment"]).first()
    if segment is None:
        raise BadSegment([Problem("$.if.segment", "The segment was deleted. Choose another one.")])
    return segment.definition


@contextmanager
def guarded(rule: Rule) -> Iterator[CursorWrapper]:
    """One rule's statements, with a limit of time. What fails stands in its health, and stops no other."""
    try:
        with limited(SECONDS) as cursor:
            yield cursor
    except (BadSegment, TooSlow, DataError, ProgrammingError) as error:
        rule.note_trouble(str(error).splitlines()[0])
