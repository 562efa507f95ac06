"""Push messages in the console: composing, reviewing, sending, following."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import DateTimeField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from signalize_console.console import drafts
from signalize_console.console.audience import AudienceForm, AudienceViews, only_website
from signalize_console.console.badges import badge
from signalize_console.console.composer import ComposerViews
from signalize_console.console.content import DELIVERY, LOOK, ContentForm, TextInline
from signalize_console.console.page_by_key import BEFORE
from signalize_console.console.paging import ByKey
from signalize_console.console.sending import SendingViews
from signalize_console.console.timing import SPLIT, TIMING, TimingForm
from signalize_console.console.wall_clock import WallClockField
from signalize_console.console.written import whole
from signalize_console.messaging.models import Audience, PushMessage, PushMessageText
from signalize_console.messaging.revisions import revision
from signalize_console.messaging.states import MessageState


class PushMessageTextInline(TextInline):
    model = PushMessageText
    verbose_name_plural = _("Message")


class PushMessageForm(AudienceForm, TimingForm, ContentForm):
    """All that is said of a message besides its texts."""

    def clean(self) -> dict[str, Any]:
        """Only who has seen what the draft says may change it, so that nobody's words are lost unseen."""
        if drafts.is_stale(self.data, self.instance):
            raise ValidationError(drafts.CHANGED)
        return super().clean()


class TestsApart(admin.SimpleListFilter):
    """Test messages are listed only where somebody asks for them."""

    title = _("tests")
    parameter_name = "tests"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("only", _("Only tests"))]

    def choices(self, changelist: Any) -> Any:
        without, only = super().choices(changelist)
        return [{**without, "display": _("Without tests")}, only]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(test=self.value() == "only")


class ForWhom(admin.SimpleListFilter):
    """A shop's messages to one recipient each are so many that those to all would be lost among them."""

    title = _("audience")
    parameter_name = "for"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("many", _("Everyone or a segment")), ("named", _("Named recipients"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        named = {"audience": Audience.RECIPIENTS}
        if self.value() == "many":
            return queryset.exclude(**named)
        return queryset.filter(**named) if self.value() == "named" else queryset


@admin.register(PushMessage)
class PushMessageAdmin(ByKey, AudienceViews, ComposerViews, SendingViews):
    when_empty = _("Write the first one: it stays a draft until you send it.")
    list_display = ["name", "website", "status", "audience", "when", "sent_by"]
    list_display_links = ["name"]
    list_filter = [ForWhom, "state", "website", "transactional", TestsApart]
    list_select_related = ["website", "segment"]
    fieldsets = [
        (
            _("Audience"),
            {
                "fields": ["website", "segment", "leave_out", "rest_hours", "reaches"],
                "description": _("Everyone who opted in on this website, or a segment of them."),
            },
        ),
        TIMING,
        SPLIT,
        LOOK,
        DELIVERY,
    ]
    inlines = [PushMessageTextInline]
    form = PushMessageForm
    readonly_fields = ["reaches"]
    formfield_overrides: ClassVar[Any] = {DateTimeField: {"form_class": WallClockField}}
    change_form_template = "console/composer.html"

    def is_found_by_index(self, request: HttpRequest) -> bool:
        """Those to many are few, and so are those that haven't finished; a website's come from an index."""
        asked = request.GET
        few = (
            asked.get(ForWhom.parameter_name) == "many" or asked.get("state__exact", "finished") != "finished"
        )
        return few or asked.keys() <= {"website__id__exact", BEFORE}

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).select_related("website", "segment")
        return rows.prefetch_related("texts", "excluded_segments")

    def get_urls(self) -> list[URLPattern]:
        names = [
            *("review", "send", "pause", "resume", "cancel", "take_back", "release"),
            *("to_draft", "duplicate", "progress", "approve", "disapprove"),
        ]
        own = [
            path(
                f"<int:message_id>/{name}/",
                self.admin_site.admin_view(getattr(self, f"{name}_view")),
                name=f"messaging_pushmessage_{name}",
            )
            for name in names
        ]
        return [*own, *self.composer_urls(), *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: PushMessage | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.is_draft)

    def has_delete_permission(self, request: HttpRequest, obj: PushMessage | None = None) -> bool:
        return super().has_delete_permission(request, obj) and obj is not None and obj.is_draft

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**only_website(request.user), **super().get_changeform_initial_data(request)}

    @transaction.atomic
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method == "POST":
            self.get_queryset(request).select_for_update(of=("self",)).filter(pk=whole(object_id)).first()
        message = self.get_object(request, object_id) if object_id else None
        context = {"time_zone": timezone.get_current_timezone_name(), "may_send": self.may_send(request)}
        if message and not message.is_draft:
            return self.message_view(request, message)
        context |= {"title": _("Draft") if message else _("New push message")}
        context |= self.composer_context(request, message)
        if message:
            context["revision"] = request.POST.get("revision", revision(message))
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def message_view(self, request: HttpRequest, message: PushMessage) -> HttpResponse:
        """A message that was sent isn't a form any more, but a page to follow it on."""
        if not self.has_view_permission(request, message):
            raise PermissionDenied
        if message.state == MessageState.AWAITING_APPROVAL and self.may_approve(request, message):
            context = {**self.approval(request.user, message), "may_send": self.may_send(request)}
            return self.page(request, "console/approval.html", message, context)
        context = {**self.following(request, message), "may_make_template": self.may_make_template(request)}
        return self.page(request, "console/message.html", message, context)

    def response_add(
        self, request: HttpRequest, obj: PushMessage, post_url_continue: str | None = None
    ) -> Any:
        return self._onward(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: PushMessage) -> Any:
        return self._onward(request, obj) or super().response_change(request, obj)

    def _onward(self, request: HttpRequest, message: PushMessage) -> HttpResponse | None:
        if "_template" in request.POST and self.may_make_template(request):
            return self.to_template(request, self.get_queryset(request).get(pk=message.pk))
        if "_review" not in request.POST:
            return None
        return HttpResponseRedirect(reverse("admin:messaging_pushmessage_review", args=[message.pk]))

    @admin.display(description=_("push message"), ordering="id")
    def name(self, message: PushMessage) -> str:
        return message.title

    @admin.display(description=_("state"), ordering="state")
    def status(self, message: PushMessage) -> SafeString:
        state = badge(message.state, message.get_state_display())
        return format_html("{} {}", state, badge("test", _("test"))) if message.test else state

    @admin.display(description=_("when"), ordering="due_at")
    def when(self, message: PushMessage) -> Any:
        planned = message.scheduled_at if message.is_local else message.due_at
        return message.finished_at or planned or message.scheduled_at or message.created_at
