"""The preference page's door: what a visitor gets, what is stored of them, and out again.

Who asks is proven by the subscription's endpoint and ``auth``, which only its own browser knows. A recipient
id alone opens nothing.
"""

import datetime
import re
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from signalize_console.activity import changes
from signalize_console.automations.disclosing import disclose, profile
from signalize_console.browser.answers import Refused, invalid, read_json, text
from signalize_console.browser.cors import for_website
from signalize_console.browser.limits import DESCRIBING
from signalize_console.browser.subscriptions import proof
from signalize_console.browser.words import PREFERENCES, words
from signalize_console.deliveries import disclosing, erasing, outbox
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage, PushMessageText
from signalize_console.recipients import consent, subscribing
from signalize_console.recipients.models import ConsentKind, Recipient
from signalize_console.websites import asking
from signalize_console.websites.models import Website
from signalize_console.websites.opt_in_texts import LANGUAGE

PAUSE = datetime.timedelta(days=7)
# Of messages and events, the latest.
SHOWN = 50
TESTS_A_MINUTE = 3


@for_website("POST", limit=DESCRIBING)
@transaction.atomic
def preferences(request: HttpRequest, website: Website) -> HttpResponse:
    """Changes what the body names (``interests``, ``paused``), and answers with all that the page shows."""
    body = read_json(request)
    recipient = _proven(website, body)
    language = _language(body) or recipient.language
    opt_in = asking.opt_in_of(website)
    _change(recipient, body, {one.key for one in opt_in.interests.all()})
    paused_until = recipient.paused_until
    asked = asking.asked(website, language)
    return _answer(
        {
            "look": asked["look"],
            "language": asked["language"],
            "words": words(PREFERENCES, asked["language"]),
            "interests": [{**one, "chosen": one["key"] in recipient.interests} for one in asked["interests"]],
            "pausedUntil": paused_until and paused_until.isoformat(timespec="seconds"),
            "history": disclosing.received(recipient, SHOWN),
            "stored": profile(recipient, SHOWN),
        }
    )


@for_website("POST", limit=DESCRIBING)
@transaction.atomic
def data(request: HttpRequest, website: Website) -> HttpResponse:
    """All that is stored of this visitor, to be kept as a file."""
    return _answer(disclose(_proven(website, read_json(request))))


@for_website("POST", limit=DESCRIBING)
@transaction.atomic
def test(request: HttpRequest, website: Website) -> HttpResponse:
    """Sends a test to the visitor who asks for it, a few times a minute."""
    body = read_json(request)
    recipient = _proven(website, body)
    said = words(PREFERENCES, _language(body) or recipient.language)
    just_now = timezone.now() - datetime.timedelta(minutes=1)
    if Delivery.objects.filter(recipient=recipient, created_at__gt=just_now).count() >= TESTS_A_MINUTE:
        raise Refused(429, "too_many", "That was a lot. Wait a minute.")
    message = PushMessage(website=website, transactional=True, ttl=3600, sent_by="preference page")
    content = PushMessageText(
        language="en", standard=True, title=said["testTitle"],
        message=said["testMessage"].format(website=website.name),
        link=f"{request.headers.get('Origin') or website.origins[0]}/",
    )  # fmt: skip
    try:
        accepted = outbox.send(message, [content], [recipient])
    except outbox.NobodyReachable:
        raise Refused(409, "not_subscribed", "This browser is not subscribed any more.") from None
    return JsonResponse({"messageId": accepted.message_id}, status=201)


@for_website("POST", limit=DESCRIBING)
@transaction.atomic
def erase(request: HttpRequest, website: Website) -> HttpResponse:
    """Deletes the visitor. A repeat finds nobody, and is refused like any stranger."""
    recipient = _proven(website, read_json(request))
    consent.log(recipient, ConsentKind.WITHDRAWN, request.headers.get("Origin", ""))
    erasing.erase(recipient)
    return HttpResponse(status=204)


def _proven(website: Website, body: dict[str, Any]) -> Recipient:
    """Whose browser it is, subscribed or not any more. An unknown one and a wrong proof look alike."""
    known = subscribing.held(website, proof(body))
    if not known:
        raise Refused(403, "not_your_subscription", "This browser is not subscribed here.")
    return known.recipient


def _change(recipient: Recipient, body: dict[str, Any], known: set[str]) -> None:
    """Interests that aren't the website's own to tick stay as its page has set them."""
    if "interests" in body:
        chosen = body["interests"]
        if not isinstance(chosen, list) or not all(isinstance(one, str) for one in chosen):
            raise invalid("interests must be a list of texts.")
        kept = set(recipient.interests) - known
        recipient.interests = sorted(kept | (known & set(chosen)))
    if "paused" in body:
        if not isinstance(body["paused"], bool):
            raise invalid("paused must be true or false.")
        recipient.paused_until = timezone.now() + PAUSE if body["paused"] else None
    with changes.noted(recipient.website_id, [recipient.client_id]):
        recipient.save(update_fields=["interests", "paused_until"])


def _language(body: dict[str, Any]) -> str:
    language = text(body, "language", 35, required=False)
    return language if re.fullmatch(LANGUAGE, language) else ""


def _answer(said: dict[str, Any]) -> HttpResponse:
    return JsonResponse(said, headers={"Cache-Control": "no-store"})
