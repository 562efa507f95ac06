"""The console's front: its name, its menu, its dashboard."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from signalize_console.console import dashboard

# The menu, by what people come for; a model that isn't named here stands under "Operations".
MENU: list[tuple[Any, list[str]]] = [
    (_("Messages"), ["messaging.PushMessage", "messaging.MessageTemplate", "messaging.Media"]),
    (_("Visitors"), ["recipients.Recipient", "recipients.Subscription", "audiences.Segment"]),
    (
        _("What happened"),
        ["deliveries.Delivery", "activity.Event", "deliveries.Alert", "webhooks.WebhookDelivery"],
    ),
    (
        _("Set-up"),
        [
            *("websites.Website", "websites.OptIn", "api.ApiKey", "webhooks.WebhookEndpoint"),
            *("auth.User", "auth.Group"),
        ],
    ),
]


class ConsoleSite(admin.AdminSite):
    site_header = site_title = "Signalize Console"
    index_title = _("Dashboard")
    site_url = "/demo/"
    index_template = "console/dashboard.html"
    enable_nav_sidebar = True

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**dashboard.context(request.user), **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Sorted by purpose. A page about one app keeps Django's own list."""
        apps = super().get_app_list(request, app_label)
        if app_label:
            return apps
        models = {
            f"{app['app_label']}.{model['object_name']}": model for app in apps for model in app["models"]
        }
        menu = [_entry(name, [models.pop(key) for key in keys if key in models]) for name, keys in MENU]
        menu.append(_entry(_("Operations"), list(models.values())))
        return [entry for entry in menu if entry["models"]]


def _entry(name: Any, models: list[Any]) -> dict[str, Any]:
    return {"name": name, "app_label": "", "app_url": "", "has_module_perms": True, "models": models}


site = admin.site
