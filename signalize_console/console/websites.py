"""Websites in the console: origins, contact, and the line for the page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website


@admin.register(Website)
class WebsiteAdmin(admin.ModelAdmin):
    list_display = ["name", "secure_code", "contact", "created_at"]
    search_fields = ["name", "secure_code"]
    fields = ["name", "origins", "contact", "secure_code", "loader", "opt_in", "public_key"]
    readonly_fields = ["loader", "opt_in", "public_key"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else [name for name in self.fields if name not in self.readonly_fields]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        self_url = f"{request.scheme}://{request.get_host()}"
        if obj:
            obj.server = self_url
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Website, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            obj.make_vapid_key()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A website with subscribers stays: they would be lost for good."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not Subscription.objects.filter(website=obj).exists())

    @admin.display(description=_("in each page"))
    def loader(self, website: Website) -> SafeString:
        server = getattr(website, "server", "")
        return format_html(
            '<code class="copyable">&lt;script id="_etLoader" type="text/javascript" charset="UTF-8" '
            'data-secure-code="{code}" src="{server}/code/signalize.js" async&gt;&lt;/script&gt;</code>'
            '<p class="help">{hint} <code>importScripts("{server}/sw.js")</code></p>',
            code=website.secure_code,
            server=server,
            hint=_("And a file /sw.js at the site's root with one line:"),
        )

    @admin.display(description=_("opt-in"))
    def opt_in(self, website: Website) -> SafeString:
        return format_html(
            '<a class="button secondary" href="{}">{}</a>',
            reverse("admin:websites_optin_of", args=[website.pk]),
            _("How visitors are asked …"),
        )

    @admin.display(description=_("VAPID public key"))
    def public_key(self, website: Website) -> SafeString:
        return format_html('<code class="copyable">{}</code>', website.vapid_key.public_key)
