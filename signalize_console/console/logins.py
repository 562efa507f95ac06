"""From login to logout: where somebody is logged in, how long without a click, and the record of it."""

import datetime
import ipaddress
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import get_user_model, logout
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from signalize_console.api.authentication import address_of
from signalize_console.console import audit
from signalize_console.console.models import AuditRecord, StaffSession

SEEN, LOCKED_OUT = "seen", "locked out"
NOTED_EVERY = 60
BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "Windows": "Windows",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


def address(request: HttpRequest) -> str:
    """Whose wrong passwords are counted together: not all of a proxy's callers."""
    try:
        return str(ipaddress.ip_address(address_of(request)))
    except ValueError:
        return str(request.META.get("REMOTE_ADDR", ""))


def browser_of(request: HttpRequest) -> str:
    """Only enough to know one's own again: "Firefox, Linux"."""
    agent = request.META.get("HTTP_USER_AGENT", "")
    found = [
        next((name for mark, name in names.items() if re.search(rf"\b{mark}\b", agent)), "")
        for names in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(filter(None, found))


def note_session(request: HttpRequest, user: Any) -> None:
    """The session stands in the user's list from now on."""
    if not request.session.session_key:
        request.session.create()
    request.session[SEEN] = int(time.time())
    StaffSession.objects.get_or_create(
        session_id=request.session.session_key, defaults={"user": user, "browser": browser_of(request)}
    )


def logged_in(request: HttpRequest, user: Any, **_signal: Any) -> None:
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    note_session(request, user)
    audit.record(user, "login")


def logged_out(user: Any, **_signal: Any) -> None:
    if user:
        audit.record(user, "logout")


def locked_out(username: str, **_signal: Any) -> None:
    """Only of a name that is somebody's: a stranger's typing, maybe a password, isn't kept. Once a lock."""
    user = get_user_model().objects.filter(username=username).first()
    since = timezone.now() - datetime.timedelta(hours=settings.AXES_COOLOFF_TIME)
    if user and not AuditRecord.objects.filter(user_id=user.pk, at__gt=since, deed=LOCKED_OUT).exists():
        audit.record(user, LOCKED_OUT)


def locked_page(request: HttpRequest, *_axes: Any) -> HttpResponse:
    """Every try moves the lock's end, also one with the right password: it is as long away as ever."""
    until = timezone.now() + datetime.timedelta(hours=settings.AXES_COOLOFF_TIME)
    # Told by the minute, and true when that minute begins.
    until = until.replace(second=0, microsecond=0) + datetime.timedelta(minutes=1)
    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    context = {**admin.site.each_context(request), "until": until, "minutes": minutes}
    return render(request, "console/locked_out.html", context, status=429)


def end_sessions(user: Any, *, but: str | None = None) -> int:
    """Logs the user out everywhere, or everywhere else."""
    ended = Session.objects.filter(staffsession__user=user).exclude(session_key=but)
    return ended.delete()[1].get("sessions.Session", 0)


class IdleTimeout:
    """Who hasn't clicked for some time has to log in again. A page that renews itself is no click."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        match = request.resolver_match
        if not match or "admin" not in match.app_names or not request.user.is_authenticated:
            return
        silent = time.time() - request.session.get(SEEN, 0)
        if SEEN in request.session and silent > settings.IDLE_MINUTES * 60:
            logout(request)
            messages.info(request, _("You were logged out because nothing happened for a while."))
        elif silent > NOTED_EVERY and request.headers.get("X-Requested-With") != "fetch":
            note_session(request, request.user)
            StaffSession.objects.filter(session_id=request.session.session_key).update(seen_at=Now())
