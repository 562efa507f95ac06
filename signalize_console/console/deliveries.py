"""The send log: each delivery, why it is as it is, and every try that was not simply accepted."""

import re
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from signalize_console.activity.models import Event
from signalize_console.audiences.words import push_service_name
from signalize_console.console.access import of_own_websites
from signalize_console.console.badges import badge
from signalize_console.console.outcomes import said
from signalize_console.console.page_by_key import id_in
from signalize_console.console.paging import OfPushService, ReadOnly
from signalize_console.console.reasons import in_words
from signalize_console.console.searching import FoundByIds
from signalize_console.deliveries.causes import what_became
from signalize_console.deliveries.models import Attempt, Delivery
from signalize_console.messaging.models import PushMessage


class AttemptInline(admin.TabularInline):
    model = Attempt
    template = "console/records.html"
    fields: ClassVar[Any] = [
        "number",
        "made_at",
        "outcome",
        "reason",
        "status_code",
        "answer",
        "milliseconds",
    ]
    readonly_fields: ClassVar[Any] = fields
    ordering = ["number"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return False


class OfMessage(admin.SimpleListFilter):
    """The deliveries of one push message, as its page links to them."""

    title = _("push message")
    parameter_name = "push_message_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.value() or "", f"#{self.value()}")] if self.value() else []

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if not value:
            return queryset
        known = re.fullmatch(r"[0-9]{1,18}", value)
        messages = of_own_websites(request.user, PushMessage.objects.all())
        message = messages.filter(pk=value).first() if known else None
        return Delivery.objects.of(message) if message else queryset.none()


@admin.register(Delivery)
class DeliveryAdmin(FoundByIds, ReadOnly):
    when_empty = _("What is sent stands here, with what became of it.")
    website_path = "push_message__website"
    list_display = [
        *("number", "message", "recipient", "service", "status", "why", "answered_at"),
    ]
    list_filter = [OfMessage, "state", OfPushService]
    list_select_related = ["recipient"]
    fields = [
        *("message", "recipient", "service", "status", "what_became", "reports", "status_code"),
        *("attempts", "due_at", "answered_at", "created_at"),
    ]
    inlines = [AttemptInline]

    def list_key(self, request: HttpRequest) -> str:
        """One message's deliveries come by their unique index: message, subscription."""
        return "subscription_id" if request.GET.get(OfMessage.parameter_name) else "id"

    def in_order(self, request: HttpRequest) -> Any:
        number = id_in(request.GET.get(OfMessage.parameter_name))
        return super().in_order(request).filter(**({"push_message": number} if number else {}))

    def is_found_by_index(self, request: HttpRequest) -> bool:
        """No index knows the push service of deliveries that have ended."""
        of_message = (
            OfMessage.parameter_name in request.GET and OfPushService.parameter_name not in request.GET
        )
        return of_message or super().is_found_by_index(request)

    @admin.display(description=_("push service"))
    def service(self, delivery: Delivery) -> str:
        return push_service_name(delivery.push_service)

    @admin.display(description=_("delivery"), ordering="id")
    def number(self, delivery: Delivery) -> str:
        return f"#{delivery.pk}"

    @admin.display(description=_("push message"))
    def message(self, delivery: Delivery) -> str:
        return f"#{delivery.push_message_id}"

    @admin.display(description=_("state"), ordering="state")
    def status(self, delivery: Delivery) -> SafeString:
        return badge(delivery.state, delivery.get_state_display())

    @admin.display(description=_("why"))
    def why(self, delivery: Delivery) -> str:
        return in_words(delivery.reason)

    @admin.display(description=_("what became of it"))
    def what_became(self, delivery: Delivery) -> SafeString | str:
        explanation = what_became([delivery]).get(delivery.pk)
        if explanation is None:
            return self.why(delivery)
        told = said(explanation)
        return format_html('<strong>{}</strong><p class="quiet">{}</p>', capfirst(told.line), told.more)

    @admin.display(description=_("the browser reported"))
    def reports(self, delivery: Delivery) -> SafeString | str:
        events = Event.objects.filter(delivery_id=delivery.pk).order_by("occurred_at")
        badges = ((badge(event.kind, event.get_kind_display()),) for event in events)
        return format_html_join(" ", "{}", badges) or "–"
