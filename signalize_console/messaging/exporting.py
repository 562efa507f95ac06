"""Everything of a website as CSV or JSON lines, row by row: nobody is locked in.

What ``subscriptions`` gives, endpoints and VAPID keys, is all that another system needs to send to them.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from signalize_console.audiences.models import Segment
from signalize_console.messaging.content import Content, Text
from signalize_console.messaging.models import MessageTemplate, PushMessage
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.recipients.spreadsheets import csv_lines, in_parts
from signalize_console.websites.models import Website

CONTENT = [field.name for field in Content._meta.get_fields()]
TEXT = [field.name for field in Text._meta.get_fields()]
FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
Row = dict[str, Any]


def subscriptions(website: Website) -> Iterator[Row]:
    private_keys = {key.pk: key for key in website.vapid_keys.all()}
    secrets = {pk: (key.public_key, _base64url(key.private_key)) for pk, key in private_keys.items()}
    for one in in_parts(Subscription.objects.filter(website=website).select_related("recipient")):
        yield {
            "endpoint": one.endpoint,
            "p256dh": one.p256dh,
            "auth": one.auth,
            "state": one.state,
            "vapidPublicKey": secrets[one.vapid_key_id][0],
            "vapidPrivateKey": secrets[one.vapid_key_id][1],
            **_of_recipient(one.recipient),
            "subscribedAt": one.created_at,
            "seenAt": one.seen_at,
        }


def recipients(website: Website) -> Iterator[Row]:
    for one in in_parts(Recipient.objects.filter(website=website)):
        yield {**_of_recipient(one), "createdAt": one.created_at, "seenAt": one.seen_at}


def templates(website: Website) -> Iterator[Row]:
    for one in in_parts(MessageTemplate.objects.filter(website=website).prefetch_related("texts")):
        yield {
            "id": one.pk,
            "name": one.name,
            **_content(one),
            "variables": one.variables,
            "texts": _texts(one),
        }


def messages(website: Website) -> Iterator[Row]:
    for one in in_parts(PushMessage.objects.filter(website=website).prefetch_related("texts")):
        yield {
            "id": one.pk,
            "state": one.state,
            "audience": one.audience,
            "segmentId": one.segment_id,
            "transactional": one.transactional,
            "total": one.total,
            "sentBy": one.sent_by,
            "createdAt": one.created_at,
            "scheduledAt": one.scheduled_at,
            "finishedAt": one.finished_at,
            **_content(one),
            "texts": _texts(one),
        }


def segments(website: Website) -> Iterator[Row]:
    for one in in_parts(Segment.objects.filter(website=website)):
        yield {"id": one.pk, "name": one.name, "definition": one.definition}


KINDS: dict[str, Callable[[Website], Iterator[Row]]] = {
    "subscriptions": subscriptions,
    "recipients": recipients,
    "templates": templates,
    "messages": messages,
    "segments": segments,
}


def lines(website: Website, kind: str, form: str) -> Iterator[str]:
    """The export of this kind as ``csv`` or ``jsonl``; an empty one has no line."""
    rows = ({name: _plain(value) for name, value in row.items()} for row in KINDS[kind](website))
    if form == "jsonl":
        return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return _csv(rows)


def _csv(rows: Iterable[Row]) -> Iterator[str]:
    rows = iter(rows)
    first = next(rows, None)
    if first is not None:
        yield from csv_lines(first, ([*row.values()] for row in _chained(first, rows)))


def _chained(first: Row, rest: Iterable[Row]) -> Iterator[Row]:
    yield first
    yield from rest


def _of_recipient(one: Recipient) -> Row:
    return {
        "clientId": one.client_id,
        "customerId": one.customer_id,
        "language": one.language,
        "timeZone": one.time_zone,
        "attributes": one.attributes,
        "interests": one.interests,
    }


def _content(owner: Content) -> Row:
    return {name: getattr(owner, name) for name in CONTENT}


def _texts(owner: MessageTemplate | PushMessage) -> list[Row]:
    return [{name: getattr(text, name) for name in TEXT} for text in owner.texts.all()]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
