"""The page that says that this database was restored or copied, with the button that lets it send."""

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from signalize_console.automations import advancing
from signalize_console.console.access import website_ids
from signalize_console.deliveries import installation

RIGHT = "deliveries.change_alert"


@transaction.atomic
def send_from_here(by: str) -> bool:
    """This is the one installation that sends from now on. False: it was already."""
    if not installation.send_from_here(by):
        return False
    advancing.hold_due()
    return True


def urls(site: AdminSite) -> list[URLPattern]:
    def page(request: HttpRequest) -> HttpResponse:
        """It concerns all websites: who is limited to some may read, and not decide."""
        if not request.user.has_perm("deliveries.view_alert"):
            raise PermissionDenied
        may_decide = request.user.has_perm(RIGHT) and website_ids(request.user) is None
        if request.method == "POST":
            if not may_decide:
                raise PermissionDenied
            send_from_here(request.user.get_username())
            return HttpResponseRedirect(reverse("admin:send_from_here"))
        context = {
            **site.each_context(request),
            "title": _("Where messages are sent from"),
            "is_elsewhere": installation.is_elsewhere(),
            "may_decide": may_decide,
        }
        return TemplateResponse(request, "console/send_from_here.html", context)

    return [path("send-from-here/", site.admin_view(page), name="send_from_here")]
