"""The words for each cause: a tone, a line, and what it means or what to do."""

from django.utils.translation import gettext_lazy as _

from signalize_console.deliveries.causes import Cause

# Where there is nothing more, the reason, the alert or the silent browser says the rest.
WORDS = {
    Cause.CLICKED: ("good", _("shown and clicked"), ""),
    Cause.SHOWN: ("good", _("shown, not clicked"), ""),
    Cause.CLOSED: ("good", _("shown and closed"), ""),
    Cause.UNREPORTED: ("busy", _("%(service)s took it; the browser has reported nothing"), ""),
    Cause.REPORTS_NOT_KEPT: (
        "quiet",
        _("%(service)s took it"),
        _("It is so long ago that what the browser reported is no longer kept."),
    ),
    Cause.WAITING: ("busy", _("waits until %(until)s"), _("Its time has not come yet.")),
    Cause.RETRYING: ("warn", _("waits for its next try: %(until)s"), ""),
    Cause.MISMATCHED: ("warn", _("waits until the browser subscribes anew"), ""),
    Cause.STOPPED: ("warn", _("waits for %(service)s; next try %(until)s"), ""),
    Cause.MESSAGE_PAUSED: (
        "warn",
        _("waits: the message is paused"),
        _("Resume it on its own page."),
    ),
    Cause.ENDING: ("quiet", _("is not sent any more: the message is over"), ""),
    Cause.DUE: (
        "busy",
        _("is next to be sent"),
        _("If it stays like this, look at the self-test: does a worker run?"),
    ),
    Cause.SENDING: ("busy", _("is on its way to %(service)s"), ""),
    Cause.GONE: ("bad", _("%(service)s said that the subscription has ended"), ""),
    Cause.FAILED: ("bad", _("could not be sent"), ""),
    Cause.EXPIRED: ("quiet", _("its time was over before it could be sent"), ""),
    Cause.CANCELLED: ("quiet", _("was cancelled"), ""),
    Cause.SUPPRESSED: ("warn", _("was held back"), ""),
    Cause.UNKNOWN: ("warn", _("may have arrived"), ""),
    Cause.NOT_SENT_YET: ("quiet", _("the message was not sent yet"), _("It is a draft.")),
    Cause.SCHEDULED: ("busy", _("the message starts %(until)s"), ""),
    Cause.HELD: (
        "warn",
        _("the message waits for somebody's decision"),
        _("Its hour passed while nothing could be sent. Send it after all, or cancel it."),
    ),
    Cause.NOT_KEPT: (
        "quiet",
        _("can't be said any more: it is too long ago"),
        _("Which browser got the message is no longer kept. How many got it is in its report."),
    ),
    Cause.NO_SUBSCRIPTION: (
        "quiet",
        _("not reachable: no subscription"),
        _("This visitor never opted in, or was here before. They can opt in at their next visit."),
    ),
    Cause.NOT_NAMED: (
        "quiet",
        _("the message was for others"),
        _("It was sent to named recipients. This one was not among them, or had no active subscription then."),
    ),
    Cause.SUBSCRIBED_LATER: (
        "quiet",
        _("subscribed only after the message had started"),
        _("A message goes to those who are subscribed when it starts. Send them the next one."),
    ),
    Cause.HAD_ENDED: (
        "quiet",
        _("the subscription had ended before"),
        _("They can opt in again at their next visit."),
    ),
    Cause.NOT_ITS_TURN_YET: (
        "busy",
        _("its turn has not come yet"),
        _("The message goes through its audience just now."),
    ),
    Cause.STOPPED_BEFORE: (
        "warn",
        _("the message stopped before its turn"),
        _("It was paused, cancelled or over before it came to this subscription."),
    ),
    Cause.NOT_IN_SEGMENT: ("quiet", _("not in the message's audience"), ""),
    Cause.SEGMENT_UNKNOWN: (
        "warn",
        _("can't be said any more"),
        _("The segment takes too long to look at, or has a condition that this version doesn't know."),
    ),
    Cause.CHANGED_SINCE: (
        "quiet",
        _("not in the message's audience then"),
        _("Nothing that is stored today speaks against it: the visitor, or the subscription, was different when the message went out."),
    ),
}  # fmt: skip
SILENCES = {
    "fcm": _(
        "The device may be off or offline, notifications may be off for the browser in its system settings, or “do not disturb” is on. On a computer, Chrome must run."
    ),
    "mozilla": _(
        "Firefox may not be running, its device may be offline, or notifications are off in its system settings."
    ),
    "apple": _(
        "Safari tells only of clicks: it may well have been shown. If it wasn't, look at Focus, at the notification settings of the website or Home Screen app, and whether the device is online."
    ),
    "wns": _(
        "The computer may be off, “do not disturb” may be on, or notifications are off for Edge in the Windows settings."
    ),
}
NO_REPORT = _("The device may be off or offline, or notifications are off in its settings.")
