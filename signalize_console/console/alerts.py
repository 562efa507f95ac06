"""What is wrong with a push service now, in words, with the remedy and the buttons for it."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from signalize_console.audiences.words import push_service_name
from signalize_console.console.badges import badge
from signalize_console.console.paging import ReadOnly
from signalize_console.console.troubles import sentence
from signalize_console.deliveries import alerts
from signalize_console.deliveries.alerts import Alert, AlertKind


class ByEnd(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "over"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", gettext_lazy("still open")), ("yes", gettext_lazy("ended"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(ended_at__isnull=self.value() == "no") if self.value() else queryset


@admin.register(Alert)
class AlertAdmin(ReadOnly):
    when_empty = gettext_lazy("All is well: no push service refuses us or keeps silent.")
    of_all_too = True
    list_display = ["status", "service", "website", "what", "started_at", "ended_at"]
    list_filter: ClassVar[Any] = ["kind", ByEnd]
    list_select_related = ["website"]
    fields: ClassVar[Any] = [
        *("status", "service", "website", "what", "reason", "status_code", "answer"),
        *("started_at", "probe_at", "probes", "ended_at"),
    ]
    change_form_template = "console/alert.html"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<int:alert_id>/{name}/",
                self.admin_site.admin_view(getattr(self, f"{name}_view")),
                name=f"deliveries_alert_{name}",
            )
            for name in ("try_now", "restore", "confirm")
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        alert = self.get_object(request, object_id)
        may_act = alert is not None and self._may_act(request, alert)
        context = {"may_act": may_act, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def try_now_view(self, request: HttpRequest, alert_id: int) -> HttpResponse:
        alert = self._alert(request, alert_id)
        if alerts.try_now(alert):
            messages.success(request, _("One message tries it now. If it is taken, the rest follows."))
        else:
            messages.warning(request, _("It is over already."))
        return self._back_to(alert)

    def restore_view(self, request: HttpRequest, alert_id: int) -> HttpResponse:
        alert = self._alert(request, alert_id)
        count = alerts.judge_mass_expiry(alert, restore=True)
        text = ngettext(
            "%(count)d subscription is active again.", "%(count)d subscriptions are active again.", count
        )
        messages.success(request, text % {"count": count})
        return self._back_to(alert)

    def confirm_view(self, request: HttpRequest, alert_id: int) -> HttpResponse:
        alert = self._alert(request, alert_id)
        alerts.judge_mass_expiry(alert, restore=False)
        messages.success(request, _("They are gone, and end after their week."))
        return self._back_to(alert)

    def _may_act(self, request: HttpRequest, alert: Alert | None = None) -> bool:
        """What concerns all websites is judged by somebody who sees all."""
        return request.user.has_perm("deliveries.change_alert") and self.is_own(request, alert)

    def _alert(self, request: HttpRequest, alert_id: int) -> Alert:
        if request.method != "POST" or not self._may_act(request):
            raise PermissionDenied
        alert: Alert = get_object_or_404(self.get_queryset(request), pk=alert_id)
        if not self._may_act(request, alert):
            raise PermissionDenied
        return alert

    def _back_to(self, alert: Alert) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:deliveries_alert_change", args=[alert.pk]))

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def status(self, alert: Alert) -> SafeString:
        tone = "ended" if alert.ended_at else "throttled" if alert.kind == AlertKind.THROTTLED else "failed"
        return badge(tone, alert.get_kind_display())

    @admin.display(description=gettext_lazy("push service"))
    def service(self, alert: Alert) -> str:
        return push_service_name(alert.push_service)

    @admin.display(description=gettext_lazy("what it means, and what to do"))
    def what(self, alert: Alert) -> SafeString:
        return format_html("{}", sentence(alert))
