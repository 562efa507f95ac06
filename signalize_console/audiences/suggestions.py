"""Values that really occur, to choose from: out of the newest rows, within a time limit."""

from typing import Any, NamedTuple

from signalize_console.audiences.counting import TooSlow, limited
from signalize_console.websites.models import Website

SECONDS = 1.0
MOST = 50
ROWS = 5_000

NEWEST_RECIPIENTS = """
(SELECT * FROM recipients_recipient WHERE website_id = %(website)s ORDER BY id DESC LIMIT %(rows)s) recipient
"""
NEWEST_EVENTS = """
(SELECT * FROM activity_event WHERE website_id = %(website)s AND kind = %(kind)s
 ORDER BY id DESC LIMIT %(rows)s) event
"""
# A day is told from other texts by how it is written.
TYPE = """
CASE jsonb_typeof(value) WHEN 'string' THEN
    CASE WHEN value #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}($|[T ])' THEN 'date' ELSE 'text' END
ELSE jsonb_typeof(value) END
"""
PLAIN = "jsonb_typeof(value) IN ('string', 'number', 'boolean')"
ORDERED = """, LATERAL (
    SELECT jsonb_path_query(properties, '$.product.id') UNION ALL
    SELECT jsonb_path_query(properties, '$.products.id') UNION ALL
    SELECT jsonb_path_query(properties, '$.basket.products.product.id')) ordered (product)
"""
FIND = """
SELECT {what}, {type}, count(*) FROM {rows} WHERE {where} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT %(most)s
"""


class Source(NamedTuple):
    """Where values of a kind are found."""

    what: str
    rows: str
    where: str = "true"
    type: str = "NULL"
    kind: str = "event"


ATTRIBUTES = f"{NEWEST_RECIPIENTS}, jsonb_each(attributes)"
PROPERTIES = f"{NEWEST_EVENTS}, jsonb_each(properties)"
MOSTLY = f"mode() WITHIN GROUP (ORDER BY {TYPE})"
SOURCES = {
    "attributes": Source("key", ATTRIBUTES, PLAIN, MOSTLY),
    "attribute": Source("value #>> '{}'", ATTRIBUTES, f"key = %(name)s AND {PLAIN}"),
    "interests": Source("interest", f"{NEWEST_RECIPIENTS}, unnest(interests) interest"),
    "languages": Source("language", NEWEST_RECIPIENTS, "language <> ''"),
    "events": Source("name", NEWEST_EVENTS, "name <> ''"),
    "properties": Source("key", PROPERTIES, f"name = %(name)s AND {PLAIN}", MOSTLY),
    "pages": Source("properties ->> 'page'", NEWEST_EVENTS, "properties ? 'page'", kind="page_view"),
    "products": Source(
        "product #>> '{}'", NEWEST_EVENTS + ORDERED, "jsonb_typeof(product) IN ('string', 'number')"
    ),
}


def suggestions(website: Website, of: str, name: str = "") -> list[dict[str, Any]]:
    """Of the kind in ``SOURCES`` the most frequent ones; names with the type that their values mostly have.

    ``name`` is the attribute's or the event's. None where it takes too long to find some.
    """
    source = SOURCES[of]
    values: dict[str, Any] = {"website": website.pk, "name": name, "kind": source.kind}
    try:
        with limited(SECONDS) as cursor:
            cursor.execute(FIND.format(**source._asdict()), {**values, "rows": ROWS, "most": MOST})
            return [
                {"value": value, **({"type": kind} if kind else {})}
                for value, kind, _count in cursor.fetchall()
            ]
    except TooSlow:
        return []
