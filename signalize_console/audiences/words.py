"""What the fields and operators of segments are called, for people."""

from typing import Any

from django.utils.translation import gettext_lazy as _

FIELDS: dict[str, Any] = {
    "attribute": _("attribute"),
    "interest": _("interest"),
    "language": _("language"),
    "customerId": _("customer id"),
    "list": _("list"),
    "platform": _("platform"),
    "pushService": _("push service"),
    "subscribed": _("subscribed"),
    "firstVisit": _("first visit"),
    "lastVisit": _("last visit"),
    "visits": _("visits"),
    "pageViews": _("page views"),
    "event": _("event"),
    "purchase": _("purchases"),
    "purchaseValue": _("worth of purchases"),
    "messageAccepted": _("messages received"),
    "messageShown": _("messages shown"),
    "messageClicked": _("messages clicked"),
    "messageClosed": _("messages closed"),
    "lastMessage": _("last message"),
}
OPERATORS: dict[str, Any] = {
    "equals": _("is"),
    "notEquals": _("is not"),
    "contains": _("contains"),
    "in": _("is one of"),
    "exists": _("is known"),
    "greater": _("is more than"),
    "less": _("is less than"),
    "atLeast": _("is at least"),
    "atMost": _("is at most"),
    "before": _("is before"),
    "after": _("is after"),
}
PLATFORMS: dict[str, Any] = {
    "windows": "Windows",
    "macos": "macOS",
    "linux": "Linux",
    "chromeos": "ChromeOS",
    "android": "Android",
    "ios": "iOS",
    "other": _("other"),
}
SERVICES: dict[str, Any] = {
    "fcm": "Google",
    "mozilla": "Mozilla",
    "apple": "Apple",
    "wns": "Microsoft",
    "other": _("other"),
}


def push_service_name(push_service: str) -> str:
    """Whose it is; one without a name is shown as it is."""
    return str(SERVICES.get(push_service, push_service))
