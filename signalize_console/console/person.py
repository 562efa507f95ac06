"""The page of one recipient: who it is, its browsers, its timeline; why it got a message or didn't; a test,
all that is stored as a file, and the end.
"""

import re
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from signalize_console.activity import horizons
from signalize_console.automations.disclosing import disclose
from signalize_console.console import automation_runs, devices, timeline, why
from signalize_console.console.paging import ReadOnly
from signalize_console.deliveries import erasing, outbox, retention, trying
from signalize_console.deliveries.timeline import Place
from signalize_console.recipients import consent
from signalize_console.recipients.models import ConsentKind, Recipient

MOST_SIBLINGS = 20
STEPS = ("why", "test", "export", "erase")
TO_EXPORT, TO_ERASE, TO_SEND = (
    "recipients.export_recipient",
    "recipients.delete_recipient",
    "messaging.send_pushmessage",
)
TO_SEE_RUNS = "automations.view_run"
TO_EXPLAIN = ("messaging.view_pushmessage", "deliveries.view_delivery")


class PersonViews(ReadOnly):
    """Views of RecipientAdmin beyond its list."""

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<int:recipient_id>/{name}/",
                self.admin_site.admin_view(getattr(self, f"{name}_view")),
                name=f"recipients_recipient_{name}",
            )
            for name in STEPS
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        known = re.fullmatch(r"[0-9]{1,18}", object_id)
        recipient = self._recipient(request, int(object_id)) if known else None
        if recipient is None:
            raise Http404
        if request.method == "POST":
            raise PermissionDenied(_("Use the button on the recipient's page."))
        sources = [name for name, (_label, right) in timeline.SOURCES.items() if request.user.has_perm(right)]
        wanted = request.GET.get("show", "")
        place = Place.from_text(request.GET.get("after", ""))
        shown = [wanted] if wanted in sources else sources
        page = timeline.page(recipient, shown, place)
        was_here_before = retention.may_be_gone(recipient.created_at.date())
        context = {
            "devices": devices.of(recipient),
            "runs": automation_runs.of(recipient) if request.user.has_perm(TO_SEE_RUNS) else [],
            "most_runs": automation_runs.LATEST,
            "siblings": self._siblings(request, recipient),
            "timeline": page,
            "sources": [(name, timeline.SOURCES[name][0]) for name in sources],
            "shown": wanted if wanted in sources else "",
            "is_first": place is None,
            "kept": horizons.kept() if not page.next and was_here_before else None,
            "may": self._rights(request),
        }
        return self._page(request, "console/recipient.html", recipient, context)

    def why_view(self, request: HttpRequest, recipient_id: int) -> HttpResponse:
        """The latest messages, or the chosen one: why they were received, or weren't."""
        recipient = self._recipient(request, recipient_id, *TO_EXPLAIN)
        wanted = request.GET.get("message", "").strip().lstrip("#")
        answers = why.answers(recipient, wanted)
        context = {"answers": answers, "wanted": wanted, "title": _("Why did they get it, or not?")}
        return self._page(request, "console/why.html", recipient, context)

    def test_view(self, request: HttpRequest, recipient_id: int) -> HttpResponse:
        """Sends a test to one of the recipient's browsers."""
        recipient = self._recipient(request, recipient_id, TO_SEND, post=True)
        number = request.POST.get("subscription", "")
        known = re.fullmatch(r"[0-9]{1,18}", number)
        subscription = get_object_or_404(recipient.subscriptions, pk=int(number) if known else 0)
        try:
            trying.send_test(subscription, by=request.user.get_username())
        except outbox.NotAccepted:
            messages.error(request, _("This browser is not subscribed any more, so nothing was sent."))
        else:
            messages.success(
                request, _("A test is on its way. Load this page again to see what became of it.")
            )
        return self._back_to(recipient)

    def export_view(self, request: HttpRequest, recipient_id: int) -> HttpResponse:
        """All that is stored, as a file for the person that it is about."""
        recipient = self._recipient(request, recipient_id, TO_EXPORT, post=True)
        return JsonResponse(
            disclose(recipient, endpoints=False),
            json_dumps_params={"indent": 2, "ensure_ascii": False},
            headers={
                "Content-Disposition": f'attachment; filename="recipient-{recipient.client_id}.json"',
                "Cache-Control": "no-store",
            },
        )

    def erase_view(self, request: HttpRequest, recipient_id: int) -> HttpResponse:
        """Says first what goes and what stays; a POST does it."""
        recipient = self._recipient(request, recipient_id, TO_ERASE)
        if request.method != "POST":
            return self._page(request, "console/erase.html", recipient, {"title": _("Erase this recipient?")})
        consent.log(recipient, ConsentKind.WITHDRAWN, "console")
        erasing.erase(recipient)
        messages.success(request, _("The recipient is erased. What was sent stays as a count of nobody."))
        return HttpResponseRedirect(reverse("admin:recipients_recipient_changelist"))

    def _recipient(
        self, request: HttpRequest, recipient_id: int, *rights: str, post: bool = False
    ) -> Recipient:
        if not self.has_view_permission(request) or not request.user.has_perms(rights):
            raise PermissionDenied
        if post and request.method != "POST":
            raise PermissionDenied(_("Use the button on the recipient's page."))
        recipients = self.get_queryset(request).select_related("website")
        recipient: Recipient = get_object_or_404(recipients, pk=recipient_id)
        return recipient

    def _rights(self, request: HttpRequest) -> dict[str, bool]:
        has = request.user.has_perm
        return {
            "send": has(TO_SEND),
            "export": has(TO_EXPORT),
            "erase": has(TO_ERASE),
            "explain": request.user.has_perms(TO_EXPLAIN),
        }

    def _siblings(self, request: HttpRequest, recipient: Recipient) -> list[Recipient]:
        """Other browsers of the same customer."""
        if not recipient.customer_id:
            return []
        same = self.get_queryset(request).filter(
            website=recipient.website_id, customer_id=recipient.customer_id
        )
        return list(same.exclude(pk=recipient.pk).order_by("-seen_at")[:MOST_SIBLINGS])

    def _page(
        self, request: HttpRequest, template: str, recipient: Model, context: dict[str, Any]
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": recipient,
            "recipient": recipient,
            "title": _("Recipient"),
        }
        return TemplateResponse(request, template, {**shared, **context})

    def _back_to(self, recipient: Recipient) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:recipients_recipient_change", args=[recipient.pk]))
