"""The self-test: six steps from the keys to a push that came back, each with what to do."""

from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from signalize_console.console import self_push
from signalize_console.console.access import of_own_websites
from signalize_console.console.checks import MOST_WEBSITES, steps
from signalize_console.websites.models import VapidKey

RIGHT = "deliveries.self_test"


def urls(site: AdminSite) -> list[URLPattern]:
    def page(request: HttpRequest) -> HttpResponse:
        """What takes the network is looked at only by a click, which is a POST."""
        if not request.user.has_perm(RIGHT):
            raise PermissionDenied
        looked_at = request.POST.get("look", "") if request.method == "POST" else ""
        server = f"{request.scheme}://{request.get_host()}"
        context: dict[str, Any] = {
            **site.each_context(request),
            "title": _("Self-test"),
            "steps": steps(request.user, looked_at, server),
            "keys": _current_keys(request.user),
            "may_push": request.user.has_perm(self_push.RIGHT),
        }
        return TemplateResponse(request, "console/self_test.html", context)

    views = {"start": self_push.start, "state": self_push.state, "end": self_push.end}
    return [
        path("self-test/", site.admin_view(page), name="self-test"),
        *(
            path(f"self-test/{name}/", site.admin_view(view), name=f"self-test-{name}")
            for name, view in views.items()
        ),
    ]


def _current_keys(user: Any) -> list[VapidKey]:
    """Of each website, the one that this browser would subscribe with."""
    current = of_own_websites(user, VapidKey.objects.filter(retired_at=None).select_related("website"))
    return list(current.order_by("website__name")[:MOST_WEBSITES])
