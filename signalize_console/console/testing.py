"""Test messages from the composer, to the browsers that a member of the staff calls their own."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from signalize_console.console.written import line, whole
from signalize_console.deliveries import outbox
from signalize_console.deliveries.browsers import MOST_BROWSERS
from signalize_console.deliveries.models import TestBrowser
from signalize_console.deliveries.testing import send_test
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website

COOKIE = "_et_coid"


class TestingViews(ModelAdmin):
    """Whoever may send may also test: a recipient id is all it takes to call a browser one's own."""

    may_send: Callable[[HttpRequest], bool]
    _website: Callable[[HttpRequest, str | None], Website | None]

    def testing_urls(self, view: Callable[..., URLPattern]) -> list[URLPattern]:
        return [
            view("test-browsers/", require_GET(self.browsers_view), "browsers"),
            view("test-browsers/add/", require_POST(self.add_browser_view), "add_browser"),
            view(
                "test-browsers/<int:browser_id>/remove/",
                require_POST(self.remove_browser_view),
                "remove_browser",
            ),
            view("<int:message_id>/test/", require_POST(self.test_view), "test"),
        ]

    def browsers_view(self, request: HttpRequest) -> HttpResponse:
        website = self._testable(request, request.GET.get("website"))
        return JsonResponse(self._browsers(request, website))

    def add_browser_view(self, request: HttpRequest) -> HttpResponse:
        """By a recipient id, or without one the browser that asks, if it has opted in on this very origin."""
        website = self._testable(request, request.POST.get("website"))
        client_id = line(request.POST.get("client_id"), 33) or _cookie(request)
        recipient = Recipient.objects.filter(website=website, client_id=client_id).first()
        if recipient is None:
            return _problem(_("No recipient of this website has this id. It has 32 characters, 0-9 and a-f."))
        mine = _mine(request)
        if mine.count() >= MOST_BROWSERS:
            return _problem(_("You have 20 test browsers. Remove one first."))
        name = line(request.POST.get("name"), 60) or _("My browser")
        TestBrowser.objects.update_or_create(
            user_id=_user_id(request), recipient=recipient, defaults={"name": name}
        )
        return JsonResponse(self._browsers(request, website), status=201)

    def remove_browser_view(self, request: HttpRequest, browser_id: int) -> HttpResponse:
        website = self._testable(request, request.POST.get("website"))
        get_object_or_404(_mine(request), pk=browser_id).delete()
        return JsonResponse(self._browsers(request, website))

    def test_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """Sends the saved draft to the chosen ones of one's own browsers."""
        message = get_object_or_404(self.get_queryset(request), pk=message_id)
        self._testable(request, str(message.website_id))
        ids = [chosen for one in request.POST.getlist("browsers")[:MOST_BROWSERS] if (chosen := whole(one))]
        mine = _mine(request).filter(recipient__website=message.website_id, pk__in=ids)
        browsers = list(mine.select_related("recipient"))
        if not browsers:
            return _problem(_("Choose at least one browser."))
        label = line(request.POST.get("text"), 24)
        try:
            accepted = send_test(message, browsers, by=str(request.user), label=label)
        except outbox.NotAccepted as error:
            return _problem(str(error))
        follow = reverse("admin:messaging_pushmessage_change", args=[accepted.message_id])
        return JsonResponse({"follow": follow}, status=201)

    def _testable(self, request: HttpRequest, website: str | None) -> Website | None:
        if not self.may_send(request):
            raise PermissionDenied
        return self._website(request, website)

    def _browsers(self, request: HttpRequest, website: Website | None) -> dict[str, Any]:
        mine = _mine(request).filter(recipient__website=website)
        listed = [
            {
                "id": one.pk,
                "name": one.name,
                "reachable": one.is_reachable,
                "remove": reverse("admin:messaging_pushmessage_remove_browser", args=[one.pk]),
            }
            for one in mine.annotate(is_reachable=Exists(_active("recipient")))
        ]
        known = Recipient.objects.filter(website=website, client_id=_cookie(request))
        new = known.exclude(pk__in=mine.values("recipient")).filter(Exists(_active("pk")))
        return {"browsers": listed, "here": new.exists()}


def _mine(request: HttpRequest) -> QuerySet[TestBrowser]:
    return TestBrowser.objects.filter(user_id=_user_id(request))


def _user_id(request: HttpRequest) -> Any:
    return request.user.pk


def _active(recipient: str) -> QuerySet[Subscription]:
    return Subscription.objects.active().filter(recipient=OuterRef(recipient))


def _cookie(request: HttpRequest) -> str:
    """The recipient id of the browser that asks, where it has opted in on this very origin."""
    return line(request.COOKIES.get(COOKIE), 33)


def _problem(sentence: str) -> HttpResponse:
    return JsonResponse({"problem": sentence}, status=422)
