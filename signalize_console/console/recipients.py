"""Recipients and their subscriptions. Endpoints and keys are secrets: nobody sees them here."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from signalize_console.audiences.words import push_service_name
from signalize_console.console.badges import badge
from signalize_console.console.paging import OfPushService, ReadOnly
from signalize_console.console.person import PersonViews
from signalize_console.console.searching import FoundByIds, erased_websites, ids_in
from signalize_console.recipients.consent import client_id_hash
from signalize_console.recipients.models import Consent, ConsentKind, Recipient, Subscription


@admin.register(Recipient)
class RecipientAdmin(FoundByIds, PersonViews):
    when_empty = _("Visitors appear here when they opt in on your website.")
    list_display = ["client_id", "customer_id", "website", "language", "time_zone", "created_at", "seen_at"]
    list_filter = ["website"]
    list_select_related = ["website"]
    recipient_path = "pk"

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        may_know = request.user.has_perm("recipients.view_consent")
        for website in erased_websites(request.user, ids_in(search_term)) if may_know else []:
            told = _("Somebody with this id was erased from %s: only the consent log remains.") % website
            messages.info(request, told)
        return super().get_search_results(request, queryset, search_term)


@admin.register(Subscription)
class SubscriptionAdmin(FoundByIds, ReadOnly):
    when_empty = _("Browsers appear here when their visitors opt in on your website.")
    list_display = ["name", "recipient", "website", "status", "created_at", "seen_at"]
    list_filter = ["website", "state", OfPushService]
    list_select_related = ["website", "recipient"]
    fields = [
        *("name", "recipient", "website", "vapid_key", "status", "ended_reason"),
        *("ended_at", "created_at", "seen_at"),
    ]

    @admin.display(description=_("subscription"), ordering="push_service")
    def name(self, subscription: Subscription) -> str:
        service = push_service_name(subscription.push_service)
        return f"{service} {bytes(subscription.endpoint_hash).hex()[:8]}"

    @admin.display(description=_("state"), ordering="state")
    def status(self, subscription: Subscription) -> SafeString:
        return badge(subscription.state, subscription.get_state_display())


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    """Found by the recipient id that somebody shows: the log itself has only its hash."""

    when_empty = _("Every yes and no of a visitor will stand here.")
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
