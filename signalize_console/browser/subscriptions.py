"""The snippet's door: the website's key, subscribing and coming back, unsubscribing, reports."""

import contextlib
import re

from django.http import HttpRequest, HttpResponse, JsonResponse

from signalize_console.activity import events
from signalize_console.activity.models import REPORTS, EventKind
from signalize_console.browser.answers import Refused, invalid, part, read_json, text
from signalize_console.browser.cors import for_website, from_anywhere
from signalize_console.deliveries import reports, tokens
from signalize_console.deliveries.readdressing import readdress
from signalize_console.messaging.content import LANGUAGE
from signalize_console.recipients import subscribing
from signalize_console.recipients.models import CLIENT_ID
from signalize_console.recipients.subscribing import PushSubscription, Visitor
from signalize_console.webpush.encryption import BadSubscriptionKeys
from signalize_console.webpush.push_services import LONGEST_ENDPOINT, EndpointRefused
from signalize_console.websites import asking
from signalize_console.websites.models import Website


@for_website("GET")
def website(_request: HttpRequest, website: Website) -> HttpResponse:
    """What a page must know to subscribe: nothing secret."""
    answer = JsonResponse(
        {"applicationServerKey": website.vapid_key.public_key, "optIn": asking.rules(website)}
    )
    answer["Cache-Control"] = "public, max-age=60"
    return answer


@for_website("POST")
def subscriptions(request: HttpRequest, website: Website) -> HttpResponse:
    """Stores or refreshes a subscription. Answers with the recipient id that the page must keep."""
    body = read_json(request)
    visitor = Visitor(_client_id(body), _language(body), text(body, "timeZone", 64, required=False))
    try:
        subscription, is_new = subscribing.subscribe(website, visitor, _push_subscription(body))
    except (BadSubscriptionKeys, EndpointRefused) as error:
        raise Refused(400, "bad_subscription", str(error)) from error
    except subscribing.UnknownKey as error:
        raise Refused(409, "other_application_server_key", str(error)) from error
    except subscribing.NotYours as error:
        raise Refused(409, "not_your_subscription", str(error)) from error
    readdress(subscription)
    if is_new:
        events.record(EventKind.SUBSCRIBED, subscription.recipient, push_service=subscription.push_service)
    return JsonResponse({"clientId": subscription.recipient.client_id}, status=201 if is_new else 200)


@for_website("POST")
def unsubscribe(request: HttpRequest, website: Website) -> HttpResponse:
    """Ends a subscription. The answer is the same whether there was one, so it tells a stranger nothing."""
    body = read_json(request)
    ended = subscribing.unsubscribe(website, text(body, "endpoint", LONGEST_ENDPOINT), text(body, "auth", 32))
    if ended:
        events.record(EventKind.UNSUBSCRIBED, ended.recipient, push_service=ended.push_service)
    return HttpResponse(status=204)


@from_anywhere
def report(request: HttpRequest) -> HttpResponse:
    """What became of a notification. A token that isn't ours is answered like one that is."""
    body = read_json(request)
    kind = text(body, "event", 16)
    if kind not in REPORTS:
        raise invalid("event must be shown, clicked or closed.")
    token, button = text(body, "token", 100), text(body, "button", 32, required=False)
    with contextlib.suppress(tokens.BadToken):
        reports.report(token, kind, button)
    return HttpResponse(status=204)


def _client_id(body: dict[str, object]) -> str:
    client_id = text(body, "clientId", 32)
    if not re.fullmatch(CLIENT_ID, client_id):
        raise invalid("clientId must be 32 hexadecimal digits in lower case.")
    return client_id


def _language(body: dict[str, object]) -> str:
    """A language tag, or none where the browser says something else."""
    language = text(body, "language", 35, required=False)
    return language if re.fullmatch(LANGUAGE, language) else ""


def _push_subscription(body: dict[str, object]) -> PushSubscription:
    subscription = part(body, "subscription")
    keys = part(subscription, "keys")
    return PushSubscription(
        endpoint=text(subscription, "endpoint", LONGEST_ENDPOINT),
        p256dh=text(keys, "p256dh", 100),
        auth=text(keys, "auth", 32),
        application_server_key=text(body, "applicationServerKey", 100),
    )
