"""What a condition may look at: one entry for each field, with the operators and members that it takes.

Each compiles to a condition that is true or false, never null, over ``recipient`` and ``subscription``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from signalize_console.audiences import occurrences, operators, values
from signalize_console.audiences.facts import json_condition
from signalize_console.audiences.operators import Operators
from signalize_console.audiences.sql import OPERATORS, Sql
from signalize_console.audiences.values import Check
from signalize_console.recipients.platforms import PLATFORMS
from signalize_console.webpush.push_services import SERVICES

Facts = Mapping[str, Any]
Compile = Callable[[Sql, Facts], str]


@dataclass(frozen=True)
class Field:
    """Without ``operators`` they depend on the member ``type``. ``needs``, ``takes``: its other members."""

    compile: Compile
    operators: Operators | None = None
    needs: Mapping[str, Check] = field(default_factory=dict)
    takes: Mapping[str, Check] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    has_properties: bool = False


def counted(
    condition: Compile,
    *,
    needs: Mapping[str, Check] | None = None,
    takes: Mapping[str, Check] | None = None,
    has_properties: bool = False,
) -> Field:
    """Something that happened so many times: unless the condition says otherwise at least once, ever."""
    takes = {"within": values.period, **(takes or {})}
    at_least_once = {"op": "atLeast", "value": 1}
    return Field(condition, operators.COUNT, needs or {}, takes, at_least_once, has_properties)


def counted_messages(condition: Compile) -> Field:
    """Something that happened with push messages: with any, or with one of them."""
    return counted(condition, takes={"message": values.identity})


def _attribute(sql: Sql, facts: Facts) -> str:
    return json_condition(sql, "recipient.attributes", facts)


def _interest(sql: Sql, facts: Facts) -> str:
    if facts["op"] == "exists":
        return "cardinality(recipient.interests) > 0"
    return f"recipient.interests && {sql.bind(_wanted(facts), 'varchar[]')}"


def _language(sql: Sql, facts: Facts) -> str:
    """``de`` is also spoken by who speaks ``de-AT``."""
    if facts["op"] == "exists":
        return "recipient.language <> ''"
    tags = sql.bind([one.lower() for one in _wanted(facts)], "text[]")
    spoken = (
        f"EXISTS (SELECT FROM unnest({tags}) AS wanted (tag) WHERE lower(recipient.language) = tag "
        "OR starts_with(lower(recipient.language), tag || '-'))"
    )
    return f"NOT {spoken}" if facts["op"] == "notEquals" else spoken


def _on_list(sql: Sql, facts: Facts) -> str:
    wanted = facts["value"] if facts["op"] == "in" else [facts["value"]]
    on = (
        "EXISTS (SELECT FROM audiences_listmember member WHERE member.recipient_id = recipient.id "
        f"AND member.list_id = ANY({sql.bind(wanted, 'bigint[]')}))"
    )
    return f"NOT {on}" if facts["op"] == "notEquals" else on


def _wanted(facts: Facts) -> list[str]:
    return facts["value"] if facts["op"] == "in" else [facts["value"]]


def _word(column: str) -> Compile:
    def condition(sql: Sql, facts: Facts) -> str:
        if facts["op"] == "exists":
            return f"{column} <> ''"
        if facts["op"] == "in":
            return f"{column} = ANY({sql.bind(facts['value'], 'text[]')})"
        return f"{column} {OPERATORS[facts['op']]} {sql.bind(facts['value'], 'text')}"

    return condition


def _time(column: str) -> Field:
    def condition(sql: Sql, facts: Facts) -> str:
        return f"{column} {OPERATORS[facts['op']]} {sql.moment(facts['value'])}"

    return Field(condition, operators.TIME)


FIELDS: dict[str, Field] = {
    "attribute": Field(_attribute, needs={"name": values.text, "type": values.one_of(operators.TYPES)}),
    "interest": Field(_interest, operators.text("equals", "in", "exists")),
    "language": Field(_language, operators.text("equals", "notEquals", "in", "exists")),
    "customerId": Field(_word("recipient.customer_id"), operators.text("exists", "equals", "in")),
    "list": Field(_on_list, operators.NUMBERED),
    "platform": Field(_word("subscription.platform"), operators.words(PLATFORMS)),
    "pushService": Field(_word("subscription.push_service"), operators.words(SERVICES)),
    "subscribed": _time("subscription.created_at"),
    "firstVisit": _time("recipient.created_at"),
    "lastVisit": _time("recipient.seen_at"),
    "visits": counted(occurrences.visits),
    "pageViews": counted(occurrences.page_views, takes={"page": values.text}),
    "event": counted(occurrences.events, needs={"name": values.text}, has_properties=True),
    "purchase": counted(occurrences.purchases, takes={"product": values.text}),
    "purchaseValue": Field(
        occurrences.purchase_value,
        operators.AMOUNT,
        takes={"within": values.period, "product": values.text},
    ),
    "messageShown": counted_messages(occurrences.reports("shown")),
    "messageClicked": counted_messages(occurrences.reports("clicked")),
    "messageClosed": counted_messages(occurrences.reports("closed")),
}
