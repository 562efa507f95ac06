"""Events that another system reports on behalf of a recipient: an order by telephone, a return, a visit."""

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from signalize_console.activity.models import EventKind
from signalize_console.recipients.models import Recipient

INSERT = """
INSERT INTO activity_event (day, website_id, recipient_id, kind, name, properties, occurred_at)
SELECT (now() AT TIME ZONE 'UTC')::date, %s, %s, %s, name, properties::jsonb, coalesce(occurred_at, now())
FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS happened (name, properties, occurred_at)
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """``name`` as the snippet would send it: ``order``, ``insertToBasket``, or the site's own."""

    name: str
    properties: dict[str, Any]
    occurred_at: datetime.datetime | None = None


def record(recipient: Recipient, happened: Sequence[Happened]) -> int:
    """One statement, whatever the number; how many were stored."""
    columns: list[list[Any]] = [
        [one.name for one in happened],
        [json.dumps(one.properties) for one in happened],
        [one.occurred_at for one in happened],
    ]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [recipient.website_id, recipient.pk, EventKind.EVENT.value, *columns])
        return cursor.rowcount
