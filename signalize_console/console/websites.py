"""Websites in the console: origins, contact, and the line for the page."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from signalize_console.browser.scripts import integrity
from signalize_console.console.access import PerWebsite, website_ids
from signalize_console.console.moving import MovingViews
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from signalize_console.websites.safeguards import Safeguards


@admin.register(Website)
class WebsiteAdmin(MovingViews, PerWebsite):
    when_empty = _("Add your website: its page shows the line for your pages.")
    website_path = "id"
    list_display = ["name", "secure_code", "contact", "created_at"]
    search_fields = ["name", "secure_code"]
    SECTIONS: ClassVar[Any] = [
        (None, ["name", "origins", "contact", "secure_code", "loader", "asking"]),
        (_("Before a message goes out"), [field.name for field in Safeguards._meta.get_fields()]),
        (
            _("How often, and when not"),
            [("cap_hour", "cap_day", "cap_week"), ("quiet_from", "quiet_until"), "holdout"],
        ),
        (_("Keys"), ["public_key", "moving", "verification_required", "identity_secret"]),
    ]
    readonly_fields = ["loader", "asking", "public_key", "moving", "identity_secret"]
    actions = ["make_identity_secret"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new one has nothing to show yet."""
        hidden = [] if obj else self.readonly_fields
        return [
            (title, {"fields": [field for field in fields if field not in hidden]})
            for title, fields in self.SECTIONS
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        self_url = f"{request.scheme}://{request.get_host()}"
        if obj:
            obj.server = self_url
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Website, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            obj.make_vapid_key()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who is limited to some websites can't make another: it wouldn't be theirs."""
        return super().has_add_permission(request) and website_ids(request.user) is None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A website with subscribers stays: they would be lost for good."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not Subscription.objects.filter(website=obj).exists())

    @admin.action(description=_("Make a new identity secret"), permissions=["change"])
    def make_identity_secret(self, request: HttpRequest, websites: QuerySet[Website]) -> None:
        for website in websites:
            said = _("The identity secret of %(website)s. Copy it now; it is never shown again:")
            secret = format_html('<code class="copyable">{}</code>', website.make_identity_secret())
            messages.warning(request, format_html("{} {}", said % {"website": website}, secret))

    @admin.display(description=_("identity secret"))
    def identity_secret(self, website: Website) -> str:
        if website.sealed_identity_secret:
            return str(_("Made. A new one, from the list's actions, ends all signatures made with this one."))
        return str(_("None yet. Make one with the list's actions: your backend signs customer ids with it."))

    @admin.display(description=_("copy this into your pages"))
    def loader(self, website: Website) -> SafeString:
        return render_to_string(
            "console/loader.html",
            {
                "code": website.secure_code,
                "server": getattr(website, "server", ""),
                "integrity": integrity("signalize.js"),
            },
        )

    @admin.display(description=_("opt-in"))
    def asking(self, website: Website) -> SafeString:
        return format_html(
            '<a class="button secondary" href="{}">{}</a>',
            reverse("admin:websites_optin_of", args=[website.pk]),
            _("How visitors are asked …"),
        )

    @admin.display(description=_("VAPID public key"))
    def public_key(self, website: Website) -> SafeString:
        return format_html('<code class="copyable">{}</code>', website.vapid_key.public_key)

    @admin.display(description=_("moving"))
    def moving(self, website: Website) -> SafeString:
        """In, out, and from one key to the next."""
        pages = [
            ("websites_website_keys", _("Keys and change-over …")),
            ("websites_website_export", _("Export …")),
        ]
        links = ((reverse(f"admin:{name}", args=[website.pk]), label) for name, label in pages)
        return format_html_join(" ", '<a class="button secondary" href="{}">{}</a>', links)
