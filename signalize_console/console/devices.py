"""A recipient's subscriptions as people know them: which browser on what, and how it is with it."""

import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signalize_console.console.moments import moment
from signalize_console.console.reasons import in_words, service_name
from signalize_console.recipients.models import Recipient, Subscription, SubscriptionState
from signalize_console.recipients.subscribing import REPLACED

MOST_DEVICES = 20
# Whose push service it is says which browser: several may share one.
BROWSERS = {
    "fcm": gettext_lazy("Chrome or similar"),
    "mozilla": "Firefox",
    "apple": "Safari",
    "wns": "Edge",
}
PLATFORMS = {
    "windows": "Windows",
    "macos": "macOS",
    "linux": "Linux",
    "chromeos": "ChromeOS",
    "android": "Android",
    "ios": gettext_lazy("iPhone or iPad"),
}


class Device(NamedTuple):
    subscription: Subscription
    name: str
    tone: str
    state: str
    more: str
    seen_at: datetime.datetime

    @property
    def may_be_tried(self) -> bool:
        return self.subscription.state == SubscriptionState.ACTIVE


def of(recipient: Recipient) -> list[Device]:
    """The latest ones first."""
    subscriptions = recipient.subscriptions.order_by("-seen_at")[:MOST_DEVICES]
    return [Device(one, name(one), *_state(one), one.seen_at) for one in subscriptions]


def name(subscription: Subscription) -> str:
    browser = BROWSERS.get(subscription.push_service, _("A browser"))
    platform = PLATFORMS.get(subscription.platform, "")
    return (
        _("%(browser)s on %(platform)s") % {"browser": browser, "platform": platform}
        if platform
        else str(browser)
    )


def _state(subscription: Subscription) -> tuple[str, str, str]:
    """Tone, state and what it means."""
    when = moment(subscription.ended_at) if subscription.ended_at else ""
    if subscription.state == SubscriptionState.ACTIVE:
        if subscription.key_mismatch_at:
            return "paused", _("waits"), in_words("vapid_key_mismatch")
        return "active", _("gets messages"), ""
    if subscription.state == SubscriptionState.UNSUBSCRIBED:
        return "gone", _("unsubscribed"), _("The visitor unsubscribed %s.") % when
    if subscription.ended_reason == REPLACED:
        return "quiet", _("replaced"), _("The browser renewed its subscription %s.") % when
    service = service_name(subscription.push_service)
    more = _("%(service)s said %(when)s that it has ended.") % {"service": service, "when": when}
    if subscription.state == SubscriptionState.QUARANTINED:
        more = f"{more} " + _("It is kept for a week, should that be wrong.")
    return "gone", _("ended"), more[:1].upper() + more[1:]
