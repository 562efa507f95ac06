"""The demo shop: opt in with your own browser, and push yourself a message."""

import datetime
import hmac

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from signalize_console.activity.models import Event
from signalize_console.browser.answers import Refused, error, read_json, text
from signalize_console.deliveries import outbox
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage, PushMessageText
from signalize_console.recipients.models import Subscription, endpoint_hash
from signalize_console.webpush.push_services import LONGEST_ENDPOINT
from signalize_console.websites.models import Website

NAME = "Demo shop"
MOST_A_MINUTE = 10
signer = signing.TimestampSigner(salt="signalize_console.browser.demo")


def _website() -> Website:
    website = Website.objects.filter(name=NAME).first() if settings.DEMO else None
    if website is None:
        raise Http404("The demo is off. `make run` starts with it; elsewhere set SIGNALIZE_DEMO=1.")
    return website


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    try:
        return render(request, "browser/demo.html", {"website": _website()})
    except Http404 as error:
        return HttpResponse(str(error), status=404, content_type="text/plain; charset=utf-8")


@csrf_exempt
@require_POST
def push(request: HttpRequest) -> HttpResponse:
    """Sends an order confirmation to the browser that proves that the subscription is its own."""
    website = _website()
    if request.headers.get("Origin") not in (None, *website.origins):
        return error(request, Refused(403, "origin_not_allowed", _("Open the demo page on this computer.")))
    try:
        body = read_json(request)
        subscription = _proven(website, text(body, "endpoint", LONGEST_ENDPOINT), text(body, "auth", 32))
        accepted = outbox.send(*_order_confirmation(website, request), [subscription.recipient])
    except Refused as refused:
        return error(request, refused)
    except outbox.NobodyReachable:
        return error(request, Refused(409, "not_subscribed", _("Opt in first.")))
    return JsonResponse(
        {"messageId": accepted.message_id, "status": signer.sign(str(accepted.message_id))}, status=201
    )


@require_GET
def status(request: HttpRequest, token: str) -> HttpResponse:
    """How far the visitor's own message has come."""
    try:
        message = PushMessage.objects.get(pk=signer.unsign(token, max_age=datetime.timedelta(hours=1)))
    except (signing.BadSignature, PushMessage.DoesNotExist):
        raise Http404("There is no such message.") from None
    deliveries = Delivery.objects.of(message)
    reported = Event.objects.filter(push_message_id=message.pk).values_list("kind", flat=True)
    return JsonResponse(
        {
            "states": sorted(set(deliveries.values_list("state", flat=True))),
            "reasons": sorted(set(deliveries.values_list("reason", flat=True)) - {""}),
            "reported": sorted(set(reported)),
        }
    )


def _proven(website: Website, endpoint: str, auth: str) -> Subscription:
    subscription = (
        Subscription.objects.active()
        .select_related("recipient")
        .filter(website=website, endpoint_hash=endpoint_hash(endpoint))
        .first()
    )
    if subscription is None or not hmac.compare_digest(subscription.auth.encode(), auth.rstrip("=").encode()):
        raise Refused(403, "not_your_subscription", _("Opt in first: this browser is not subscribed here."))
    recent = Delivery.objects.filter(
        recipient_id=subscription.recipient_id,
        created_at__gt=timezone.now() - datetime.timedelta(minutes=1),
    )
    if recent.count() >= MOST_A_MINUTE:
        raise Refused(429, "too_many", _("That was a lot. Wait a minute."))
    return subscription


def _order_confirmation(website: Website, request: HttpRequest) -> tuple[PushMessage, list[PushMessageText]]:
    link = request.build_absolute_uri("/demo/#order")
    message = PushMessage(
        website=website, transactional=True, urgency="high", sent_by="demo page", ttl=3600,
        icon=request.build_absolute_uri("/static/browser/demo-icon.png"),
    )  # fmt: skip
    return message, [
        PushMessageText(
            language="en", standard=True, title="Thank you for your order",
            message="One pot of flowers is being packed. We tell you when it leaves.",
            link=link, first_button="Show my order", first_button_link=link,
        ),
        PushMessageText(
            language="de", title="Danke für deine Bestellung",
            message="Ein Topf Blumen wird gepackt. Wir sagen dir, wenn er unterwegs ist.",
            link=link, first_button="Bestellung ansehen", first_button_link=link,
        ),
    ]  # fmt: skip
