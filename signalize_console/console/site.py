"""The console's front: its name, its menu, its dashboard."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.translation import gettext_lazy as _

from signalize_console import __version__
from signalize_console.console import (
    account,
    audit,
    dashboard,
    reports,
    second_factor,
    self_test,
    send_from_here,
)

# The menu, by what people come for; a model that isn't named here stands under "Operations".
MENU: list[tuple[Any, list[str]]] = [
    (
        _("Messages"),
        ["messaging.PushMessage", "automations.Rule", "messaging.MessageTemplate", "messaging.Media"],
    ),
    (
        _("Visitors"),
        ["recipients.Recipient", "recipients.Subscription", "audiences.Segment", "audiences.RecipientList"],
    ),
    (
        _("What happened"),
        [
            "deliveries.Delivery",
            "activity.Event",
            "automations.Run",
            "deliveries.Alert",
            "webhooks.WebhookDelivery",
        ],
    ),
    (
        _("Set-up"),
        [
            *(
                "websites.Website",
                "websites.OptIn",
                "recipients.Import",
                "api.ApiKey",
                "webhooks.WebhookEndpoint",
            ),
            *("auth.User", "auth.Group", "console.AuditRecord"),
        ],
    ),
]


class ConsoleSite(admin.AdminSite):
    site_header = site_title = "Signalize Console"
    index_title = _("Dashboard")
    site_url = "/demo/"
    index_template = "console/dashboard.html"
    enable_nav_sidebar = True

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(audit.on_record(self, view), cacheable)

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not second_factor.is_missing(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Who has given the password, and not yet the code, is asked for that."""
        if request.method == "GET" and super().has_permission(request) and second_factor.is_missing(request):
            return HttpResponseRedirect(f"{reverse('admin:second_factor')}?{request.GET.urlencode()}")
        return super().login(request, extra_context)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        own = {"site_url": self.site_url if settings.DEMO else None, "console_version": __version__}
        return {**super().each_context(request), **own}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**dashboard.context(request.user), **(extra_context or {})})

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [*account.urls(self), *reports.urls(self.admin_view), *self_test.urls(self)]
        return [*own, *send_from_here.urls(self), *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Sorted by purpose. A page about one app keeps Django's own list."""
        apps = super().get_app_list(request, app_label)
        if app_label:
            return apps
        models = {
            f"{app['app_label']}.{model['object_name']}": model for app in apps for model in app["models"]
        }
        menu = [_entry(name, [models.pop(key) for key in keys if key in models]) for name, keys in MENU]
        if request.user.has_perm("messaging.view_pushmessage"):
            menu[0]["models"].append(_page(_("Reports"), "reports"))
        own = [_page(_("Self-test"), "self-test")] if request.user.has_perm(self_test.RIGHT) else []
        menu.append(_entry(_("Operations"), [*own, *models.values()]))
        return [entry for entry in menu if entry["models"]]


def _entry(name: Any, models: list[Any]) -> dict[str, Any]:
    return {"name": name, "app_label": "", "app_url": "", "has_module_perms": True, "models": models}


def _page(name: Any, view: str) -> dict[str, Any]:
    """A page that is about no single model, in the menu."""
    return {
        "name": name,
        "object_name": view.title(),
        "admin_url": reverse(f"admin:{view}"),
        "add_url": None,
        "view_only": True,
        "perms": {"view": True},
    }


site = admin.site
