"""One's own account: the second factor, recovery codes, and where one is logged in."""

import hashlib
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST
from django_otp.plugins.otp_static.models import StaticToken

from signalize_console.console import audit, logins, second_factor
from signalize_console.console.models import StaffSession


class CodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "size": 12}),
    )


def urls(site: Any) -> list[URLPattern]:
    """The account's addresses. The first two are for people on their way in."""

    def view(function: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        def bound(request: HttpRequest) -> HttpResponse:
            return function(site, request)

        return bound

    own = site.admin_view
    return [
        path("second-factor/", never_cache(csrf_protect(view(ask_code))), name="second_factor"),
        path("second-factor/setup/", never_cache(csrf_protect(view(set_up))), name="second_factor_setup"),
        path("account/", own(view(account)), name="account"),
        path("account/recovery-codes/", own(require_POST(view(recovery_codes))), name="recovery_codes"),
        path("account/second-factor-off/", own(require_POST(view(switch_off))), name="second_factor_off"),
        path("account/end-session/", own(require_POST(view(end_session))), name="end_session"),
    ]


def page(site: Any, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    shared = {**site.each_context(request), "title": title}
    return TemplateResponse(request, f"console/{template}.html", {**shared, **context})


def is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_staff)


def ask_code(site: Any, request: HttpRequest) -> HttpResponse:
    """After the password: the code. Who has nothing that gives one yet, and must, sets it up."""
    if not is_staff(request):
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    if not second_factor.is_missing(request):
        return HttpResponseRedirect(_next(request))
    if second_factor.device_of(request.user) is None:
        return HttpResponseRedirect(reverse("admin:second_factor_setup"))
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if second_factor.verify(request, form.cleaned_data["code"]):
            return HttpResponseRedirect(_next(request))
        form.add_error("code", _("This code isn't right. Wait for the next one, then try again."))
    context = {"form": form, "next": _next(request), "is_popup": False}
    return page(site, request, "second_factor", _("One more step"), **context)


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("admin:index")


def set_up(site: Any, request: HttpRequest) -> HttpResponse:
    """Only for whom nothing is missing, or who has none yet: nobody swaps another's phone for their own."""
    if not is_staff(request):
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    if second_factor.is_missing(request) and second_factor.device_of(request.user):
        return HttpResponseRedirect(reverse("admin:second_factor"))
    device = second_factor.new_device(request.user)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if codes := second_factor.confirm(request, device, form.cleaned_data["code"]):
            audit.record(request.user, "second factor on")
            return page(site, request, "recovery_codes", _("Your recovery codes"), codes=codes)
        form.add_error("code", _("This code isn't right. Wait for the next one, then try again."))
    context = {
        "form": form,
        "qr_code": second_factor.qr_code(device),
        "secret": second_factor.secret_of(device),
        "must": second_factor.is_missing(request),
    }
    return page(site, request, "second_factor_setup", _("Set up the second factor"), **context)


def account(site: Any, request: HttpRequest) -> HttpResponse:
    this = request.session.session_key
    context = {
        "device": second_factor.device_of(request.user),
        "required": second_factor.is_required(request.user),
        "codes_left": StaticToken.objects.filter(device__user=request.user).count(),
        "form": CodeForm(),
        "sessions": [(_mark(one), one, one.session_id == this) for one in _sessions(request)[:50]],
    }
    return page(site, request, "account", _("Your account"), **context)


def _sessions(request: HttpRequest) -> QuerySet[StaffSession]:
    user: Any = request.user
    return StaffSession.objects.filter(user=user)


def _mark(session: StaffSession) -> str:
    """Names a session without telling its key."""
    return hashlib.sha256(session.session_id.encode()).hexdigest()[:16]


def recovery_codes(site: Any, request: HttpRequest) -> HttpResponse:
    if second_factor.device_of(request.user) is None:
        return HttpResponseRedirect(reverse("admin:second_factor_setup"))
    codes = second_factor.new_recovery_codes(request.user)
    audit.record(request.user, "new recovery codes")
    return page(site, request, "recovery_codes", _("Your recovery codes"), codes=codes)


def switch_off(_site: Any, request: HttpRequest) -> HttpResponse:
    """With a code: a browser that somebody left open isn't enough."""
    if second_factor.verify(request, request.POST.get("code", "")[:20]):
        second_factor.remove(request.user)
        messages.success(request, _("The second factor is off."))
    else:
        messages.error(request, _("This code isn't right. Wait for the next one, then try again."))
    return HttpResponseRedirect(reverse("admin:account"))


def end_session(_site: Any, request: HttpRequest) -> HttpResponse:
    """One of one's own, or all but this one."""
    marked = request.POST.get("session", "")
    if marked:
        ended = [one for one in _sessions(request) if _mark(one) == marked]
        count = sum(bool(one.session.delete()) for one in ended)
    else:
        count = logins.end_sessions(request.user, but=request.session.session_key)
    text = ngettext("%(count)d session has ended.", "%(count)d sessions have ended.", count)
    messages.success(request, text % {"count": count})
    return HttpResponseRedirect(reverse("admin:account"))
