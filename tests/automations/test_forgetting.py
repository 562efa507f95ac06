"""Runs that ended long ago are forgotten; what they still decide is not."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from signalize_console.automations import forgetting
from signalize_console.automations.models import Run
from signalize_console.websites.models import Website
from tests.automations.conftest import MakeRule
from tests.makers import make_recipient


def test_ended_runs_go_and_waiting_ones_and_once_in_a_life_stay(
    website: Website, make_rule: MakeRule, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "CHUNK", 2)
    recipient = make_recipient(website)
    now = timezone.now()

    def run(rule: Any, name: str, days: int | None) -> None:
        ended = None if days is None else now - datetime.timedelta(days=days)
        state = {"state": "finished", "ended_at": ended} if ended else {"due_at": now}
        Run.objects.create(
            rule=rule, version=rule.version, recipient=recipient, trigger=name, triggered_at=now, **state
        )

    usual = make_rule({"kind": "event", "name": "order"}, title="usual")
    once = make_rule({"kind": "event", "name": "order"}, title="once", reentry="once")
    run(usual, "waits", None)
    for number in range(3):
        run(usual, f"old {number}", 401)
    run(usual, "young", 399)
    run(once, "once", 401)

    settings.KEEP_RUNS_DAYS = 0
    forgetting.forget_old()
    assert Run.objects.count() == 6
    settings.KEEP_RUNS_DAYS = 400
    forgetting.forget_old()
    assert set(Run.objects.values_list("trigger", flat=True)) == {"waits", "young", "once"}
