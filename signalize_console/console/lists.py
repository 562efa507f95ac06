"""Lists in the console: filled from a CSV file, with a report of what became of its rows."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from signalize_console.audiences.importing import LARGEST_FILE, Names, check, fill
from signalize_console.audiences.lists import RecipientList
from signalize_console.audiences.models import Segment
from signalize_console.audiences.spreadsheets import NotCsv
from signalize_console.console.access import PerWebsite
from signalize_console.console.audience import only_website
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import MessageState

MEBIBYTE = 1024 * 1024


class ListForm(forms.ModelForm):
    file = forms.FileField(
        label=_("CSV file"),
        help_text=_(
            "One recipient a row, in the column called “recipient id” or “customer id”, else in the first. "
            "As Excel, LibreOffice or Google Sheets save it; up to a million rows."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
    )
    by = forms.ChoiceField(choices=Names.choices, initial=Names.CUSTOMER_ID, label=_("The file holds"))
    replace = forms.BooleanField(
        required=False,
        label=_("Replace the list"),
        help_text=_("Who isn't in the file is not on the list any more."),
    )

    class Meta:
        fields = ["website", "name"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk and "file" in self.fields:
            self.fields["file"].required = False

    def clean(self) -> None:
        file, by = self.cleaned_data.get("file"), self.cleaned_data.get("by")
        if not file or not by:
            return
        try:
            if file.size > LARGEST_FILE:
                largest = LARGEST_FILE // MEBIBYTE
                raise NotCsv(_("A file may have up to %d MB. Split it, and add the parts.") % largest)
            check(file.file, Names(by))
        except NotCsv as error:
            self.add_error("file", str(error))


@admin.register(RecipientList)
class RecipientListAdmin(PerWebsite):
    when_empty = _("A list holds named recipients, from a CSV file of your CRM.")
    form = ListForm
    list_display = ["name", "website", "size", "filled_at"]
    list_filter = ["website"]
    list_select_related = ["website"]
    search_fields = ["name"]
    show_full_result_count = False
    readonly_fields = ["size", "filled_at"]

    def get_fields(self, request: HttpRequest, obj: RecipientList | None = None) -> Any:
        upload = ["file", "by", *(["replace"] if obj else [])]
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return ["website", "name", *(["size", "filled_at"] if obj else []), *(upload if may else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: RecipientList | None = None) -> Any:
        return ["website", *self.readonly_fields] if obj else self.readonly_fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**only_website(request.user), **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: RecipientList, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if file := form.cleaned_data.get("file"):
            by, replace = Names(form.cleaned_data["by"]), form.cleaned_data.get("replace", False)
            request.report = fill(obj, file.file, by, timezone.now(), replace=replace)  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: RecipientList, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._report(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: RecipientList) -> HttpResponse:
        return self._report(request, obj) or super().response_change(request, obj)

    def _report(self, request: HttpRequest, on: RecipientList) -> HttpResponse | None:
        """What became of the rows: told once, as nothing of unknown people is kept."""
        if (report := getattr(request, "report", None)) is None:
            return None
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": str(on)}
        context = {**shared, "list": on, "report": report, "more": report.unknown_count - len(report.unknown)}
        return TemplateResponse(request, "console/list_report.html", context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Not the members one by one. A list that an audience names stays: without it, who is on it would
        fall out of an audience, or into one that leaves them out.
        """
        lists = list(objs)
        needed = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        users = [str(user) for one in lists for user in _users_of(one)]
        return [str(one) for one in lists], {self.opts.verbose_name_plural: len(lists)}, needed, users


def _users_of(one: RecipientList) -> list[Any]:
    """Segments with a condition on the list, and messages whose audience isn't complete yet."""
    settled = [MessageState.SENDING, MessageState.FINISHED, MessageState.CANCELLED]
    waiting = PushMessage.objects.exclude(state__in=settled).prefetch_related("texts")
    segments = Segment.objects.filter(one.named_in("definition"))
    return [*segments[:20], *waiting.filter(one.named_in("frozen_segment"))[:20]]
