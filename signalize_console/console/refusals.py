"""Why a row or a file can't move in, in the reader's language. An import keeps it in English."""

import re

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

REASONS = [
    _("The file is empty."),
    _("There are no subscriptions in the file."),
    _("This is an Excel workbook or a packed file. Save it as CSV, or unpack it, first."),
    _("A line is longer than %(number)s characters. Is it a file of subscriptions?"),
    _("There are more than %(number)s columns. Is it a file of subscriptions?"),
    _("There are more than %(number)s rows. Split the file."),
    _("The first row isn't CSV: %(problem)s."),
    _("This is no row of CSV: %(problem)s."),
    _("It has %(number)s fields, the first row %(columns)s."),
    _("JSON must be UTF-8, and this file isn't."),
    _("There is something else than objects in the JSON."),
    _("After byte %(number)s it isn't JSON, or an object is too long."),
    _(
        "There is no column for: %(missing)s. The first row must name the columns; "
        "these were found: %(found)s."
    ),
    _("This endpoint stands in line %(line)s already."),
    _("This subscription is here already."),
    _("It isn't subscribed any more, says the file."),
    _("It is longer than %(number)s characters."),
    _("Which VAPID key it was made with isn't known. Add its columns, or give the file's key."),
    _("Without it nothing can be sent to this subscription."),
    _("It doesn't belong to vapidPublicKey."),
    _("The file has more than %(number)s different keys."),
    _("This is no private VAPID key: give its 32 bytes in base64url, or a PEM."),
    _("This VAPID key belongs to another website of this console."),
    _("It has characters that can't be printed."),
    _("A recipient id is 32 hexadecimal digits in lower case."),
    _("There is a number that isn't one."),
    _("There are more than %(number)s, or one is longer than %(length)s."),
    _("The endpoint is longer than %(number)s characters."),
    _("The endpoint is not a plain https address."),
    _(
        "%(host)s is not a push service that this installation talks to. "
        "The operator can add it to SIGNALIZE_PUSH_SERVICES."
    ),
    _("p256dh is not a point on the curve P-256."),
    _("p256dh must be an uncompressed P-256 point of 65 bytes."),
    _("auth must be 16 bytes."),
    _("%(field)s is not base64url."),
    _("%(field)s is not canonical base64url."),
]
PLACEHOLDER = re.compile(r"%\\\((\w+)\\\)s|%\((\w+)\)s")


def pattern(reason: str) -> re.Pattern[str]:
    """What was made of this text: ``number`` stands where ``%(number)s`` does."""
    return re.compile(PLACEHOLDER.sub(r"(?P<\1\2>.*?)", re.escape(reason)), re.DOTALL)


PATTERNS = [(reason, pattern(reason)) for reason in REASONS]


def in_words(said: str) -> str:
    for reason, made in PATTERNS:
        if found := made.fullmatch(said):
            return gettext(reason) % found.groupdict() if found.groupdict() else gettext(reason)
    return said
