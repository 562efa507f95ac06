"""How Chrome may judge each website, in words: what is good, what to watch, what to change.

It looks at pushes and questions in relation to the time that people spend on the site, and at how they react,
and doesn't publish where it draws the line. Time is not measured here, but visits are counted. The limits are
our own rule of thumb; that Google answers 429 is the one hard sign.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from signalize_console.console.templatetags.reports import number, percent
from signalize_console.deliveries.website_reports import Reputation, reputations
from signalize_console.websites.models import Website

GOOD, WATCH, BAD, UNKNOWN = "good", "warn", "bad", "quiet"
WORST_FIRST = (BAD, WATCH, GOOD, UNKNOWN)
# Below this nothing can be said.
FEWEST = 100
# More websites than these are not told one by one.
MOST_WEBSITES = 5


@dataclass(frozen=True)
class Sign:
    """One thing that is measured. ``tone`` is a badge's; ``advice`` what to do, unless all is well."""

    label: str
    shown: Any
    tone: str
    advice: str

    @property
    def word(self) -> str:
        return _in_a_word(self.tone)


@dataclass(frozen=True)
class Judgement:
    """One website's signs. Its ``tone`` is that of the worst one."""

    website: Website
    signs: list[Sign]

    @property
    def tone(self) -> str:
        tones = {sign.tone for sign in self.signs}
        return next(tone for tone in WORST_FIRST if tone in tones)

    @property
    def word(self) -> str:
        return _in_a_word(self.tone)

    @property
    def worst_first(self) -> tuple[int, int, int, int]:
        """The more signs are risky, and then to be watched, the earlier; the newest of equals last."""
        tones = Counter(sign.tone for sign in self.signs)
        return WORST_FIRST.index(self.tone), -tones[BAD], -tones[WATCH], self.website.pk


def judged(websites: Iterable[Website], days: int) -> list[Judgement]:
    """Each website, the worst first."""
    by_id = {website.pk: website for website in websites}
    found = [Judgement(by_id[pk], signs(one)) for pk, one in reputations(by_id, days).items()]
    return sorted(found, key=lambda one: one.worst_first)


def signs(found: Reputation) -> list[Sign]:
    enough = found.accepted >= FEWEST
    fewer = _("Send fewer messages, and to those who visit: a segment of the last weeks' visitors.")
    better = _("Send to fewer people, and say what is in it for them.")
    later = _("Ask later: after some page views, or by a bell or button.")
    clicked, granted = found.click_rate, found.grant_rate
    visits, lost, throttled = found.pushes_per_visit, found.lost_per_thousand, found.throttled_rate
    limited = _("Chrome may have set its limit of 1,000 a minute: for 1, then 7, then 14 days. Send fewer.")
    was_asked = found.granted + found.denied >= FEWEST
    return [
        Sign(_("messages per visit of a subscriber"), number(visits), _few(visits, 5, 20, enough), fewer),
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
            _few(throttled, 0, 0.01, enough or found.throttled > 0),
            limited,
        ),
    ]


def _in_a_word(tone: str) -> str:
    words = {GOOD: _("good"), WATCH: _("watch"), BAD: _("risky"), UNKNOWN: _("too little to say")}
    return words[tone]


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
