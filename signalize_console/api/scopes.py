"""What a key may do: one scope to read and one to write each noun."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    READ_MESSAGES = "messages:read", _("read messages and what became of them")
    WRITE_MESSAGES = "messages:write", _("send, pause and cancel messages")
    READ_RECIPIENTS = "recipients:read", _("read and export recipients")
    WRITE_RECIPIENTS = "recipients:write", _("change and erase recipients, report events")
    READ_SEGMENTS = "segments:read", _("read and count segments")
    WRITE_SEGMENTS = "segments:write", _("change segments")
    READ_TEMPLATES = "templates:read", _("read templates")
    WRITE_TEMPLATES = "templates:write", _("change templates")
    READ_WEBHOOKS = "webhooks:read", _("read webhooks and their log")
    WRITE_WEBHOOKS = "webhooks:write", _("change webhooks")
    READ_WEBSITES = "websites:read", _("read the website's settings")
    READ_STATISTICS = "statistics:read", _("read statistics")


SENDING = [Scope.READ_MESSAGES, Scope.WRITE_MESSAGES]
EVERYTHING = list(Scope)
