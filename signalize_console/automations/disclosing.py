"""What is stored about a recipient, for themself: with the automations that they have been in."""

import datetime
from typing import Any

from signalize_console.automations.models import Run
from signalize_console.deliveries import disclosing
from signalize_console.deliveries.disclosing import MOST_ROWS
from signalize_console.recipients.models import Recipient


def disclose(recipient: Recipient, *, endpoints: bool = True) -> dict[str, Any]:
    """All of it, as JSON can say it, of runs the latest 10,000: see ``deliveries.disclosing``."""
    return {**disclosing.disclose(recipient, endpoints=endpoints), "automations": runs(recipient, MOST_ROWS)}


def profile(recipient: Recipient, most: int) -> dict[str, Any]:
    """All but the messages; of events and runs the latest ``most``."""
    return {**disclosing.profile(recipient, most), "automations": runs(recipient, most)}


def runs(recipient: Recipient, most: int) -> list[dict[str, Any]]:
    """The latest ones first."""
    latest = Run.objects.filter(recipient=recipient).select_related("rule").order_by("-id")[:most]
    return [
        {
            "at": _time(one.triggered_at),
            "automation": one.rule.name,
            "state": one.state,
            "reason": one.why,
            "due": _time(one.due_at),
            "ended": _time(one.ended_at),
            "values": one.facts,
        }
        for one in latest
    ]


def _time(when: datetime.datetime | None) -> str | None:
    return when.isoformat(timespec="seconds") if when else None
