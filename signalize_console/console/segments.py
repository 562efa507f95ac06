"""Segments in the console: the definition as JSON, and beside it whom it reaches."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from signalize_console.audiences.counting import TooSlow
from signalize_console.audiences.fields import FIELDS
from signalize_console.audiences.models import Segment
from signalize_console.audiences.tree import BadSegment
from signalize_console.console.access import PerWebsite

SAMPLE = '{"all": [{"field": "language", "op": "equals", "value": "de"}]}'


class SegmentForm(forms.ModelForm):
    class Meta:
        fields = ["website", "name", "definition"]
        widgets = {"definition": forms.Textarea(attrs={"rows": 14, "cols": 80, "spellcheck": "false"})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "definition" in self.fields:
            self.fields["definition"].help_text = format_html(
                "{} <code>{}</code><br>{} {}",
                _("A tree of all, any and not over conditions:"),
                SAMPLE,
                _("Fields:"),
                ", ".join(FIELDS),
            )


@admin.register(Segment)
class SegmentAdmin(PerWebsite):
    form = SegmentForm
    list_display = ["name", "website", "count", "counted_at"]
    list_filter = ["website"]
    list_select_related = ["website"]
    search_fields = ["name"]
    show_full_result_count = False
    actions = ["recount"]

    def get_fields(self, request: HttpRequest, obj: Segment | None = None) -> Any:
        return ["website", "name", "definition", *(["reached", "example"] if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Segment | None = None) -> Any:
        # A segment of another website would leave its messages behind.
        return ["website", "reached", "example"] if obj else []

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._recount(request, obj)

    @admin.action(description=_("Count the selected segments"), permissions=["view"])
    def recount(self, request: HttpRequest, segments: Any) -> None:
        for segment in segments.select_related("website")[:20]:
            self._recount(request, segment)

    def _recount(self, request: HttpRequest, segment: Segment) -> None:
        try:
            count = segment.recount(timezone.now())
        except (BadSegment, TooSlow) as error:
            messages.warning(request, f"{segment}: {error}")
        else:
            reached = ngettext(
                "%(segment)s reaches %(count)d subscription.",
                "%(segment)s reaches %(count)d subscriptions.",
                count,
            )
            messages.info(request, reached % {"segment": segment, "count": count})

    @admin.display(description=_("reaches"))
    def reached(self, segment: Segment) -> str:
        if segment.count is None:
            return str(_("Not counted yet: save, or use the action of the list."))
        at = timezone.localtime(segment.counted_at)
        return ngettext(
            "%(count)d subscription at %(at)s", "%(count)d subscriptions at %(at)s", segment.count
        ) % {"count": segment.count, "at": f"{at:%Y-%m-%d %H:%M}"}

    @admin.display(description=_("for example"))
    def example(self, segment: Segment) -> SafeString | str:
        try:
            recipients = segment.sample(timezone.now())
        except (BadSegment, TooSlow) as error:
            return str(error)
        lines = ((one.client_id, one.customer_id, one.language) for one in recipients)
        return format_html_join("", "<div><code>{}</code> {} {}</div>", lines) or "–"
