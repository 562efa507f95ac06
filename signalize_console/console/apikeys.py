"""API keys: shown once when they are made, revoked, never read again."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from signalize_console.api.models import ApiKey, KeyDeed, KeyRecord
from signalize_console.api.scopes import EVERYTHING, SENDING, Scope
from signalize_console.console.access import PerWebsite
from signalize_console.console.badges import badge
from signalize_console.console.wall_clock import WallClockField


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=_("scopes"),
        choices=Scope.choices,
        initial=SENDING,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What it may do. Grant no more than its system needs."),
    )

    class Meta:
        model = ApiKey
        fields = ["website", "name", "scopes", "networks", "requests_per_minute", "expires_at"]


class KeyRecordInline(admin.TabularInline):
    """What was done to the key; nobody changes that."""

    model = KeyRecord
    template = "console/records.html"
    fields = ["at", "deed", "by"]
    readonly_fields = ["at", "deed", "by"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(PerWebsite):
    when_empty = _("A shop or CRM needs a key to send by API.")
    list_display = [
        *("name", "website", "shown_prefix", "status", "shown_scopes"),
        *("expires_at", "last_used_at"),
    ]
    list_filter = ["website"]
    list_select_related = ["website"]
    form = ApiKeyForm
    formfield_overrides: ClassVar[Any] = {DateTimeField: {"form_class": WallClockField}}
    inlines = [KeyRecordInline]
    actions = ["rotate", "revoke"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        text = obj.make_secret()
        super().save_model(request, obj, form, change)
        obj.note(KeyDeed.ISSUED, str(request.user))
        self._show_once(request, text)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return super().get_inlines(request, obj) if obj else []

    @admin.action(description=_("Rotate the selected keys"), permissions=["add"])
    def rotate(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        for key in keys:
            if rotated := key.rotate(by=str(request.user)):
                self._show_once(request, rotated[1])
                messages.info(request, _("%(key)s works for another week.") % {"key": key})
            else:
                messages.error(request, _("%(key)s is dead, or was rotated before.") % {"key": key})

    @staticmethod
    def _show_once(request: HttpRequest, text: str) -> None:
        messages.warning(
            request,
            format_html(
                '{} <code class="copyable">{}</code>', _("Copy this key now; it is never shown again:"), text
            ),
        )

    @admin.action(description=_("Revoke the selected keys"), permissions=["add"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        revoked = sum(key.revoke(by=str(request.user)) for key in keys)
        messages.success(request, _("Revoked: %(count)d. They stop working at once.") % {"count": revoked})

    @admin.display(description=_("key"))
    def shown_prefix(self, key: ApiKey) -> str:
        return f"sk_{key.prefix}_…"

    @admin.display(description=_("state"))
    def status(self, key: ApiKey) -> SafeString:
        if key.revoked_at:
            return badge("gone", _("revoked"))
        return badge("active", _("active")) if key.is_alive() else badge("gone", _("expired"))

    @admin.display(description=_("scopes"))
    def shown_scopes(self, key: ApiKey) -> str:
        return str(_("everything")) if set(EVERYTHING) <= set(key.scopes) else ", ".join(key.scopes)
