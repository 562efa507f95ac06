"""Recipients and their subscriptions. Endpoints and keys are secrets: nobody sees them here."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from signalize_console.console.badges import badge
from signalize_console.console.paging import OfPushService, ReadOnly
from signalize_console.recipients.consent import client_id_hash
from signalize_console.recipients.models import Consent, ConsentKind, Recipient, Subscription


class SubscriptionInline(admin.TabularInline):
    model = Subscription
    fields: ClassVar[Any] = ["push_service", "state", "ended_reason", "created_at", "seen_at"]
    readonly_fields: ClassVar[Any] = fields
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return False


@admin.register(Recipient)
class RecipientAdmin(ReadOnly):
    list_display = ["client_id", "customer_id", "website", "language", "time_zone", "created_at", "seen_at"]
    list_filter = ["website"]
    list_select_related = ["website"]
    search_fields = ["=client_id", "=customer_id"]
    search_help_text = _("A whole recipient id or customer id")
    fields: ClassVar[Any] = [*list_display, "customer_verified", "interests", "attributes", "paused_until"]
    inlines = [SubscriptionInline]


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnly):
    list_display = ["name", "recipient", "website", "status", "created_at", "seen_at"]
    list_filter = ["website", "state", OfPushService]
    list_select_related = ["website", "recipient"]
    search_fields = ["=recipient__client_id", "=recipient__customer_id"]
    search_help_text = _("A whole recipient id or customer id")
    fields = [
        *("name", "recipient", "website", "vapid_key", "status", "ended_reason"),
        *("ended_at", "created_at", "seen_at"),
    ]

    @admin.display(description=_("subscription"), ordering="push_service")
    def name(self, subscription: Subscription) -> str:
        return str(subscription)

    @admin.display(description=_("state"), ordering="state")
    def status(self, subscription: Subscription) -> SafeString:
        return badge(subscription.state, subscription.get_state_display())


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    """Found by the recipient id that somebody shows: the log itself has only its hash."""

    list_display = ["occurred_at", "what", "website", "text_version", "origin"]
    list_filter = ["kind", "website"]
    list_select_related = ["website"]
    search_fields = ["=client_id_hash"]
    search_help_text = _("A whole recipient id")
    fields: ClassVar[Any] = list_display

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Consent], search_term: str
    ) -> tuple[QuerySet[Consent], bool]:
        found = client_id_hash(search_term.strip())
        return (queryset.filter(client_id_hash=found) if search_term else queryset), False

    @admin.display(description=_("consent"), ordering="kind")
    def what(self, consent: Consent) -> SafeString:
        return badge("active" if consent.kind == ConsentKind.GIVEN else "gone", consent.get_kind_display())
