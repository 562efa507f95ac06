"""Imports in the console: upload a file, read what would be refused, let the rest move in, take it back."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signalize_console.console import refusals
from signalize_console.console.access import PerWebsite, own_websites
from signalize_console.console.audience import only_website
from signalize_console.console.badges import badge
from signalize_console.console.paging import ReadOnly
from signalize_console.recipients import importing, receiving
from signalize_console.recipients.imports import Import
from signalize_console.websites.models import Website

SHOWN = 50
LOOKS = {"done": "active", "undone": "off", "discarded": "off", "checked": "paused", "failed": "failed"}


class ImportForm(forms.Form):
    website = forms.ModelChoiceField(Website.objects.all(), label=gettext_lazy("Website"))
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or JSON, as Signalize, OneSignal, Pushpad and others export it."),
    )
    vapid_private_key = forms.CharField(
        label=gettext_lazy("Private VAPID key"),
        required=False,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy(
            "That these subscriptions were made with, where the file has no column for it. "
            "Without it nothing could ever be sent to them."
        ),
    )


@admin.register(Import)
class ImportAdmin(ReadOnly):
    when_empty = gettext_lazy(
        "Subscriptions from another system move in with their keys, and nobody is asked again."
    )
    list_display = ["file_name", "website", "status", "rows", "refused", "created_at", "by"]
    list_filter = ["website", "state"]
    list_select_related = ["website"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return PerWebsite.has_add_permission(self, request)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<int:import_id>/{name}/",
                self.admin_site.admin_view(getattr(self, f"{name}_view")),
                name=f"recipients_import_{name}",
            )
            for name in ("progress", "refused", "confirm", "discard", "undo")
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None, initial=only_website(request.user))
        form.fields["website"].queryset = own_websites(request.user)  # type: ignore[attr-defined]
        if request.method == "POST" and form.is_valid() and (of := self._receive(request, form)):
            self.log_addition(request, of, [{"added": {}}])
            return self._back_to(of)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Import"),
            "form": form,
        }
        return TemplateResponse(request, "console/import_new.html", context)

    @staticmethod
    def _receive(request: HttpRequest, form: ImportForm) -> Import | None:
        given = form.cleaned_data
        try:
            return receiving.receive(
                given["website"],
                given["file"].name,
                given["file"].chunks(),
                by=str(request.user),
                vapid_private_key=given["vapid_private_key"],
            )
        except ValueError as error:
            form.add_error("vapid_private_key", refusals.in_words(str(error)))
            return None

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        of = self._import(request, int(object_id) if object_id.isdecimal() else 0)
        if request.method == "POST":
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": of.file_name}
        return TemplateResponse(request, "console/import.html", {**context, **self._shown(request, of)})

    def progress_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        """The part of the page that renews itself."""
        of = self._import(request, import_id)
        return TemplateResponse(request, "console/import_progress.html", self._shown(request, of))

    def _shown(self, request: HttpRequest, of: Import) -> dict[str, Any]:
        return {
            "import": of,
            "look": LOOKS.get(of.state, "sending"),
            "refusals": of.refusals.order_by("line", "id")[:SHOWN],
            "kept": of.subscriptions_made - of.removed,
            "may_act": self.has_add_permission(request),
        }

    def refused_view(self, request: HttpRequest, import_id: int) -> StreamingHttpResponse:
        """All refused rows, as a file."""
        of = self._import(request, import_id)
        answer = StreamingHttpResponse(importing.report(of), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="refused-{of.pk}.csv"'
        return answer

    def confirm_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        return self._act(request, import_id, Import.confirm, _("They move in."))

    def discard_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        return self._act(request, import_id, importing.discard, _("Discarded. Nothing has moved in."))

    def undo_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        return self._act(request, import_id, Import.undo, _("It is being undone."))

    def _act(
        self, request: HttpRequest, import_id: int, act: Callable[[Import], bool], done: str
    ) -> HttpResponse:
        of = self._import(request, import_id)
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        if act(of):
            self.log_change(request, of, done)
            messages.success(request, done)
        else:
            messages.warning(request, _("It had moved on already."))
        return self._back_to(of)

    def _import(self, request: HttpRequest, import_id: int) -> Import:
        of: Import = get_object_or_404(self.get_queryset(request), pk=import_id)
        if not self.has_view_permission(request, of):
            raise PermissionDenied
        return of

    @staticmethod
    def _back_to(of: Import) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:recipients_import_change", args=[of.pk]))

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def status(self, of: Import) -> SafeString:
        return badge(LOOKS.get(of.state, "sending"), of.get_state_display())
