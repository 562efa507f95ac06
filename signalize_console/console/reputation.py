"""How push services and browsers may judge us, in words: what is good, what to watch, what to change.

Chrome doesn't publish where it draws the line: it looks at pushes in relation to visits, and at how visitors
react. The limits here are our own rule of thumb; that Google answers 429 is the one hard sign.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from signalize_console.console.templatetags.reports import number, percent
from signalize_console.deliveries.website_reports import Reputation

GOOD, WATCH, BAD, UNKNOWN = "good", "warn", "bad", "quiet"
# Below this nothing can be said.
FEWEST = 100


@dataclass(frozen=True)
class Sign:
    """One thing that is measured. ``tone`` is a badge's; ``advice`` what to do, unless all is well."""

    label: str
    shown: Any
    tone: str
    advice: str

    @property
    def word(self) -> str:
        return {
            GOOD: _("good"),
            WATCH: _("watch"),
            BAD: _("risky"),
            UNKNOWN: _("too little to say"),
        }[self.tone]


def signs(found: Reputation) -> list[Sign]:
    enough = found.accepted >= FEWEST
    fewer = _("Send fewer messages, and to those who visit: a segment of the last weeks' visitors.")
    better = _("Send to fewer people, and say what is in it for them.")
    later = _("Ask later: after some page views, or by a bell or button.")
    clicked, granted = found.click_rate, found.grant_rate
    views, lost, throttled = found.pushes_per_view, found.lost_per_thousand, found.throttled_rate
    limited = _("Chrome may have set its limit of 1,000 a minute: for 1, then 7, then 14 days. Send fewer.")
    was_asked = found.granted + found.denied >= FEWEST
    return [
        Sign(_("messages per page view of subscribers"), number(views), _few(views, 1, 3, enough), fewer),
        Sign(_("clicked, of the accepted"), percent(clicked), _many(clicked, 0.02, 0.005, enough), better),
        Sign(_("subscriptions lost per 1,000 accepted"), number(lost), _few(lost, 5, 20, enough), better),
        Sign(
            _("“allow” to the browser's question"),
            percent(granted),
            _many(granted, 0.2, 0.05, was_asked),
            later,
        ),
        Sign(
            _("429 answers of Google"),
            number(found.throttled),
            _few(throttled, 0, 0.01, True),
            limited,
        ),
    ]


def worst(found: list[Sign]) -> str:
    tones = {sign.tone for sign in found}
    return next((tone for tone in (BAD, WATCH, GOOD) if tone in tones), UNKNOWN)


def _few(value: float | None, watch: float, bad: float, enough: bool) -> str:
    """Good up to ``watch``, risky above ``bad``."""
    if value is None or not enough:
        return UNKNOWN
    return GOOD if value <= watch else WATCH if value <= bad else BAD


def _many(value: float | None, watch: float, bad: float, enough: bool) -> str:
    """Good from ``watch`` on, risky below ``bad``."""
    if value is None or not enough:
        return UNKNOWN
    return GOOD if value >= watch else WATCH if value >= bad else BAD
