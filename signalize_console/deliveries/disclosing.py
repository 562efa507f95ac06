"""What is stored about a recipient, for themself: everything, and what they received."""

import datetime
from typing import Any
from urllib.parse import urlsplit

from signalize_console.activity.models import Event
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.rendering import text_read
from signalize_console.messaging.states import DeliveryState
from signalize_console.recipients.consent import client_id_hash
from signalize_console.recipients.models import Consent, Recipient

MOST_ROWS = 10_000


def disclose(recipient: Recipient, *, endpoints: bool = True) -> dict[str, Any]:
    """All of it, as JSON can say it; of events and messages the latest 10,000.

    Without ``endpoints`` only their hosts are told: for a file that goes through other people's hands.
    """
    return {
        **profile(recipient, MOST_ROWS, endpoints=endpoints),
        "messages": messages(recipient, MOST_ROWS, Delivery.objects.all()),
    }


def profile(recipient: Recipient, most: int, *, endpoints: bool = True) -> dict[str, Any]:
    """All but the messages; of events the latest ``most``."""
    return {
        "recipient": {
            "clientId": recipient.client_id,
            "customerId": recipient.customer_id,
            "language": recipient.language,
            "timeZone": recipient.time_zone,
            "attributes": recipient.attributes,
            "interests": recipient.interests,
            "firstSeen": _time(recipient.created_at),
            "lastSeen": _time(recipient.seen_at),
            "pausedUntil": _time(recipient.paused_until),
            "lists": list(recipient.lists.order_by("id").values_list("list__name", flat=True)),
        },
        "subscriptions": [
            {
                "pushService": one.push_service,
                "endpoint": one.endpoint if endpoints else f"https://{urlsplit(one.endpoint).hostname}/…",
                "state": one.state,
                "reason": one.ended_reason,
                "since": _time(one.created_at),
                "lastSeen": _time(one.seen_at),
            }
            for one in recipient.subscriptions.order_by("id")
        ],
        "consents": [
            {
                "consent": one.kind,
                "textVersion": one.text_version,
                "origin": one.origin,
                "at": _time(one.occurred_at),
            }
            for one in Consent.objects.filter(
                website=recipient.website_id, client_id_hash=client_id_hash(recipient.client_id)
            ).order_by("id")
        ],
        "events": events(recipient, most),
    }


def events(recipient: Recipient, most: int) -> list[dict[str, Any]]:
    """The latest ones first."""
    latest = Event.objects.filter(recipient=recipient).order_by("-occurred_at")[:most]
    return [
        {"event": one.name or one.kind, "at": _time(one.occurred_at), "properties": one.properties}
        for one in latest
    ]


def received(recipient: Recipient, most: int) -> list[dict[str, Any]]:
    """The latest messages that a push service took for them, as they read them."""
    return messages(recipient, most, Delivery.objects.filter(state=DeliveryState.ACCEPTED))


def messages(recipient: Recipient, most: int, among: Any) -> list[dict[str, Any]]:
    deliveries = list(among.filter(recipient=recipient).order_by("-id")[:most])
    ids = {one.push_message_id for one in deliveries}
    sent = PushMessage.objects.filter(pk__in=ids).prefetch_related("texts").in_bulk()
    return [
        {
            "at": _time(one.answered_at or one.created_at),
            "state": one.state,
            "title": text.title,
            "message": text.message,
            "link": text.link,
        }
        for one in deliveries
        if (message := sent.get(one.push_message_id))
        and (text := text_read(message, recipient.language, one.variant))
    ]


def _time(when: datetime.datetime | None) -> str | None:
    return when.isoformat(timespec="seconds") if when else None
