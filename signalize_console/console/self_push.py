"""The last step of the self-test: this browser subscribes, is pushed a test, and is forgotten again."""

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from signalize_console.console.access import own_websites
from signalize_console.console.outcomes import said
from signalize_console.deliveries import erasing, outbox, trying
from signalize_console.deliveries.causes import what_became
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.states import OPEN_DELIVERY_STATES
from signalize_console.recipients import subscribing
from signalize_console.recipients.models import Recipient, make_client_id
from signalize_console.recipients.platforms import platform_of
from signalize_console.recipients.subscribing import PushSubscription, Visitor
from signalize_console.websites.models import Website

RIGHT = "messaging.send_pushmessage"
RIGHTS = ("deliveries.self_test", RIGHT)
# In the session: the recipient that the test made, until it ends.
REMEMBERED = "self_test_recipient"


def start(request: HttpRequest) -> HttpResponse:
    """Takes this browser's subscription, and sends it a test."""
    _admit(request, "POST")
    _forget(request)
    try:
        body = json.loads(request.body)
        website = get_object_or_404(own_websites(request.user), pk=int(body["website"]))
        visitor = Visitor(
            make_client_id(),
            language=get_language() or "",
            platform=platform_of(request.headers.get("User-Agent", "")),
        )
        subscription, _is_new = subscribing.subscribe(website, visitor, _subscription(website, body))
        if subscription.recipient.client_id != visitor.client_id:
            return _refused(_("This browser is subscribed already. Send it a test on its recipient's page."))
        request.session[REMEMBERED] = subscription.recipient_id
        trying.send_test(subscription, by=request.user.get_username())
    except subscribing.NotYours:
        return _refused(
            _("This browser is subscribed already, with other keys. Clear its data for this site.")
        )
    except (ValueError, KeyError, TypeError) as error:
        return _refused(_("This subscription can't be used: %s") % error)
    except outbox.NotAccepted as error:
        return _refused(str(error))
    return JsonResponse({}, status=201)


def state(request: HttpRequest) -> HttpResponse:
    """How far the test has come, in words; ``done`` when nothing more will happen by itself."""
    _admit(request, "GET")
    recipient_id = request.session.get(REMEMBERED)
    delivery = (
        Delivery.objects.filter(recipient=recipient_id).order_by("-id").first() if recipient_id else None
    )
    if delivery is None:
        return JsonResponse({"tone": "quiet", "line": _("There is no test."), "more": "", "done": True})
    explanation = what_became([delivery])[delivery.pk]
    told = said(explanation)
    is_open = delivery.state in OPEN_DELIVERY_STATES or (
        delivery.state == "accepted" and not explanation.reports
    )
    return JsonResponse(
        {
            "tone": told.tone,
            "line": capfirst(told.line),
            "more": told.more,
            "shown": bool(explanation.reports),
            "done": not is_open,
        }
    )


def end(request: HttpRequest) -> HttpResponse:
    """Forgets the browser: the recipient is erased."""
    _admit(request, "POST")
    _forget(request)
    return HttpResponse(status=204)


def _admit(request: HttpRequest, method: str) -> None:
    if request.method != method or not request.user.has_perms(RIGHTS):
        raise PermissionDenied


def _forget(request: HttpRequest) -> None:
    recipient_id = request.session.pop(REMEMBERED, None)
    for recipient in Recipient.objects.filter(pk=recipient_id):
        erasing.erase(recipient)


def _subscription(website: Website, body: dict[str, Any]) -> PushSubscription:
    subscription = body["subscription"]
    keys = subscription["keys"]
    return PushSubscription(
        endpoint=str(subscription["endpoint"]),
        p256dh=str(keys["p256dh"]),
        auth=str(keys["auth"]),
        application_server_key=website.vapid_key.public_key,
    )


def _refused(message: str) -> HttpResponse:
    return JsonResponse({"message": message}, status=400)
