"""The self-test's longer words."""

from django.utils.translation import gettext_lazy as _

from signalize_console.browser.installed import Installed

WHO = {
    "beat": _("Beat, the clock"),
    "worker": _("A worker"),
    "transactional": _("Sender of transactional messages"),
    "marketing": _("Sender of marketing messages"),
    "maintenance": _("Worker for webhooks and maintenance"),
    "automations": _("Worker for automations"),
}
COPY = _("Put a copy of this server's /sw.js there.")
# Tone, line, and what to do; without it, the reason of the failed try says it.
INSTALLED = {
    Installed.CURRENT: ("good", _("today's"), ""),
    Installed.BY_LINE: ("good", _("loads ours, always the newest"), ""),
    Installed.OUTDATED: ("warn", _("an older copy of ours"), COPY),
    Installed.OTHER_SERVER: (
        "bad",
        _("ours, but of another server"),
        _("It reports there, not here. Put a copy of this server's /sw.js in its place."),
    ),
    Installed.FOREIGN: (
        "bad",
        _("another script"),
        _("Put our line at the top of it, or name another path to the snippet (signalizeServiceWorkerPath)."),
    ),
    Installed.MISSING: ("bad", _("nothing there"), COPY),
    Installed.REDIRECTED: (
        "bad",
        _("a redirect, which browsers refuse"),
        _("Serve the script itself at /sw.js, and name only origins that don't redirect."),
    ),
    Installed.NOT_A_SCRIPT: (
        "bad",
        _("no script by its type"),
        _("Serve it as text/javascript. Is it the fallback page of an app?"),
    ),
    Installed.UNREACHABLE: ("bad", _("can't be reached from here"), ""),
    Installed.LOCAL: ("quiet", _("on a computer of its own; it can't be looked at from here"), ""),
}
