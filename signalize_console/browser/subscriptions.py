"""The snippet's door: the website's key, subscribing and coming back, whose browser it is, unsubscribing."""

import re
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from signalize_console.activity import changes, events
from signalize_console.activity.models import EventKind
from signalize_console.browser.answers import (
    Refused,
    invalid,
    optional_part,
    part,
    plain,
    read_json,
    text,
)
from signalize_console.browser.cors import for_website
from signalize_console.browser.limits import DESCRIBING, READING, SUBSCRIBING
from signalize_console.deliveries.readdressing import readdress, withdraw
from signalize_console.messaging.content import LANGUAGE
from signalize_console.recipients import consent, identity, subscribing
from signalize_console.recipients.identity import Profile, TooManyAttributes
from signalize_console.recipients.models import CLIENT_ID, ConsentKind, Recipient
from signalize_console.recipients.platforms import platform_of
from signalize_console.recipients.subscribing import Proof, PushSubscription, Visitor
from signalize_console.webpush.encryption import BadSubscriptionKeys
from signalize_console.webpush.push_services import LONGEST_ENDPOINT, EndpointRefused
from signalize_console.websites import asking
from signalize_console.websites.models import Website

LONGEST_CUSTOMER_ID, LONGEST_ATTRIBUTE, MOST_INTERESTS = 128, 256, 100


@for_website("GET", limit=READING)
def website(_request: HttpRequest, website: Website) -> HttpResponse:
    """What a page must know to subscribe: nothing secret."""
    answer = JsonResponse(
        {"applicationServerKey": website.vapid_key.public_key, "optIn": asking.rules(website)}
    )
    answer["Cache-Control"] = "public, max-age=60"
    return answer


@for_website("POST", limit=SUBSCRIBING)
@transaction.atomic
def subscriptions(request: HttpRequest, website: Website) -> HttpResponse:
    """Stores or refreshes a subscription. Answers with the recipient id that the page must keep."""
    body = read_json(request)
    visitor = Visitor(
        client_id(body),
        _language(body),
        text(body, "timeZone", 64, required=False),
        platform_of(request.headers.get("User-Agent", "")),
    )
    previous = optional_part(body, "previous")
    try:
        subscription, is_new = subscribing.subscribe(
            website, visitor, _push_subscription(body), proof(previous) if previous else None
        )
    except (BadSubscriptionKeys, EndpointRefused) as error:
        raise Refused(400, "bad_subscription", str(error)) from error
    except subscribing.UnknownKey as error:
        raise Refused(409, "other_application_server_key", str(error)) from error
    except subscribing.NotYours as error:
        raise Refused(409, "not_your_subscription", str(error)) from error
    recipient = subscription.recipient
    readdress(subscription)
    _describe(website, recipient, body)
    if is_new:
        events.record(EventKind.SUBSCRIBED, recipient, push_service=subscription.push_service)
        text_version = text(body, "consentText", 64, required=False)
        consent.log(recipient, ConsentKind.GIVEN, request.headers.get("Origin", ""), text_version)
    answer = {
        "clientId": recipient.client_id,
        "person": identity.person(website.pk, recipient.customer_id),
        "stale": subscription.key_mismatch_at is not None,
    }
    return JsonResponse(answer, status=201 if is_new else 200)


@for_website("POST", limit=DESCRIBING)
@transaction.atomic
def recipient(request: HttpRequest, website: Website) -> HttpResponse:
    """Whose browser this is, and what they like: told by who holds its subscription."""
    body = read_json(request)
    subscription = subscribing.held(website, proof(body))
    if subscription is None:
        raise Refused(409, "not_your_subscription", "This browser is not subscribed here.")
    _describe(website, subscription.recipient, body)
    return JsonResponse({"person": identity.person(website.pk, subscription.recipient.customer_id)})


@for_website("POST", limit=SUBSCRIBING)
@transaction.atomic
def unsubscribe(request: HttpRequest, website: Website) -> HttpResponse:
    """Ends a subscription. The answer is the same whether there was one, so it tells a stranger nothing."""
    ended = subscribing.unsubscribe(website, proof(read_json(request)))
    if ended:
        events.record(EventKind.UNSUBSCRIBED, ended.recipient, push_service=ended.push_service)
        consent.log(ended.recipient, ConsentKind.WITHDRAWN, request.headers.get("Origin", ""))
    return HttpResponse(status=204)


def client_id(body: dict[str, Any]) -> str:
    value = text(body, "clientId", 32)
    if not re.fullmatch(CLIENT_ID, value):
        raise invalid("clientId must be 32 hexadecimal digits in lower case.")
    return value


def proof(body: dict[str, Any]) -> Proof:
    return Proof(text(body, "endpoint", LONGEST_ENDPOINT), text(body, "auth", 32))


def _describe(website: Website, recipient: Recipient, body: dict[str, Any]) -> None:
    attributes = optional_part(body, "attributes")
    says_who = "customerId" in body
    profile = Profile(
        customer_id=text(body, "customerId", LONGEST_CUSTOMER_ID, required=False) if says_who else None,
        signature=text(body, "signature", 128, required=False),
        attributes=None if attributes is None else plain(attributes, LONGEST_ATTRIBUTE, depth=1),
        interests=_interests(body),
    )
    try:
        says_what = profile.attributes is not None or profile.interests is not None
        with changes.noted(website.pk, [recipient.client_id] if says_what else []):
            is_other = identity.describe(website, recipient, profile)
        if is_other:
            withdraw(recipient)
    except TooManyAttributes as error:
        raise invalid(str(error)) from error


def _interests(body: dict[str, Any]) -> list[str] | None:
    values = body.get("interests")
    if values is None:
        return None
    if not isinstance(values, list) or len(values) > MOST_INTERESTS:
        raise invalid(f"interests must be a list of at most {MOST_INTERESTS} texts.")
    return [text({"an interest": value}, "an interest", 64) for value in values]


def _language(body: dict[str, Any]) -> str:
    """A language tag, or none where the browser says something else."""
    language = text(body, "language", 35, required=False)
    return language if re.fullmatch(LANGUAGE, language) else ""


def _push_subscription(body: dict[str, Any]) -> PushSubscription:
    subscription = part(body, "subscription")
    keys = part(subscription, "keys")
    return PushSubscription(
        endpoint=text(subscription, "endpoint", LONGEST_ENDPOINT),
        p256dh=text(keys, "p256dh", 100),
        auth=text(keys, "auth", 32),
        application_server_key=text(body, "applicationServerKey", 100),
    )
