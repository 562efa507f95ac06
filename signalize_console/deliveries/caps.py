"""The caps hook: what the engine must not send although it is due, whoever asked for it.

A rule looks at claimed deliveries, all at once, and names the reason of each that it stops: for good, or
(a Verdict with a delay) until another time. Each rule sees what those before it have let pass.
"""

import datetime
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from signalize_console.deliveries import frequency, politeness, quiet_hours
from signalize_console.deliveries.ledger import Claimed
from signalize_console.deliveries.politeness import Politeness


class Verdict(NamedTuple):
    """``delay``: seconds until it may be sent. None: it never is."""

    reason: str
    delay: float | None = None


Rule = Callable[[Sequence[Claimed]], Mapping[int, str | Verdict]]
QUIET, UNASKED = "quiet_hours", "no_database"


def paused(deliveries: Sequence[Claimed]) -> dict[int, str]:
    """The visitor paused what isn't expected by them."""
    return {one.id: "paused_by_visitor" for one in deliveries if one.is_paused}


def held_out(deliveries: Sequence[Claimed]) -> dict[int, str]:
    return {
        one.id: "holdout"
        for polite, those in _by_website(deliveries)
        for one in those
        if polite.holdout and not one.transactional and polite.holds_out(one.recipient_id)
    }


def quiet(deliveries: Sequence[Claimed]) -> dict[int, Verdict]:
    verdicts: dict[int, Verdict] = {}
    for polite, those in _by_website(deliveries):
        marketing = [one for one in those if not one.transactional]
        if polite.quiet_from is not None and marketing:
            now = datetime.datetime.now(datetime.UTC)
            waits = quiet_hours.waits(polite, [one.recipient_id for one in marketing], now)
            verdicts |= {
                one.id: Verdict(QUIET, waits[one.recipient_id])
                for one in marketing
                if one.recipient_id in waits
            }
    return verdicts


def too_frequent(deliveries: Sequence[Claimed]) -> dict[int, str]:
    """A retry was counted when it was tried first. Transactional ones are counted, and never refused."""
    verdicts: dict[int, str] = {}
    for polite, those in _by_website(deliveries):
        fresh = [
            one
            for one in those
            if one.subscription_state == "active" and (one.attempts == 1 or one.reason in {QUIET, UNASKED})
        ]
        if polite.has_cap and fresh:
            for transactional in (True, False):
                same = [one for one in fresh if one.transactional == transactional]
                verdicts |= {one.id: "frequency_cap" for one in frequency.refused(same, polite)}
    return verdicts


RULES: list[Rule] = [paused, held_out, quiet, too_frequent]


def verdicts(deliveries: Sequence[Claimed]) -> dict[int, Verdict]:
    """For each delivery id that is stopped; the first rule to say so counts."""
    found: dict[int, Verdict] = {}
    for rule in RULES:
        stopped = rule([one for one in deliveries if one.id not in found])
        found |= {id: said if isinstance(said, Verdict) else Verdict(said) for id, said in stopped.items()}
    return found


def _by_website(deliveries: Sequence[Claimed]) -> list[tuple[Politeness, list[Claimed]]]:
    """Of websites that have set anything: the others pay nothing."""
    polite = politeness.by_website()
    if not polite:
        return []
    groups = defaultdict(list)
    for one in deliveries:
        if one.website_id in polite:
            groups[one.website_id].append(one)
    return [(polite[website], those) for website, those in groups.items()]
