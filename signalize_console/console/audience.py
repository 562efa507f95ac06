"""Whom a push message is for: choosing it in the composer, with whom it reaches beside it."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from signalize_console.audiences import reach
from signalize_console.audiences.counting import TooSlow
from signalize_console.audiences.models import Segment
from signalize_console.audiences.tree import BadSegment
from signalize_console.console.access import of_own_websites, own_websites
from signalize_console.messaging.models import MOST_EXCLUDED, PushMessage
from signalize_console.websites.models import Website

# What "recently" means beside a count.
RECENT_HOURS = 24
RECENT = {"field": "messageAccepted", "within": {"hours": RECENT_HOURS}}
REST = [
    (None, _("Nobody")),
    (24, _("Who got a message in the last 24 hours")),
    (72, _("Who got a message in the last 3 days")),
    (168, _("Who got a message in the last 7 days")),
    (720, _("Who got a message in the last 30 days")),
]


def only_website(user: Any) -> dict[str, Website]:
    """What a form of something new begins with: the website, where there is no choice."""
    websites = list(own_websites(user)[:2])
    return {"website": websites[0]} if len(websites) == 1 else {}


def context_of(website: Website, tree: Any) -> dict[str, Any]:
    """What console/reach.html shows: how many, who for example, and who can't be reached and why."""
    now = timezone.now()
    try:
        found = reach.reach(website, tree, now, RECENT)
        standings = reach.standings(website, tree, now)
    except (BadSegment, TooSlow) as error:
        return {"trouble": error}
    reachable = standings.pop(reach.Standing.REACHABLE, 0)
    shown = [(one.label, count) for one, count in standings.items()]
    return {"reach": found, "reachable": reachable, "unreachable": shown, "recent_hours": RECENT_HOURS}


class OfWebsite:
    """A choice of segments whose options say which website they belong to, for the composer's script."""

    def create_option(self, name: str, value: Any, *args: Any, **options: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **options)  # type: ignore[misc]
        if segment := getattr(value, "instance", None):
            option["attrs"]["data-website"] = segment.website_id
        return option


class SegmentSelect(OfWebsite, forms.Select):
    """One segment."""


class SegmentCheckboxes(OfWebsite, forms.CheckboxSelectMultiple):
    """Some segments."""


class AudienceForm(forms.ModelForm):
    """The part of a push message that says whom it is for."""

    leave_out = forms.ModelMultipleChoiceField(
        Segment.objects.all(),
        required=False,
        widget=SegmentCheckboxes,
        label=_("But not"),
        help_text=_("Who is in one of these segments doesn't get it."),
    )
    rest_hours = forms.TypedChoiceField(
        choices=REST, coerce=int, empty_value=None, required=False, label=_("Also not")
    )

    class Meta:
        widgets: ClassVar[Any] = {"segment": SegmentSelect}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk and "leave_out" in self.fields:
            self.initial["leave_out"] = list(self.instance.excluded_segments.all())
        hours = self.instance.rest_hours
        if "rest_hours" in self.fields and hours not in dict(REST):
            other = (hours, _("Who got a message in the last %d hours") % hours)
            self.fields["rest_hours"].choices = [*REST, other]  # type: ignore[attr-defined]

    def clean_segment(self) -> Segment | None:
        segment: Segment | None = self.cleaned_data["segment"]
        if segment:
            self._check_website([segment])
        return segment

    def clean_leave_out(self) -> list[Segment]:
        segments = list(self.cleaned_data["leave_out"])
        if len(segments) > MOST_EXCLUDED:
            raise ValidationError(_("Choose at most %d segments.") % MOST_EXCLUDED)
        self._check_website(segments)
        return segments

    def _check_website(self, segments: list[Segment]) -> None:
        if any(one.website != self.cleaned_data.get("website") for one in segments):
            raise ValidationError(_("This segment belongs to another website. Choose one of this website."))


class AudienceViews(admin.ModelAdmin):
    """What PushMessageAdmin needs for it."""

    class Media:
        css: ClassVar[Any] = {"all": ["console/reach.css"]}
        js: ClassVar[Any] = [forms.Script("console/audience.js", type="module")]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.audience_view))
        return [path("audience/", view, name="messaging_pushmessage_audience"), *super().get_urls()]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "leave_out" in form.cleaned_data:
            form.instance.excluded_segments.set(form.cleaned_data["leave_out"])

    def get_form(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        form = super().get_form(request, *args, **options)
        if "leave_out" in form.base_fields:
            field: Any = form.base_fields["leave_out"]
            field.queryset = of_own_websites(request.user, Segment.objects.all())
        return form

    def audience_view(self, request: HttpRequest) -> HttpResponse:
        """Whom the audience reaches that the form says now."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        form = self.get_form(request, fields=["website", "segment", "leave_out", "rest_hours"])(request.POST)
        context: dict[str, Any] = {"problems": form.errors.values()}
        if form.is_valid():
            message: PushMessage = form.instance
            message.rest_hours = form.cleaned_data["rest_hours"]
            own = message.segment.definition if message.segment else None
            tree = message.chosen(own, form.cleaned_data["leave_out"])
            context = context_of(message.website, tree)
        return TemplateResponse(request, "console/reach.html", {**context, "without_examples": True})

    @admin.display(description=_("reaches"))
    def reaches(self, message: PushMessage) -> SafeString:
        """The place for it; without script the review says how many."""
        return format_html(
            '<div class="reach" data-reach="{}" data-failed="{}" role="status"><p class="quiet">{}</p></div>',
            reverse("admin:messaging_pushmessage_audience"),
            _("The console could not be reached. What you see may be out of date."),
            _("The review counts them before anything is sent."),
        )
