"""Recording events that aren't reports about a delivery."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from signalize_console.activity.models import OPT_IN, Event, EventKind
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website

# Of who has not opted in we keep only how the dialog was answered, and not whose answer it was.
INSERT = """
INSERT INTO activity_event (day, website_id, recipient_id, kind, name, properties, occurred_at)
SELECT (now() AT TIME ZONE 'UTC')::date, %(website)s, recipient.id, kind, name, properties::jsonb,
    now() - make_interval(secs => age)
FROM unnest(%(kinds)s::text[], %(names)s::text[], %(properties)s::text[], %(ages)s::float[])
    AS happened (kind, name, properties, age)
LEFT JOIN recipients_recipient recipient
    ON recipient.website_id = %(website)s AND recipient.client_id = %(client_id)s
WHERE recipient.id IS NOT NULL OR kind = ANY(%(opt_in)s)
"""


@dataclass(frozen=True)
class Happened:
    """One thing that a page tells of; ``age`` is how many seconds ago it was."""

    kind: EventKind
    name: str
    properties: dict[str, Any]
    age: float = 0.0


def record(kind: EventKind, recipient: Recipient, **properties: Any) -> Event:
    return Event.objects.create(
        day=timezone.now().date(),
        website_id=recipient.website_id,
        recipient=recipient,
        kind=kind,
        properties=properties,
    )


def record_of_page(website: Website, client_id: str, happened: Sequence[Happened]) -> int:
    """Stores a batch in one statement; how many were kept."""
    values: dict[str, Any] = {
        "website": website.pk,
        "client_id": client_id,
        "kinds": [one.kind.value for one in happened],
        "names": [one.name for one in happened],
        "properties": [json.dumps(one.properties) for one in happened],
        "ages": [one.age for one in happened],
        "opt_in": [kind.value for kind in OPT_IN],
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values)
        return cursor.rowcount
