"""Other systems tell what they know of recipients: a thousand at once, in three statements."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

MOST_ATTRIBUTES = 50

INSERT_UNKNOWN = """
INSERT INTO recipients_recipient (website_id, client_id, customer_id, language, time_zone, attributes)
SELECT %s, client_id, '', '', '', '{}' FROM unnest(%s::text[]) AS given (client_id) ORDER BY client_id
ON CONFLICT DO NOTHING
"""
# In the order of their ids, so that two callers never wait for each other.
LOCK = """
SELECT count(*) FROM (
    SELECT FROM recipients_recipient
    WHERE website_id = %s AND (client_id = ANY(%s) OR customer_id = ANY(%s) AND customer_id <> '')
    ORDER BY id FOR UPDATE
) locked
"""
# What is NULL was not given and stays; an attribute that is null is removed. A customer id that comes from
# the website's own server needs no signature.
UPDATE = """
UPDATE recipients_recipient recipient SET
    from_import_id = NULL,
    customer_id = coalesce(given.customer_id, recipient.customer_id),
    customer_verified = CASE WHEN given.customer_id IS NULL THEN recipient.customer_verified
                        ELSE given.customer_id <> '' END,
    language = coalesce(given.language, recipient.language),
    time_zone = coalesce(given.time_zone, recipient.time_zone),
    attributes = jsonb_strip_nulls(recipient.attributes || coalesce(given.attributes::jsonb, '{{}}')),
    interests = CASE WHEN given.interests IS NULL THEN recipient.interests
                ELSE ARRAY(SELECT jsonb_array_elements_text(given.interests::jsonb)) END
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    AS given (address, customer_id, language, time_zone, attributes, interests)
WHERE recipient.website_id = %s AND recipient.{by} = given.address AND recipient.{by} <> ''
RETURNING (SELECT count(*) FROM jsonb_object_keys(recipient.attributes))
"""


class TooManyAttributes(ValueError):
    """A recipient would have more attributes than we keep; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one recipient; None stays as it is. ``address``: its recipient id or customer id."""

    address: str
    customer_id: str | None = None
    language: str | None = None
    time_zone: str | None = None
    attributes: dict[str, Any] | None = None
    interests: list[str] | None = None


@transaction.atomic
def upsert(website_id: int, known: Sequence[Known]) -> tuple[int, int]:
    """Stores what is known of these recipients, each once: how many are new, how many not."""
    addresses = [one.address for one in known]
    with connection.cursor() as cursor:
        cursor.execute(INSERT_UNKNOWN, [website_id, addresses])
        created = cursor.rowcount
        cursor.execute(LOCK, [website_id, addresses, []])
    _update(website_id, known, "client_id")
    return created, len(known) - created


@transaction.atomic
def update_customer(website_id: int, known: Known) -> int:
    """Stores it for every recipient with this customer id; how many these are."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [website_id, [], [known.address]])
    return _update(website_id, [known], "customer_id")


def _update(website_id: int, known: Iterable[Known], by: str) -> int:
    rows = [
        (
            *(one.address, one.customer_id, one.language, one.time_zone),
            None if one.attributes is None else json.dumps(one.attributes),
            None if one.interests is None else json.dumps(one.interests),
        )
        for one in known
    ]
    with connection.cursor() as cursor:
        cursor.execute(UPDATE.format(by=by), [*map(list, zip(*rows, strict=True)), website_id])
        counts = [count for (count,) in cursor.fetchall()]
    if any(count > MOST_ATTRIBUTES for count in counts):
        raise TooManyAttributes(f"A recipient can have {MOST_ATTRIBUTES} attributes. Remove some with null.")
    return len(counts)
