"""A state as people see it: a word on a colour that means the same everywhere."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

TONES = {
    "accepted": "good",
    "finished": "good",
    "active": "good",
    "shown": "good",
    "clicked": "good",
    "subscribed": "good",
    "sending": "busy",
    "expanding": "busy",
    "scheduled": "busy",
    "repeating": "busy",
    "pending": "busy",
    "awaiting_approval": "busy",
    "waiting": "busy",
    "paused": "warn",
    "held": "warn",
    "unknown": "warn",
    "suppressed": "warn",
    "failed": "bad",
    "gone": "bad",
    "expired": "quiet",
}


def badge(state: str, label: object) -> SafeString:
    """``state`` is a state that has its tone, or a tone itself."""
    tone = state if state in TONES.values() else TONES.get(state, "quiet")
    return format_html('<span class="badge badge-{}">{}</span>', tone, label)
