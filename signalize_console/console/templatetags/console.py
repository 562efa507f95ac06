"""Pieces of the console's own pages."""

import json
from typing import Any

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from signalize_console.console import refusals
from signalize_console.console.badges import badge as make_badge
from signalize_console.messaging.models import PushMessage

register = template.Library()
register.filter("refusal", refusals.in_words)

LABELS = {
    "pause": _("Pause"),
    "resume": _("Resume"),
    "cancel": _("Cancel"),
    "take_back": _("Take back"),
    "release": _("Send it after all"),
    "to_draft": _("Back to draft"),
    "undo": _("Undo"),
    "disapprove": _("Back to its author"),
    "duplicate": _("Duplicate"),
    "to_template": _("Save as template"),
}
# What does the same as another one, and is called otherwise.
PATHS = {"undo": "to_draft"}
QUESTIONS = {
    "cancel": _("Cancel this message? What waits will never be sent, or is taken back."),
    "take_back": _("Take this message back? It is withdrawn from all browsers that have not fetched it yet."),
    "release": _("Send it now, though its hour has passed?"),
}
TONES = {"undo": "default"}


@register.simple_tag
def badge(state: str, label: object) -> SafeString:
    return make_badge(state, label)


@register.filter
def pretty(said: object) -> str:
    """JSON for people."""
    return json.dumps(said, indent=2, ensure_ascii=False)


@register.inclusion_tag("console/action.html", takes_context=True)
def action(context: dict[str, Any], message: PushMessage, name: str) -> dict[str, Any]:
    """A button that does one thing to a push message."""
    return {
        "csrf_token": context.get("csrf_token"),
        "url": reverse(f"admin:messaging_pushmessage_{PATHS.get(name, name)}", args=[message.pk]),
        "label": LABELS[name],
        "question": QUESTIONS.get(name, ""),
        "tone": TONES.get(name, "danger" if name in QUESTIONS else "secondary"),
    }
