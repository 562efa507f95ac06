"""What a rule means, said once more as simply as it can be, and compared over many courses of events."""

from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signalize_console.automations import engine, rules
from signalize_console.automations.models import Rule, Run
from signalize_console.websites.models import Website
from tests.automations.conftest import make_template, pass_time, tell
from tests.makers import make_recipient, make_subscription

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = 60

# Minutes pass, in steps that never end a wait to the second; or one of two recipients does something.
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.sampled_from([7, 28, 49, 77])),
        st.tuples(st.sampled_from(["insertToBasket", "order"]), st.sampled_from([0, 1])),
    ),
    min_size=3,
    max_size=14,
)


def oracle(actions: list[tuple[str, int]], reentry: str) -> list[tuple[int, str]]:
    """The recipient and the end of each run, in the order of their beginnings."""
    now, runs = 0, []
    for name, number in actions:
        waiting = [run for run in runs if run["state"] == "waiting"]
        mine = [run for run in waiting if run["who"] == number and name != "pass"]
        if name == "pass":
            now += number
            for run in waiting:
                run["state"] = "finished" if run["at"] + WAIT < now else "waiting"
        elif name == "order":
            for run in mine:
                run["state"] = "cancelled"
        elif reentry == "once" and any(run["who"] == number for run in runs):
            continue
        elif reentry != "single" or not mine:
            for run in mine if reentry == "restart" else []:
                run["state"] = "dropped"
            runs.append({"who": number, "at": now, "state": "waiting"})
    return [(run["who"], run["state"]) for run in runs]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTIONS, st.sampled_from(["always", "single", "restart", "once"]))
def test_a_rule_does_what_its_words_say(website: Website, actions: Any, reentry: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE automations_rule, activity_event, messaging_pushmessage CASCADE")
    recipients = [make_recipient(website), make_recipient(website)]
    for recipient in recipients:
        make_subscription(website, recipient=recipient)
    template = make_template(website)
    rule = Rule(website=website, name="Rule", reentry=reentry)
    steps = [{"wait": {"minutes": WAIT}}, {"send": {"template": template.pk}}]
    basket, order = ({"kind": "event", "name": name} for name in ("insertToBasket", "order"))
    rules.save(rule, {"when": basket, "unless": [order], "steps": steps})
    engine.run(seconds=5)
    rule.switch(on=True)

    for name, number in actions:
        if name == "pass":
            pass_time(minutes=number)
        else:
            tell(recipients[number], name)
        engine.run(seconds=5)

    found = [
        (recipients.index(run.recipient), run.state)
        for run in Run.objects.select_related("recipient").order_by("id")
    ]
    assert found == oracle(actions, reentry)
