"""Conditions on what happened: how often, in which period.

Nothing that happens after the segment's now counts. A recipient's events are read by their index, and no
more of them than the comparison needs.
"""

from collections.abc import Callable, Mapping
from typing import Any

from signalize_console.activity.models import EventKind
from signalize_console.audiences.facts import json_condition
from signalize_console.audiences.sql import OPERATORS, Sql

Facts = Mapping[str, Any]

# A visit ends when no page was viewed for this long.
VISIT_GAP = "interval '30 minutes'"
ORDER = "order"
# Where a shop's order event names its products: our own form, and the one of etCommerce.
IS_PRODUCT = "@.product.id == $id || @.products.id == $id || @.basket.products.product.id == $id"
HAS_PRODUCT = f"'$ ? ({IS_PRODUCT})'"
# What an order was worth: ``value``, or etCommerce's ``orderPrice``; a number, or a text that is one.
WORTH = """CASE
    WHEN coalesce(event.properties ->> 'value', event.properties ->> 'orderPrice')
        ~ '^-?[0-9]{1,12}([.][0-9]{1,6})?$'
    THEN coalesce(event.properties ->> 'value', event.properties ->> 'orderPrice')::numeric ELSE 0 END"""


def in_period(sql: Sql, column: str, facts: Facts) -> str:
    until = f"{column} <= {sql.moment(sql.at)}"
    return f"{column} > {sql.moment(-facts['within'])} AND {until}" if "within" in facts else until


def how_often(sql: Sql, rows: str, facts: Facts) -> str:
    """Compares the number of ``rows`` (FROM …) with ``value``."""
    op, value = facts["op"], facts["value"]
    if (op, value) in {("atLeast", 1), ("greater", 0), ("notEquals", 0)}:
        return f"EXISTS (SELECT {rows})"
    if (op, value) in {("equals", 0), ("less", 1), ("atMost", 0)}:
        return f"NOT EXISTS (SELECT {rows})"
    most = sql.bind(value + 1, "bigint")
    counted = f"SELECT count(*) FROM (SELECT {rows} LIMIT {most}) counted"  # noqa: S608 - all values are bound
    return f"({counted}) {OPERATORS[op]} {sql.bind(value, 'bigint')}"


def _events(sql: Sql, kind: str, facts: Facts) -> str:
    rows = (
        f"FROM activity_event event WHERE event.recipient_id = recipient.id AND event.kind = '{kind}' "
        f"AND {in_period(sql, 'event.occurred_at', facts)}"
    )
    if "within" in facts and kind in {EventKind.PAGE_VIEW, EventKind.EVENT}:
        # An event's day is no earlier than its time: the older partitions needn't be looked at.
        rows += f" AND event.day >= ({sql.moment(-facts['within'])} AT TIME ZONE 'UTC')::date"
    return rows


def page_views(sql: Sql, facts: Facts) -> str:
    """Of all pages, or of those whose address contains ``page``, in any case."""
    rows = _events(sql, EventKind.PAGE_VIEW, facts)
    if page := facts.get("page"):
        rows += f" AND strpos(lower(event.properties ->> 'page'), lower({sql.bind(page, 'text')})) > 0"
    return how_often(sql, rows, facts)


def visits(sql: Sql, facts: Facts) -> str:
    """A page view that comes first, or long enough after the one before, begins a visit."""
    gap = "event.occurred_at - lag(event.occurred_at) OVER (ORDER BY event.occurred_at) AS gap"
    views = f"SELECT {gap} {_events(sql, EventKind.PAGE_VIEW, facts)}"
    return how_often(sql, f"FROM ({views}) viewed WHERE gap IS NULL OR gap > {VISIT_GAP}", facts)


def events(sql: Sql, facts: Facts) -> str:
    rows = f"{_events(sql, EventKind.EVENT, facts)} AND event.name = {sql.bind(facts['name'], 'text')}"
    conditions = [
        json_condition(sql, "event.properties", condition) for condition in facts.get("properties", [])
    ]
    return how_often(sql, " AND ".join([rows, *conditions]), facts)


def _orders(sql: Sql, facts: Facts) -> str:
    rows = f"{_events(sql, EventKind.EVENT, facts)} AND event.name = '{ORDER}'"
    if product := facts.get("product"):
        # Shops write an id as text or as a number.
        ids = [product, *([int(product)] if product.isascii() and product.isdigit() else [])]
        found = (
            f"jsonb_path_exists(event.properties, {HAS_PRODUCT}, {sql.json({'id': one})})" for one in ids
        )
        rows += f" AND ({' OR '.join(found)})"
    return rows


def purchases(sql: Sql, facts: Facts) -> str:
    return how_often(sql, _orders(sql, facts), facts)


def purchase_value(sql: Sql, facts: Facts) -> str:
    """The sum of all orders."""
    worth = f"(SELECT coalesce(sum({WORTH}), 0) {_orders(sql, facts)})"
    return f"{worth} {OPERATORS[facts['op']]} {sql.bind(repr(facts['value']), 'numeric')}"


def reports(kind: str) -> Callable[[Sql, Facts], str]:
    """How many push messages' notifications were shown, clicked or closed. Not every browser can tell."""

    def condition(sql: Sql, facts: Facts) -> str:
        rows = _events(sql, kind, facts)
        if message := facts.get("message"):
            rows += f" AND event.push_message_id = {sql.bind(message, 'bigint')}"
        return how_often(sql, rows, facts)

    return condition
