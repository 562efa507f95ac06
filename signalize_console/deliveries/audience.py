"""What a segment, which stands below, may ask of deliveries: how many messages somebody got, and when."""

from collections.abc import Mapping
from typing import Any

from signalize_console.audiences.occurrences import how_often, in_period
from signalize_console.audiences.sql import Sql

ACCEPTED = (
    "FROM deliveries_delivery delivery WHERE delivery.recipient_id = recipient.id "
    "AND delivery.state = 'accepted' AND "
)


def accepted(sql: Sql, facts: Mapping[str, Any]) -> str:
    """Taken by the push service, whether or not the browser reported anything."""
    rows = ACCEPTED + in_period(sql, "delivery.answered_at", facts)
    if message := facts.get("message"):
        rows += f" AND delivery.push_message_id = {sql.bind(message, 'bigint')}"
    return how_often(sql, rows, facts)


def last_message(sql: Sql, facts: Mapping[str, Any]) -> str:
    """When the latest one was taken. Who never got one got none before and none after."""
    so_far = ACCEPTED + in_period(sql, "delivery.answered_at", {})
    moment = sql.moment(facts["value"])
    if facts["op"] == "after":
        return f"EXISTS (SELECT {so_far} AND delivery.answered_at > {moment})"
    later = f"NOT EXISTS (SELECT {so_far} AND delivery.answered_at >= {moment})"
    return f"EXISTS (SELECT {so_far} AND delivery.answered_at < {moment}) AND {later}"
