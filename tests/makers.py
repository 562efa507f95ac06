"""Making the nouns that tests speak of, as briefly as they can be said."""

import base64
import os
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signalize_console.messaging.models import PushMessage, PushMessageText
from signalize_console.recipients.models import Recipient, Subscription, endpoint_hash
from signalize_console.recipients.subscribing import PushSubscription
from signalize_console.websites.models import Website

ORIGIN = "https://shop.example"


def make_website(**fields: Any) -> Website:
    return Website.establish(
        **{"name": "Shop", "origins": [ORIGIN], "contact": "mailto:web@example.com", **fields}
    )


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make_push(website: Website, endpoint: str = "", **fields: str) -> PushSubscription:
    """A browser's subscription whose keys are real, at an endpoint that nobody listens at."""
    point = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )
    values = {
        "endpoint": endpoint or f"https://fcm.googleapis.com/fcm/send/{os.urandom(12).hex()}",
        "p256dh": base64url(point),
        "auth": base64url(os.urandom(16)),
        "application_server_key": website.vapid_key.public_key,
    }
    return PushSubscription(**{**values, **fields})


def make_recipient(website: Website, **fields: Any) -> Recipient:
    return Recipient.objects.create(website=website, **fields)


def make_subscription(website: Website, push: PushSubscription | None = None, **fields: Any) -> Subscription:
    push = push or make_push(website)
    recipient = fields.pop("recipient", None) or make_recipient(website)
    return Subscription.objects.create(
        website=website,
        recipient=recipient,
        vapid_key=website.vapid_key,
        endpoint=push.endpoint,
        endpoint_hash=endpoint_hash(push.endpoint),
        p256dh=push.p256dh,
        auth=push.auth,
        **{"push_service": "fcm", **fields},
    )


def make_message(website: Website, **fields: Any) -> PushMessage:
    """A push message that isn't saved yet."""
    return PushMessage(website=website, **fields)


def make_text(**fields: Any) -> PushMessageText:
    values = {
        "language": "en",
        "standard": True,
        "title": "Hello",
        "message": "You",
        "link": f"{ORIGIN}/order",
    }
    return PushMessageText(**{**values, **fields})
