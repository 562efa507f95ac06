"""The steps after composing: review, send, pause, resume, cancel. Each is a POST by somebody who may send."""

import secrets
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from signalize_console.audiences import counting
from signalize_console.audiences.tree import BadSegment
from signalize_console.console.progress import progress_of
from signalize_console.deliveries import outbox
from signalize_console.messaging import lint
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website


class SendingViews(ModelAdmin):
    """Views of PushMessageAdmin beyond Django's own."""

    def may_send(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.send_pushmessage")

    def review_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """What would be sent, to how many, before it is."""
        message = self._message(request, message_id)
        if not message.is_draft:
            return self._back_to(message)
        context = {
            "message": message,
            "texts": message.texts.all(),
            "subscribers": self._subscribers(message),
            "warnings": self._warnings(message),
            "review": secrets.token_hex(8),
        }
        return self.page(request, "console/review.html", message, context)

    def send_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """A second click of the same review meets the same key and changes nothing."""
        message = self._message(request, message_id)
        message.sent_by = str(request.user)
        review = request.POST.get("review", "")[:32]
        try:
            accepted = outbox.send(message, idempotency_key=f"console-{message.pk}-{review}")
        except outbox.NotAccepted as error:
            messages.error(request, str(error))
            return self._back_to(message)
        if not accepted.replayed:
            messages.success(
                request, _("It is on its way.") if not message.scheduled_at else _("It is scheduled.")
            )
        return self._back_to(message)

    def pause_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        return self._act(request, message_id, PushMessage.pause, _("Paused. Nothing more goes out."))

    def resume_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        return self._act(request, message_id, PushMessage.resume, _("It goes on where it stopped."))

    def cancel_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        return self._act(request, message_id, PushMessage.cancel, _("Cancelled. Nothing more goes out."))

    def take_back_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        text = _("It is being taken back where no browser has fetched it yet.")
        return self._act(request, message_id, PushMessage.cancel, text)

    def release_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        return self._act(request, message_id, PushMessage.release, _("It is on its way."))

    def to_draft_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        return self._act(request, message_id, PushMessage.withdraw_to_draft, _("It is a draft again."))

    def duplicate_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        message = self._message(request, message_id)
        copy = message.copy_as_draft()
        messages.success(request, _("This is a copy, not sent yet."))
        return self._back_to(copy)

    def progress_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """The part of the message's page that renews itself."""
        message = get_object_or_404(self.get_queryset(request), pk=message_id)
        if not self.has_view_permission(request, message):
            raise PermissionDenied
        context = {"message": message, "progress": progress_of(message), "may_send": self.may_send(request)}
        return TemplateResponse(request, "console/progress.html", context)

    def page(
        self, request: HttpRequest, template: str, message: PushMessage, context: dict[str, Any]
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": message,
            "title": message.title,
        }
        return TemplateResponse(request, template, {**shared, **context})

    def _message(self, request: HttpRequest, message_id: int) -> PushMessage:
        if not self.may_send(request) or not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST" and not request.path.endswith("/review/"):
            raise PermissionDenied(_("Use the button on the message's page."))
        return get_object_or_404(self.get_queryset(request), pk=message_id)

    def _act(
        self, request: HttpRequest, message_id: int, act: Callable[[PushMessage], bool], done: str
    ) -> HttpResponse:
        message = self._message(request, message_id)
        if act(message):
            messages.success(request, done)
        else:
            messages.warning(request, _("The message had moved on already."))
        return self._back_to(message)

    def _back_to(self, message: PushMessage) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:messaging_pushmessage_change", args=[message.pk]))

    @staticmethod
    def _subscribers(message: PushMessage) -> int | None:
        """How many would get it now; None if that takes too long to find out."""
        if message.segment is None:
            return Subscription.objects.active().filter(website=message.website).count()
        try:
            at = message.scheduled_at or timezone.now()
            return counting.count(message.website, message.segment.definition, at)
        except (BadSegment, counting.TooSlow):
            return None

    def _warnings(self, message: PushMessage) -> list[str]:
        """What a colleague would remark; each with its language, where there are several."""
        texts = list(message.texts.all())
        return [
            f"{one.text.language}: {one.sentence}" if one.text and len(texts) > 1 else one.sentence
            for one in lint.remarks(message, texts, message.website)
        ]

    @staticmethod
    def _only_website() -> Website | None:
        websites = list(Website.objects.all()[:2])
        return websites[0] if len(websites) == 1 else None
