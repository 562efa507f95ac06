"""API keys: shown once when they are made, revoked, never read again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from signalize_console.api.models import ApiKey
from signalize_console.console.badges import badge


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    list_display = ["name", "website", "shown_prefix", "status", "created_at", "last_used_at"]
    list_filter = ["website"]
    list_select_related = ["website"]
    fields = ["website", "name"]
    actions = ["revoke"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        text = obj.make_secret()
        super().save_model(request, obj, form, change)
        messages.warning(
            request,
            format_html(
                '{} <code class="copyable">{}</code>', _("Copy this key now; it is never shown again:"), text
            ),
        )

    @admin.action(description=_("Revoke the selected keys"), permissions=["add"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        revoked = keys.filter(revoked_at=None).update(revoked_at=timezone.now())
        messages.success(request, _("Revoked: %(count)d. They stop working at once.") % {"count": revoked})

    @admin.display(description=_("key"))
    def shown_prefix(self, key: ApiKey) -> str:
        return f"sk_{key.prefix}_…"

    @admin.display(description=_("state"))
    def status(self, key: ApiKey) -> SafeString:
        return badge("gone", _("revoked")) if key.revoked_at else badge("active", _("active"))
