"""A website's VAPID keys with their change-over, and the export of all that it has."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signalize_console.messaging import exporting
from signalize_console.websites.models import Website

KIND_NAMES = {
    "subscriptions": gettext_lazy("Subscriptions, with keys"),
    "recipients": gettext_lazy("Recipients"),
    "templates": gettext_lazy("Templates"),
    "messages": gettext_lazy("Push messages"),
    "segments": gettext_lazy("Segments"),
}


class MovingViews(ModelAdmin):
    """Views of WebsiteAdmin beyond Django's own."""

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<int:website_id>/{name}/",
                self.admin_site.admin_view(getattr(self, f"{name}_view")),
                name=f"websites_website_{name}",
            )
            for name in ("keys", "export")
        ]
        return [*own, *super().get_urls()]

    def keys_view(self, request: HttpRequest, website_id: int) -> HttpResponse:
        """Each key with how many still use it; the button makes a new one."""
        website = self._website(request, website_id, "websites.view_website")
        may_rotate = request.user.has_perm("websites.add_vapidkey")
        if request.method == "POST":
            if not may_rotate:
                raise PermissionDenied
            key = website.rotate_vapid_key()
            self.log_change(request, website, f"New VAPID key {key}")
            messages.success(request, _("Made. Browsers change over to it at their next visit."))
            return HttpResponseRedirect(reverse("admin:websites_website_keys", args=[website.pk]))
        active = Count("subscription", filter=Q(subscription__state="active"))
        keys = list(
            website.vapid_keys.annotate(active=active).order_by(F("retired_at").desc(nulls_first=True), "-id")
        )
        total = sum(key.active for key in keys)
        moved = sum(key.active for key in keys if key.retired_at is None)
        context = {"keys": keys, "total": total, "moved": moved, "may_rotate": may_rotate}
        context["percent"] = 100 * moved // total if total else 100
        return self._page(request, "console/keys.html", website, {**context, "title": _("VAPID keys")})

    def export_view(self, request: HttpRequest, website_id: int) -> HttpResponseBase:
        """Streamed row by row. Who took what stands in the website's history."""
        website = self._website(request, website_id, "websites.export_website")
        kind, form = request.POST.get("kind", ""), request.POST.get("form", "")
        if request.method != "POST" or kind not in exporting.KINDS or form not in exporting.FORMATS:
            context = {"kinds": KIND_NAMES.items(), "title": _("Export")}
            return self._page(request, "console/export.html", website, context)
        self.log_change(request, website, f"Exported {kind} as {form}")
        lines = exporting.lines(website, kind, form)
        answer = StreamingHttpResponse(lines, content_type=exporting.FORMATS[form])
        name = f"{website.secure_code}-{kind}-{timezone.now():%Y-%m-%d}.{form}"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    def _website(self, request: HttpRequest, website_id: int, permission: str) -> Website:
        website: Website = get_object_or_404(self.get_queryset(request), pk=website_id)
        if not request.user.has_perm(permission) or not self.has_view_permission(request, website):
            raise PermissionDenied
        return website

    def _page(
        self, request: HttpRequest, template: str, website: Website, context: dict[str, Any]
    ) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "original": website}
        return TemplateResponse(request, template, {**shared, **context})
