"""The caps hook: what the engine must not send although it is due, whoever asked for it.

A rule looks at claimed deliveries, all at once, and names the reason of each that it suppresses.
"""

from collections.abc import Callable, Mapping, Sequence

from signalize_console.deliveries.ledger import Claimed

Rule = Callable[[Sequence[Claimed]], Mapping[int, str]]


def paused(deliveries: Sequence[Claimed]) -> dict[int, str]:
    """The visitor paused what isn't expected by them."""
    return {one.id: "paused_by_visitor" for one in deliveries if one.is_paused}


RULES: list[Rule] = [paused]


def suppressed(deliveries: Sequence[Claimed]) -> dict[int, str]:
    """The reason for each delivery id that is suppressed; the first rule to say so counts."""
    reasons: dict[int, str] = {}
    for rule in RULES:
        for delivery_id, reason in rule([one for one in deliveries if one.id not in reasons]).items():
            reasons[delivery_id] = reason
    return reasons
