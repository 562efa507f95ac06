"""Segments in the console: built by clicking, or written as JSON; beside them whom they reach."""

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from signalize_console.audiences import suggestions
from signalize_console.audiences.counting import TooSlow
from signalize_console.audiences.fields import FIELDS
from signalize_console.audiences.models import RecipientList, Segment
from signalize_console.audiences.sentences import sentence
from signalize_console.audiences.tree import BadSegment, Problem, parse
from signalize_console.console import segment_builder
from signalize_console.console.access import PerWebsite, of_own_websites, own_websites
from signalize_console.console.audience import context_of, only_website
from signalize_console.messaging.models import ExcludedSegment, PushMessage
from signalize_console.websites.models import Website

MOST_USERS = 20
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


class SegmentList(ChangeList):
    """Each segment with what it says: its sentence, or what is wrong with it."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: Any = list(self.result_list)
        right = []
        for segment in self.result_list:
            try:
                parse(segment.definition)
                right.append(segment)
            except BadSegment as error:
                segment.said = str(error)
        names = segment_builder.names_of((one.website_id, one.definition) for one in right)
        for segment in right:
            segment.said = sentence(segment.definition, names[segment.website_id])


@admin.register(Segment)
class SegmentAdmin(PerWebsite):
    when_empty = _("A segment is who has something in common: a language, a purchase, a visit last week.")
    form = SegmentForm
    list_display = ["name", "website", "says", "count", "counted_at"]
    list_filter = ["website"]
    list_select_related = ["website"]
    search_fields = ["name"]
    show_full_result_count = False
    actions = ["recount"]
    change_form_template = "console/segment.html"

    class Media:
        css: ClassVar[Any] = {"all": ["console/reach.css", "console/segment.css"]}
        js: ClassVar[Any] = [forms.Script("console/segment/builder.js", type="module")]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SegmentList

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("preview/", view(require_POST(self.preview_view)), name="audiences_segment_preview"),
            path("offered/", view(require_GET(self.offered_view)), name="audiences_segment_offered"),
            *super().get_urls(),
        ]

    def get_fields(self, request: HttpRequest, obj: Segment | None = None) -> Any:
        return ["website", "name", "definition", *(["reached"] if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Segment | None = None) -> Any:
        # A segment of another website would leave its messages behind.
        return ["website", "reached"] if obj else []

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Of the messages that one is for, or that leave it out, the newest 20: there may be thousands."""
        segments = list(objs)
        uses = Q(segment__in=segments) | Exists(
            ExcludedSegment.objects.filter(push_message=OuterRef("pk"), segment__in=segments)
        )
        users = PushMessage.objects.filter(uses).prefetch_related("texts").order_by("-pk")[:MOST_USERS]
        if not users:
            return super().get_deleted_objects(segments, request)
        links = [
            format_html(
                '<a href="{}">{}</a>', reverse("admin:messaging_pushmessage_change", args=[one.pk]), one
            )
            for one in users
        ]
        counted = {self.opts.verbose_name_plural: len(segments)}
        return [str(one) for one in segments], counted, set(), links

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """With ``?list=``: who is on it."""
        number = request.GET.get("list", "")
        own = of_own_websites(request.user, RecipientList.objects.all())
        known = own.filter(pk=int(number) if number.isdecimal() else 0)
        if (one := known.select_related("website").first()) is not None:
            on_list = {"field": "list", "op": "equals", "value": one.pk}
            return {"website": one.website, "name": one.name, "definition": on_list}
        return {**only_website(request.user), **super().get_changeform_initial_data(request)}

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        context |= {
            "catalogue": segment_builder.catalogue(),
            "preview_url": reverse("admin:audiences_segment_preview"),
            "offered_url": reverse("admin:audiences_segment_offered"),
        }
        return super().render_change_form(request, context, *args, **options)

    def preview_view(self, request: HttpRequest) -> JsonResponse:
        """Whom the definition reaches that is being edited, or what is wrong with it and where."""
        website = self._website(request, request.POST.get("website", ""))
        try:
            tree = json.loads(request.POST.get("definition", ""))
            parse(tree)
        except BadSegment as error:
            return JsonResponse({"problems": [problem._asdict() for problem in error.problems]})
        except (ValueError, RecursionError):
            problem = Problem("$", str(_("This is no valid JSON.")))
            return JsonResponse({"problems": [problem._asdict()]})
        said = sentence(tree, segment_builder.names_in(website.pk, tree))
        context = {**context_of(website, tree), "without_examples": not self._may_see_visitors(request)}
        html = render_to_string("console/reach.html", context, request)
        return JsonResponse({"problems": [], "sentence": said, "html": html})

    def offered_view(self, request: HttpRequest) -> JsonResponse:
        """Values to choose from; those that visitors have, for who may see visitors."""
        website = self._website(request, request.GET.get("website", ""))
        of, name = request.GET.get("of", ""), request.GET.get("name", "")[:1000].replace("\0", "")
        if of in suggestions.SOURCES and not self._may_see_visitors(request):
            raise PermissionDenied
        return JsonResponse({"offered": segment_builder.offered(website, of, name)})

    @staticmethod
    def _may_see_visitors(request: HttpRequest) -> bool:
        return request.user.has_perm("recipients.view_recipient")

    def _website(self, request: HttpRequest, number: str) -> Website:
        if not self.has_view_permission(request):
            raise PermissionDenied
        known = number.isascii() and number.isdigit()
        return get_object_or_404(own_websites(request.user), pk=int(number) if known else 0)

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

    @admin.display(description=_("conditions"))
    def says(self, segment: Segment) -> str:
        said: str = segment.said  # type: ignore[attr-defined]
        return said if len(said) <= 200 else f"{said[:200]} …"

    @admin.display(description=_("last counted"))
    def reached(self, segment: Segment) -> str:
        if segment.count is None:
            return str(_("Not counted yet: save, or use the action of the list."))
        at = timezone.localtime(segment.counted_at)
        return ngettext(
            "%(count)d subscription at %(at)s", "%(count)d subscriptions at %(at)s", segment.count
        ) % {"count": segment.count, "at": date_format(at, "DATETIME_FORMAT")}
