"""The steps after composing: review, send, approve, pause, resume, cancel. Each change is a POST."""

import datetime
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signalize_console.console import reviewing
from signalize_console.console.access import PerWebsite
from signalize_console.console.cautions import warnings_of
from signalize_console.console.links import may_ask
from signalize_console.console.progress import progress_of
from signalize_console.deliveries import outbox, repeating
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import MessageState

RUNS = 10
NOT_SENT = {MessageState.DRAFT, MessageState.AWAITING_APPROVAL}
TO_FEW = gettext_lazy(
    "It was for recipients whom only its sender could name. A copy would be for everyone, so none is made: "
    "write a new message, and choose its audience."
)


class SendingViews(PerWebsite):
    """Views of PushMessageAdmin beyond Django's own."""

    def may_send(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.send_pushmessage")

    def may_approve(self, request: HttpRequest, message: PushMessage) -> bool:
        """Whoever asked for it can't give it."""
        is_other = message.submitted_by_id != request.user.pk
        return is_other and request.user.has_perm("messaging.approve_pushmessage")

    def review_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """What would be sent, to how many, before it is."""
        message = self._message(request, message_id)
        if not message.is_draft:
            return self._back_to(message)
        return self.page(request, "console/review.html", message, self.review(request.user, message))

    def review(self, user: Any, message: PushMessage) -> dict[str, Any]:
        reach, recipients = reviewing.reach_and_some(message)
        examples = reviewing.examples_of(message, recipients)
        message.expected = reach.count
        return {
            "message": message,
            "reach": reach,
            "examples": examples,
            "duration": reviewing.duration_of(message, reach.count),
            "asks_links": may_ask(user),
            "warnings": warnings_of(user, message, reach, recipients),
            "is_too_late": reviewing.is_too_late(message),
            "must_type": reach.count > message.website.confirm_above,
            "needs_approval": reviewing.needs_approval(message, reach),
            "review": reviewing.make_token(message, reach.count),
        }

    @transaction.atomic
    def send_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """A second click of the same review meets the same key and changes nothing."""
        message = self._message(request, message_id, lock=True)
        if not message.is_draft:
            return self._back_to(message)
        reach, key, said = self._confirmed(request, message)
        needs_approval = reviewing.needs_approval(message, reach)
        if not said and needs_approval and reviewing.is_too_late(message):
            said = _("This time has passed, and it has to be approved first. Give a later time, or none.")
        if said:
            messages.error(request, said)
            return HttpResponseRedirect(reverse("admin:messaging_pushmessage_review", args=[message.pk]))
        message.sent_by, message.expected = str(request.user), reach.count
        if needs_approval:
            return self._submit(request, message)
        return self._accept(request, message, key)

    def _confirmed(self, request: HttpRequest, message: PushMessage) -> tuple[reviewing.Reach, str, str]:
        """How many get it, the key of the review that was confirmed, and why it can't be taken for that."""
        reach = reviewing.reach_of(message)
        reviewed = reviewing.read_token(message, request.POST.get("review", ""))
        said = reviewing.objection(message, reach, reviewed, request.POST.get("count", ""))
        return reach, f"console-{message.pk}-{reviewed.name}", said

    def approval(self, user: Any, message: PushMessage) -> dict[str, Any]:
        """The review once more, for who approves: as it is now, beside what was asked for."""
        asked = message.expected or 0
        context = self.review(user, message)
        return {**context, "asked": asked, "has_grown": context["reach"].count > asked}

    @transaction.atomic
    def approve_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        message = self._posted(request, message_id, lock=True)
        if not self.may_approve(request, message):
            raise PermissionDenied(_("Somebody else than who asked for it must approve it."))
        if message.state != MessageState.AWAITING_APPROVAL:
            messages.warning(request, _("The message had moved on already."))
            return self._back_to(message)
        reach, key, said = self._confirmed(request, message)
        if reviewing.is_too_late(message):
            said = _("Its time has passed. Give it back to its author, who chooses a new one.")
        if said:
            messages.error(request, said)
            return self._back_to(message)
        message.approved_by, message.expected = str(request.user), reach.count
        return self._accept(request, message, key)

    def disapprove_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        message = self._posted(request, message_id)
        if not self.may_approve(request, message):
            raise PermissionDenied
        is_waiting = message.state == MessageState.AWAITING_APPROVAL
        return self._said(
            request, message, is_waiting and message.withdraw_to_draft(), _("It is a draft again.")
        )

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
        if not message.keeps_audience:
            messages.error(request, TO_FEW)
            return self._back_to(message)
        copy = message.copy_as_draft()
        messages.success(request, _("This is a copy, not sent yet."))
        return self._back_to(copy)

    def progress_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """The part of the message's page that renews itself; it shows neither texts nor who is left out."""
        message = get_object_or_404(self.get_queryset(request).prefetch_related(None), pk=message_id)
        if not self.has_view_permission(request, message):
            raise PermissionDenied
        return TemplateResponse(request, "console/progress.html", self.following(request, message))

    def following(self, request: HttpRequest, message: PushMessage) -> dict[str, Any]:
        """What the page of a message that was sent shows."""
        return {
            "message": message,
            "progress": progress_of(message),
            "runs": message.runs.order_by("-pk")[:RUNS] if message.repeat else [],
            "may_send": self.may_send(request),
        }

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

    def _submit(self, request: HttpRequest, message: PushMessage) -> HttpResponse:
        moved = message.move_to(
            MessageState.AWAITING_APPROVAL,
            submitted_by=request.user,
            sent_by=message.sent_by,
            expected=message.expected,
        )
        return self._said(request, message, moved, _("A second person has to approve it now."))

    def _accept(self, request: HttpRequest, message: PushMessage, key: str) -> HttpResponse:
        passed = reviewing.is_too_late(message)
        try:
            if message.repeat:
                repeating.start(message)
            else:
                hold = datetime.timedelta(seconds=message.website.undo_seconds)
                is_repeat = outbox.send(message, idempotency_key=key, hold=hold).replayed
                if is_repeat and PushMessage.objects.get(pk=message.pk).state in NOT_SENT:
                    raise outbox.NotAccepted(_("This review was sent and undone. Look at a new one."))
        except outbox.NotAccepted as error:
            messages.error(request, str(error))
            return self._back_to(message)
        is_later = (message.scheduled_at and not passed) or message.repeat
        messages.success(request, _("It is scheduled.") if is_later else _("It is on its way."))
        return self._back_to(message)

    def _message(self, request: HttpRequest, message_id: int, *, lock: bool = False) -> PushMessage:
        """For who may send; changes only by POST."""
        if not self.may_send(request):
            raise PermissionDenied
        return self._posted(request, message_id, lock=lock)

    def _posted(self, request: HttpRequest, message_id: int, *, lock: bool = False) -> PushMessage:
        """``lock``: until the transaction ends, nobody changes it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST" and not request.path.endswith("/review/"):
            raise PermissionDenied(_("Use the button on the message's page."))
        rows = self.get_queryset(request)
        return get_object_or_404(rows.select_for_update(of=("self",)) if lock else rows, pk=message_id)

    def _act(
        self, request: HttpRequest, message_id: int, act: Callable[[PushMessage], bool], done: str
    ) -> HttpResponse:
        message = self._message(request, message_id)
        return self._said(request, message, act(message), done)

    def _said(self, request: HttpRequest, message: PushMessage, moved: bool, done: str) -> HttpResponse:
        if moved:
            messages.success(request, done)
        else:
            messages.warning(request, _("The message had moved on already."))
        return self._back_to(message)

    def _back_to(self, message: PushMessage) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:messaging_pushmessage_change", args=[message.pk]))
