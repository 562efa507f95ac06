"""The audit log, for those who may read it. Nobody changes it: the database itself refuses."""

from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from signalize_console.console import audit
from signalize_console.console.models import AuditRecord
from signalize_console.console.paging import ReadOnly

DEEDS: dict[str, Any] = {
    "login": _("login"),
    "logout": _("logout"),
    "locked out": _("locked out"),
    "added": _("added"),
    "changed": _("changed"),
    "deleted": _("deleted"),
    "send": _("sent"),
    "approve": _("approved"),
    "disapprove": _("given back"),
    "pause": _("paused"),
    "resume": _("resumed"),
    "release": _("released"),
    "cancel": _("cancelled"),
    "take_back": _("taken back"),
    "to_draft": _("made a draft again"),
    "duplicate": _("duplicated"),
    "to_template": _("saved as a template"),
    "from_template": _("made from a template"),
    "test": _("tested"),
    "add_browser": _("test browser added"),
    "remove_browser": _("test browser removed"),
    "upload": _("picture uploaded"),
    "switch": _("switched on or off"),
    "recipes": _("taken from the ready ones"),
    "take": _("older version used again"),
    "held": _("held runs decided"),
    "recount": _("counted again"),
    "confirm": _("confirmed"),
    "discard": _("discarded"),
    "undo": _("undone"),
    "restore": _("subscriptions restored"),
    "try_now": _("tried at once"),
    "erase": _("erased"),
    "export": _("data exported"),
    "keys": _("VAPID key replaced"),
    "make_identity_secret": _("identity secret made"),
    "rotate": _("key replaced"),
    "revoke": _("revoked"),
    "rotate_secret": _("secret replaced"),
    "disable": _("switched off"),
    "enable": _("switched on"),
    "redeliver": _("delivered again"),
    "rights": _("rights changed"),
    "password_change": _("password changed"),
    "second factor on": _("second factor on"),
    "second_factor_off": _("second factor off"),
    "remove_second_factor": _("second factor removed"),
    "new recovery codes": _("new recovery codes"),
    "end_session": _("session ended"),
    "end_sessions": _("all sessions ended"),
    "self-test-start": _("self-test begun"),
    "self-test-end": _("self-test ended"),
    "send_from_here": _("sending allowed from here"),
}


def words_for(deed: str) -> str:
    """Of what an older version has recorded: as it was called in the code."""
    if deed.startswith(audit.EXPORTED):
        return str(DEEDS["export"])
    return str(DEEDS.get(deed, deed))


def name_of(about: str) -> str:
    """The class's name; of one that no longer exists, as it was called in the code."""
    try:
        return str(capfirst(apps.get_model(about)._meta.verbose_name))
    except LookupError:
        return about


class ByDeed(admin.SimpleListFilter):
    """By what people ask for most; the list of all deeds would take reading the whole log."""

    title = _("did what")
    parameter_name = "deed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            (deed, DEEDS[deed])
            for deed in ("login", "logout", "locked out", "send", "cancel", "added", "changed", "deleted")
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(deed=self.value()) if self.value() else queryset


@admin.register(AuditRecord)
class AuditRecordAdmin(ReadOnly):
    website_path = "website_id"
    list_display = ["at", "by", "what", "link", "detail"]
    list_filter = [ByDeed]
    search_fields = ["=by", "=object_id"]
    search_help_text = _("A user's whole name, or the number of what it was done to")
    fields: ClassVar[Any] = [*list_display, "website_id"]

    @admin.display(description=_("did what"), ordering="deed")
    def what(self, record: AuditRecord) -> str:
        return words_for(record.deed)

    @admin.display(description=_("to what"), ordering="about")
    def link(self, record: AuditRecord) -> SafeString | str:
        if not record.about:
            return "–"
        name = name_of(record.about)
        if not record.object_id:
            return name
        what = f"{name} #{record.object_id}"
        try:
            address = reverse(f"admin:{record.about.replace('.', '_')}_change", args=[record.object_id])
        except NoReverseMatch:
            return what
        return format_html('<a href="{}">{}</a>', address, what)
