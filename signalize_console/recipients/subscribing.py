"""A browser subscribes, comes back at each visit, and unsubscribes.

Who holds a subscription is proven by its ``auth`` secret: without it nobody takes an endpoint or a recipient
over, learns whose it is, or ends it.
"""

import hmac
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from signalize_console.recipients.models import Recipient, Subscription, SubscriptionState, endpoint_hash
from signalize_console.webpush.encryption import decode_keys
from signalize_console.webpush.push_services import PushServices
from signalize_console.websites.models import Website

REPLACED = "replaced"


class NotYours(ValueError):
    """The endpoint belongs to a subscription whose ``auth`` secret the caller doesn't know."""


class UnknownKey(ValueError):
    """The subscription was made with an application server key that this website never had."""


@dataclass(frozen=True)
class PushSubscription:
    """A browser's PushSubscription as it sends it; texts in base64url."""

    endpoint: str
    p256dh: str
    auth: str
    application_server_key: str


@dataclass(frozen=True)
class Proof:
    """What only the holder of a subscription knows."""

    endpoint: str
    auth: str


@dataclass(frozen=True)
class Visitor:
    """What a page tells of its visitor."""

    client_id: str
    language: str = ""
    time_zone: str = ""
    platform: str = ""


@transaction.atomic
def subscribe(
    website: Website, visitor: Visitor, push: PushSubscription, previous: Proof | None = None
) -> tuple[Subscription, bool]:
    """Stores or refreshes a subscription; True if the recipient is newly subscribed by it.

    A living subscription keeps its recipient, and so does one that follows ``previous``: the answer's
    recipient id is the one to use from now on. ``key_mismatch_at`` of what it returns says that the push
    service refused this subscription: the browser must subscribe anew.
    Raises BadSubscriptionKeys, EndpointRefused, UnknownKey or NotYours, and then stores nothing.
    """
    decode_keys(push.p256dh, push.auth)
    endpoint = PushServices.from_text(settings.PUSH_SERVICES).parse(push.endpoint)
    vapid_key = website.vapid_keys.filter(public_key=push.application_server_key.rstrip("=")).first()
    if vapid_key is None:
        raise UnknownKey("This subscription was made with another application server key. Subscribe anew.")
    known = _locked(website, push.endpoint)
    if known and not _proves(known, push.auth):
        raise NotYours("This endpoint is subscribed already, with other keys.")
    before = None if known or previous is None else held(website, previous)
    follows = known or before
    recipient = follows.recipient if follows else _unheld(website, visitor.client_id)
    _refresh(recipient, visitor)
    was_active = any(one and one.state == SubscriptionState.ACTIVE for one in (known, before))
    if before:
        Subscription.objects.filter(pk=before.pk).end(SubscriptionState.EXPIRED, REPLACED)
    subscription = known or Subscription(website=website, endpoint=push.endpoint)
    if subscription.vapid_key_id != vapid_key.pk:
        subscription.key_mismatch_at = None
    subscription.endpoint_hash = endpoint_hash(push.endpoint)
    subscription.recipient, subscription.vapid_key = recipient, vapid_key
    subscription.p256dh, subscription.auth = push.p256dh.rstrip("="), push.auth.rstrip("=")
    subscription.push_service = endpoint.service
    subscription.platform = visitor.platform or subscription.platform
    subscription.state, subscription.ended_at, subscription.ended_reason = SubscriptionState.ACTIVE, None, ""
    subscription.seen_at, subscription.from_import = Now(), None
    subscription.save()
    return subscription, not was_active


@transaction.atomic
def unsubscribe(website: Website, proof: Proof) -> Subscription | None:
    """Ends the subscription and returns it, or None if there is no such one, or the proof is wrong."""
    known = held(website, proof)
    if known is None or known.state != SubscriptionState.ACTIVE:
        return None
    Subscription.objects.filter(pk=known.pk).end(SubscriptionState.UNSUBSCRIBED, "visitor")
    return known


def held(website: Website, proof: Proof) -> Subscription | None:
    """The subscription that the caller proves to hold, locked, with its recipient. Within a transaction."""
    known = _locked(website, proof.endpoint)
    return known if known and _proves(known, proof.auth) else None


def _unheld(website: Website, client_id: str) -> Recipient:
    """For who holds no subscription: the recipient with their id, unless somebody else may hold it."""
    recipient, is_new = Recipient.objects.get_or_create(website=website, client_id=client_id)
    if not is_new and recipient.subscriptions.exists():
        return Recipient.objects.create(website=website)
    return recipient


def _locked(website: Website, endpoint: str) -> Subscription | None:
    return (
        Subscription.objects.select_for_update(of=("self",))
        .select_related("recipient")
        .filter(website=website, endpoint_hash=endpoint_hash(endpoint))
        .first()
    )


def _proves(subscription: Subscription, auth: str) -> bool:
    return hmac.compare_digest(subscription.auth.encode(), auth.rstrip("=").encode())


def _refresh(recipient: Recipient, visitor: Visitor) -> None:
    recipient.seen_at, recipient.from_import = Now(), None
    recipient.language = visitor.language or recipient.language
    recipient.time_zone = visitor.time_zone or recipient.time_zone
    recipient.save(update_fields=["seen_at", "from_import", "language", "time_zone"])
