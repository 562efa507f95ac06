"""What changes in a recipient's profile, as events: an interest ticked, an attribute with another value."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction

# In the order of their ids, as whoever changes them locks them.
BEFORE = """
SELECT coalesce(json_agg(
    json_build_object('id', id, 'attributes', attributes, 'interests', to_json(interests))), '[]')::text
FROM (
    SELECT id, attributes, interests FROM recipients_recipient
    WHERE website_id = %s AND (client_id = ANY(%s) OR customer_id = ANY(%s) AND customer_id <> '')
    ORDER BY id FOR UPDATE
) locked
"""
RECORD = """
INSERT INTO activity_event (day, website_id, recipient_id, kind, name, properties)
SELECT (now() AT TIME ZONE 'UTC')::date, recipient.website_id, recipient.id, change.kind,
    left(change.name, 64), change.properties
FROM recipients_recipient recipient
LEFT JOIN jsonb_to_recordset(%s::jsonb) AS before (id bigint, attributes jsonb, interests text[])
    ON before.id = recipient.id
CROSS JOIN LATERAL (
    SELECT 'interest_ticked' AS kind, ticked AS name, '{}'::jsonb AS properties
    FROM unnest(recipient.interests) AS ticked
    WHERE NOT coalesce(ticked = ANY(before.interests), false)
    UNION ALL
    SELECT 'attribute_changed', key, jsonb_strip_nulls(
        jsonb_build_object('value', value, 'before', before.attributes -> key))
    FROM jsonb_each(recipient.attributes)
    WHERE value IS DISTINCT FROM before.attributes -> key
) change
WHERE recipient.website_id = %s AND (recipient.client_id = ANY(%s)
    OR recipient.customer_id = ANY(%s) AND recipient.customer_id <> '')
"""


@contextmanager
def noted(
    website_id: int, client_ids: Sequence[str] = (), customer_ids: Sequence[str] = ()
) -> Iterator[None]:
    """Records what the block changes in these recipients, known before or not: in two statements."""
    addresses = [list(client_ids), list(customer_ids)]
    if not any(addresses):
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BEFORE, [website_id, *addresses])
        (before,) = cursor.fetchone()
        yield
        cursor.execute(RECORD, [before, website_id, *addresses])
