"""What a segment, which stands below, may ask of deliveries: how many messages a recipient was sent."""

from collections.abc import Mapping
from typing import Any

from signalize_console.audiences.occurrences import how_often, in_period
from signalize_console.audiences.sql import Sql


def accepted(sql: Sql, facts: Mapping[str, Any]) -> str:
    """Taken by the push service, whether or not the browser reported anything."""
    rows = (
        "FROM deliveries_delivery delivery WHERE delivery.recipient_id = recipient.id "
        f"AND delivery.state = 'accepted' AND {in_period(sql, 'delivery.answered_at', facts)}"
    )
    if message := facts.get("message"):
        rows += f" AND delivery.push_message_id = {sql.bind(message, 'bigint')}"
    return how_often(sql, rows, facts)
