"""Times as people say them."""

from django.utils.translation import ngettext

HOUR, DAY = 3_600, 86_400


def about(seconds: float) -> str:
    """Rounded to what matters: 40 seconds, 12 minutes, 3 hours, 2 days."""
    if seconds < 90:
        count = max(1, round(seconds))
        return ngettext("%d second", "%d seconds", count) % count
    if seconds < 1.5 * HOUR:
        count = round(seconds / 60)
        return ngettext("%d minute", "%d minutes", count) % count
    if seconds < 2 * DAY:
        count = round(seconds / HOUR)
        return ngettext("%d hour", "%d hours", count) % count
    count = round(seconds / DAY)
    return ngettext("%d day", "%d days", count) % count
