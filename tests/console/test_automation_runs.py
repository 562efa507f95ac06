"""A recipient's page says where each automation waits, why it ended, and what became of what it sent."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from signalize_console.automations import engine
from signalize_console.automations.disclosing import disclose
from signalize_console.automations.models import Run
from signalize_console.deliveries import erasing, politeness
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.automations.conftest import MakeRule, make_rule, pass_time, tell
from tests.console.logins import log_in
from tests.console.test_recipients import LOOKS, at, read
from tests.deliveries.conftest import Subscribe, double, running_double, subscribe, website, work

__all__ = ["double", "make_rule", "running_double", "subscribe", "website", "work"]
pytestmark = pytest.mark.django_db(transaction=True)
BASKET, ORDER = ({"kind": "event", "name": name} for name in ("insertToBasket", "order"))


def act(work: Callable[[], None]) -> None:
    engine.run(seconds=5)
    work()


def test_each_run_says_where_it_waits_and_why_it_ended(
    subscribe: Subscribe, make_rule: MakeRule, work: Callable[[], None], website: Website
) -> None:
    ada = subscribe().recipient
    later = {"wait": {"days": 2}}
    make_rule(BASKET, "send", later, "send", name="Basket", title="Still there", unless=[ORDER])
    make_rule(BASKET, {"wait": {"event": ORDER, "timeout": {"hours": 2}}}, "send", name="Patient")
    Website.objects.filter(pk=website.pk).update(cap_day=1)
    politeness.forget()
    tell(ada, "insertToBasket")
    act(work)
    client = log_in(*LOOKS, "view_run")

    text = read(client, at(ada))
    assert "Basket waiting" in text
    assert "“insertToBasket” happens" in text
    assert "It waits until" in text
    assert "Next: Send “Still there" in text
    assert "Still there · Mozilla took it" in text
    assert "It waits for an event, or until the time for it is over." in text

    pass_time(hours=3)
    act(work)
    text = read(client, at(ada))
    assert "Hello · was held back" in text
    assert "as many messages lately as the website allows" in text
    tell(ada, "order")
    act(work)
    assert "Basket cancelled by an event" in read(client, at(ada))
    assert "The event came that ends this automation." in read(client, at(ada))
    assert "cancelled by an event" not in read(log_in(*LOOKS), at(ada))


def test_many_runs_take_as_many_queries_as_one(
    subscribe: Subscribe, make_rule: MakeRule, work: Callable[[], None], django_assert_max_num_queries: Any
) -> None:
    ada = subscribe().recipient
    for number in range(4):
        make_rule(ORDER, name=f"Rule {number}.", reentry="always")
    for _time in range(6):
        tell(ada, "order")
    act(work)
    client = log_in(*LOOKS, "view_run")
    with django_assert_max_num_queries(23):
        text = read(client, at(ada))
    assert text.count("Hello · Mozilla took it") == 20
    assert "All runs" in text


def test_the_personal_file_holds_the_runs_and_erasing_takes_them(
    subscribe: Subscribe, make_rule: MakeRule
) -> None:
    ada, other = subscribe().recipient, subscribe().recipient
    make_rule(ORDER, {"wait": {"hours": 1}}, "send", name="Thanks")
    for one in (ada, other):
        tell(one, "order", orderNumber=f"of {one.pk}")
    engine.run(seconds=5)

    answer = log_in(*LOOKS, "export_recipient").post(at(ada, "export"))
    (run,) = json.loads(answer.content)["automations"]
    assert (run["automation"], run["state"], run["reason"]) == ("Thanks", "waiting", "wait")
    assert run["values"] == {"orderNumber": f"of {ada.pk}"}
    assert run["due"]

    erasing.erase(ada)
    assert [one.recipient_id for one in Run.objects.all()] == [other.pk]
    engine.run(seconds=5)
    assert len(disclose(other)["automations"]) == 1


def test_who_is_removed_by_one_statement_takes_the_runs_along(
    subscribe: Subscribe, make_rule: MakeRule
) -> None:
    ada = subscribe().recipient
    make_rule(ORDER, {"wait": {"hours": 1}}, "send")
    tell(ada, "order")
    engine.run(seconds=5)
    ada.subscriptions.all().delete()
    Recipient.objects.filter(pk=ada.pk)._raw_delete("default")
    assert not Run.objects.exists()
