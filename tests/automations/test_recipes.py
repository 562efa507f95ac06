"""Each ready automation, from what triggers it to what the push service gets, with the clock moved."""

import datetime
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Min
from django.utils import timezone

from signalize_console.activity import events
from signalize_console.activity.models import EventKind
from signalize_console.automations import engine, recipes, rules
from signalize_console.automations.models import Rule, Run, RunState, Schedule
from signalize_console.automations.recipes import RECIPES
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.automations.conftest import pass_time, tell, titles
from tests.deliveries.conftest import Subscribe

pytestmark = pytest.mark.django_db(transaction=True)
# A feed stands on another server: tests/automations/test_schedules.py.
KEYS = [key for key in RECIPES if key != "news"]
SOON = datetime.timedelta(hours=24, minutes=20)
MINUTES = datetime.timedelta(minutes=20)
BERLIN = ZoneInfo("Europe/Berlin")


def trigger(recipe: recipes.Recipe, recipient: Recipient) -> None:
    kind = recipe.when["kind"]
    if kind == "event":
        tell(recipient, recipe.when["name"], orderNumber=7)
    elif kind == "subscribed":
        events.record(EventKind.SUBSCRIBED, recipient)
    elif kind == "inactivity":
        pass_time(days=recipe.when["days"] - 1, hours=23)
        engine.run(seconds=5)
        pass_time(hours=2)


def put_near(rule: Rule) -> None:
    """What stands in the calendar doesn't move with the clock: its time of day is put near instead."""
    definition = rule.version.definition if rule.version else {}
    when, now = definition["when"], timezone.now()
    if when["kind"] == "date" and "every" in when:
        at = (now + MINUTES).astimezone(BERLIN)
        rules.save(rule, {**definition, "when": {**when, "at": f"{at:%H:%M}"}})
    if when["kind"] == "every":
        at = now - MINUTES
        soon = {**when, "days": [f"{at:%A}".lower()], "at": f"{at:%H:%M}"}
        rules.save(rule, {**definition, "when": soon})
        engine.run(seconds=5)
        Schedule.objects.update(since=at - MINUTES, due_at=now)


def go_on(work: Callable[[], None]) -> None:
    """Lets the time pass to each next appointment, until no run is left waiting."""
    for _time in range(120):
        engine.run(seconds=5)
        work()
        waiting = Run.objects.filter(state=RunState.WAITING)
        if Run.objects.exists() and not waiting.exists():
            return
        appointments = [
            waiting.aggregate(at=Min("due_at"))["at"],
            Schedule.objects.aggregate(at=Min("due_at"))["at"],
        ]
        next_one = min(one for one in appointments if one)
        pass_time(seconds=max((next_one - timezone.now()).total_seconds(), 0) + 1)
    raise AssertionError(f"It never ended: {list(Run.objects.values('state', 'why'))}")


@pytest.mark.parametrize("key", KEYS)
def test_it_sends_all_that_it_promises(
    key: str, double: Any, website: Website, subscribe: Subscribe, work: Callable[[], None]
) -> None:
    now = timezone.now()
    dates: Any = {
        "appointment": (now + SOON).isoformat(timespec="seconds"),
        "birthday": f"1990{(now + MINUTES).astimezone(BERLIN):-%m-%d}",
    }
    ada = subscribe(attributes=dates, language="de", time_zone="Europe/Berlin").recipient  # type: ignore[arg-type]
    tell(ada, "order")  # a year's customer; the rule sees only what comes when it is on
    engine.run(seconds=5)
    recipe = RECIPES[key]
    rule: Rule = recipes.use(recipe, website)
    rule.switch(on=True)
    engine.run(seconds=5)
    put_near(rule)

    trigger(recipe, ada)
    go_on(work)

    assert [run.state for run in Run.objects.all()] == ["finished"]
    assert len(titles(double)) == len(recipe.texts)
    german = {text[1][0].split("{{")[0].split(",")[0] for text in recipe.texts}
    assert all(any(title.startswith(one) for one in german) for title in titles(double))
