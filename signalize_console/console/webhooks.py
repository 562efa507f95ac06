"""Webhooks in the console: endpoints, whose secret is shown once, and the log of what they were told."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from signalize_console.console.access import PerWebsite
from signalize_console.console.badges import badge
from signalize_console.console.paging import ReadOnly
from signalize_console.console.reasons import in_words
from signalize_console.webhooks import endpoints
from signalize_console.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookKind
from signalize_console.webhooks.sending import payload_of


class EndpointForm(forms.ModelForm):
    kinds = forms.MultipleChoiceField(
        label=_("Tells of"), choices=WebhookKind.choices, widget=forms.CheckboxSelectMultiple
    )


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(PerWebsite):
    when_empty = _("A webhook tells your own systems what became of messages.")
    form = EndpointForm
    list_display = ["url", "website", "status", "failing_since", "created_at"]
    list_filter = ["website", "active"]
    list_select_related = ["website"]
    fields: ClassVar[Any] = ["website", "url", "kinds", "status", "failing_since"]
    actions = ["rotate_secret", "disable", "enable"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["website", "status", "failing_since"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ["website", "url", "kinds"]

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        if change:
            endpoints.change(obj)
            return
        secret = endpoints.give_secret(obj)
        super().save_model(request, obj, form, change)
        self._show(request, secret)

    def _show(self, request: HttpRequest, secret: str) -> None:
        text = _("Copy this secret now, for the receiver to check signatures; it is never shown again:")
        messages.warning(request, format_html('{} <code class="copyable">{}</code>', text, secret))

    @admin.action(
        description=_("Give a new secret (the old one signs too for 24 hours)"), permissions=["change"]
    )
    def rotate_secret(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in chosen[:20]:
            messages.info(request, endpoint.url)
            self._show(request, endpoints.rotate_secret(endpoint))

    @admin.action(description=_("Switch off"), permissions=["change"])
    def disable(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in chosen[:100]:
            endpoints.disable(endpoint)
        messages.success(request, _("Off. What happens from now on isn't told."))

    @admin.action(description=_("Switch on"), permissions=["change"])
    def enable(self, request: HttpRequest, chosen: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in chosen[:100]:
            endpoints.enable(endpoint)
        messages.success(request, _("On: it is told what happens from now on, and what still waits."))

    @admin.display(description=_("state"), ordering="active")
    def status(self, endpoint: WebhookEndpoint) -> SafeString:
        if not endpoint.active:
            return badge("failed", endpoint.get_disabled_because_display())
        return badge("paused", _("failing")) if endpoint.failing_since else badge("active", _("active"))


class ByKind(admin.ChoicesFieldListFilter):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = _("kind")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly):
    when_empty = _("What your webhooks are told stands here.")
    website_path = "endpoint__website"
    list_display = [
        "webhook_id",
        "kind",
        "endpoint",
        "status",
        "status_code",
        "attempts",
        "occurred_at",
    ]
    list_filter: ClassVar[Any] = ["state", ("kind", ByKind), "endpoint"]
    list_select_related = ["endpoint"]
    search_fields = ["=webhook_id"]
    search_help_text = _("A whole event id, such as delivery-42")
    fields: ClassVar[Any] = [
        *("webhook_id", "kind", "endpoint", "status", "why", "status_code", "answer", "milliseconds"),
        *("attempts", "occurred_at", "answered_at", "due_at", "give_up_at", "body"),
    ]
    actions = ["redeliver"]

    def has_redeliver_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("webhooks.change_webhookendpoint")

    @admin.action(description=_("Tell the selected events once more"), permissions=["redeliver"])
    def redeliver(self, request: HttpRequest, chosen: QuerySet[WebhookDelivery]) -> None:
        count = endpoints.redeliver(chosen)
        messages.success(request, _("Told once more: %(count)d, under their old ids.") % {"count": count})

    @admin.display(description=_("state"), ordering="state")
    def status(self, delivery: WebhookDelivery) -> SafeString:
        tone = "accepted" if delivery.state == "delivered" else delivery.state
        return badge(tone, delivery.get_state_display())

    @admin.display(description=_("why"))
    def why(self, delivery: WebhookDelivery) -> str:
        return in_words(delivery.reason)

    @admin.display(description=_("body"))
    def body(self, delivery: WebhookDelivery) -> SafeString:
        return format_html("<pre>{}</pre>", payload_of(delivery))
