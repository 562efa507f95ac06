"""From what happens to what is sent: triggers, conditions, waits, cancelling events, and what is too late."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from signalize_console.activity import changes, events
from signalize_console.activity.events import Happened
from signalize_console.activity.models import EventKind
from signalize_console.automations import comparing, engine, rules
from signalize_console.automations.models import Rule, RuleVersion, Run, StepMessage, StepWinner
from signalize_console.deliveries import reports, tokens
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import MessageTemplate, PushMessage, TemplateText
from signalize_console.recipients.models import Subscription, SubscriptionState
from tests.automations.conftest import MakeRule, make_template, pass_time, tell, titles
from tests.deliveries.conftest import Subscribe
from tests.makers import make_website

pytestmark = pytest.mark.django_db(transaction=True)
BASKET = {"kind": "event", "name": "insertToBasket"}
ORDER = {"kind": "event", "name": "order"}
HOUR = {"wait": {"hours": 1}}
Work = Callable[[], None]


def states() -> list[tuple[str, str]]:
    return list(Run.objects.order_by("id").values_list("state", "why"))


def test_an_event_sends_a_template_with_its_values(
    double: Any, subscribe: Subscribe, make_rule: MakeRule, work: Work
) -> None:
    ada = subscribe(attributes={"first_name": "Ada"}).recipient
    make_rule(ORDER, title="{{ first_name }}: {{ product_name }} no. {{ number }}")

    tell(ada, "order", product={"name": "Tulip"}, number=7)
    engine.run(seconds=5)
    work()

    assert titles(double) == ["Ada: Tulip no. 7"]
    assert states() == [("finished", "")]
    assert StepMessage.objects.get().recipients == 1


def test_only_the_event_of_this_name_and_these_properties(subscribe: Subscribe, make_rule: MakeRule) -> None:
    ada = subscribe().recipient
    large = {"name": "value", "type": "number", "op": "atLeast", "value": 100}
    make_rule({**ORDER, "properties": [large]})
    tell(ada, "order", value=99)
    tell(ada, "insertToBasket", value=100)
    tell(ada, "order", value="100")
    engine.run(seconds=5)
    assert not Run.objects.exists()
    tell(ada, "order", value=100)
    engine.run(seconds=5)
    assert Run.objects.count() == 1


def test_a_basket_is_reminded_of_unless_it_is_ordered(
    double: Any, subscribe: Subscribe, make_rule: MakeRule, work: Work
) -> None:
    forgetful, buyer = subscribe().recipient, subscribe().recipient
    make_rule(BASKET, HOUR, "send", unless=[ORDER], title="Still there")
    for recipient in (forgetful, buyer):
        tell(recipient, "insertToBasket")
    engine.run(seconds=5)
    assert states() == [("waiting", "wait")] * 2
    pass_time(minutes=50)
    tell(buyer, "order")
    engine.run(seconds=5)
    assert Run.objects.get(recipient=buyer).state == "cancelled"
    pass_time(minutes=11)
    engine.run(seconds=5)
    work()
    assert titles(double) == ["Still there"]
    assert Delivery.objects.get().recipient == forgetful


def test_an_order_that_the_reader_has_not_reached_cancels_too(
    subscribe: Subscribe, make_rule: MakeRule
) -> None:
    """The run is looked at again when its time has come, whatever the cursor has read."""
    from signalize_console.automations import advancing

    ada = subscribe().recipient
    make_rule(BASKET, HOUR, "send", unless=[ORDER])
    tell(ada, "insertToBasket")
    engine.run(seconds=5)
    pass_time(hours=1, minutes=1)
    tell(ada, "order")
    advancing.advance()
    assert states() == [("cancelled", "unless")]


@pytest.mark.parametrize(
    ("reentry", "expected"),
    [
        ("always", [("waiting", "wait"), ("waiting", "wait")]),
        ("single", [("waiting", "wait")]),
        ("restart", [("dropped", "restarted"), ("waiting", "wait")]),
        ("once", [("waiting", "wait")]),
    ],
)
def test_reentry(subscribe: Subscribe, make_rule: MakeRule, reentry: str, expected: Any) -> None:
    ada = subscribe().recipient
    make_rule(BASKET, HOUR, "send", reentry=reentry)
    for _time in range(2):
        tell(ada, "insertToBasket")
        engine.run(seconds=5)
    assert states() == expected


def test_once_is_once_and_single_begins_anew(subscribe: Subscribe, make_rule: MakeRule) -> None:
    ada = subscribe().recipient
    once, single = make_rule(ORDER, reentry="once"), make_rule(ORDER, reentry="single")
    for _time in range(2):
        tell(ada, "order")
        engine.run(seconds=5)
    assert Run.objects.filter(rule=once).count() == 1
    assert Run.objects.filter(rule=single).count() == 2


def test_who_is_not_subscribed_or_not_in_the_segment_gets_no_run(
    subscribe: Subscribe, make_rule: MakeRule
) -> None:
    german, english, gone = subscribe(language="de"), subscribe(language="en"), subscribe(language="de")
    Subscription.objects.filter(pk=gone.pk).end(SubscriptionState.UNSUBSCRIBED, "visitor")
    make_rule(ORDER, **{"if": {"field": "language", "op": "equals", "value": "de"}})
    for one in (german, english, gone):
        tell(one.recipient, "order")
    engine.run(seconds=5)
    assert [run.recipient_id for run in Run.objects.all()] == [german.recipient_id]


def test_waiting_for_an_event_or_a_timeout(
    double: Any, subscribe: Subscribe, make_rule: MakeRule, work: Work
) -> None:
    paid, late = subscribe().recipient, subscribe().recipient
    waits = {
        "wait": {"event": {"kind": "event", "name": "paid"}, "timeout": {"hours": 2}, "onTimeout": "end"}
    }
    make_rule(ORDER, waits, "send", title="Thank you")
    for recipient in (paid, late):
        tell(recipient, "order")
    engine.run(seconds=5)
    pass_time(hours=1)
    tell(paid, "paid")
    engine.run(seconds=5)
    work()
    assert titles(double) == ["Thank you"]
    pass_time(hours=1, minutes=1)
    engine.run(seconds=5)
    assert [run.why for run in Run.objects.filter(recipient=late)] == ["timed_out"]


def test_what_an_outage_made_late_is_held_until_a_person_releases_it(
    double: Any, subscribe: Subscribe, make_rule: MakeRule, work: Work
) -> None:
    ada = subscribe().recipient
    rule = make_rule(BASKET, HOUR, "send", late_after=datetime.timedelta(hours=2), reentry="always")
    tell(ada, "insertToBasket")
    engine.run(seconds=5)
    tell(ada, "insertToBasket")  # nobody reads on any more
    pass_time(hours=4)
    engine.run(seconds=5)
    work()
    assert states() == [("held", "late"), ("held", "late")]
    assert not double.received
    assert rules.release(rule) == 2
    engine.run(seconds=5)
    pass_time(hours=1)
    engine.run(seconds=5)
    work()
    assert len(double.received) == 2


def test_a_deleted_template_holds_the_runs_and_says_so(subscribe: Subscribe, make_rule: MakeRule) -> None:
    ada = subscribe().recipient
    rule = make_rule(ORDER)
    MessageTemplate.objects.all().delete()
    tell(ada, "order")
    engine.run(seconds=5)
    rule.refresh_from_db()
    assert states() == [("held", "template_gone")]
    assert "template was deleted" in rule.trouble


def test_a_definition_that_this_release_cannot_read_holds_its_own_runs_only(
    double: Any, subscribe: Subscribe, make_rule: MakeRule, work: Work
) -> None:
    ada = subscribe().recipient
    broken, fine = make_rule(BASKET, HOUR, "send"), make_rule(BASKET, HOUR, "send", title="Fine")
    tell(ada, "insertToBasket")
    engine.run(seconds=5)
    RuleVersion.objects.filter(rule=broken).update(definition={"when": {"kind": "dream"}, "steps": []})
    pass_time(hours=2)
    engine.run(seconds=5)
    work()
    broken.refresh_from_db()
    assert titles(double) == ["Fine"]
    assert dict(Run.objects.values_list("rule", "state")) == {broken.pk: "held", fine.pk: "finished"}
    assert "$.when.kind" in broken.trouble


def test_one_without_a_value_doesnt_stop_the_others(
    double: Any, subscribe: Subscribe, make_rule: MakeRule, work: Work
) -> None:
    named, nameless = subscribe(attributes={"name": "Ada"}).recipient, subscribe().recipient
    make_rule(ORDER, title="Dear {{ name }}")
    tell(nameless, "order")
    tell(named, "order")
    engine.run(seconds=5)
    work()
    assert titles(double) == ["Dear Ada"]
    assert Run.objects.get(recipient=nameless).why == "value_missing"
    assert PushMessage.objects.count() == 1


def test_switched_off_means_nothing_more(subscribe: Subscribe, make_rule: MakeRule) -> None:
    ada = subscribe().recipient
    rule = make_rule(BASKET, HOUR, "send")
    tell(ada, "insertToBasket")
    engine.run(seconds=5)
    rule.switch(on=False)
    tell(ada, "insertToBasket")
    pass_time(hours=2)
    engine.run(seconds=5)
    assert states() == [("dropped", "switched_off")]
    rule.switch(on=True)
    engine.run(seconds=5)
    assert len(states()) == 1


def test_who_is_under_way_stays_on_their_version(
    double: Any, subscribe: Subscribe, make_rule: MakeRule, work: Work
) -> None:
    ada = subscribe().recipient
    rule = make_rule(BASKET, HOUR, "send", title="Old")
    tell(ada, "insertToBasket")
    engine.run(seconds=5)
    new = make_template(rule.website, "New")
    rules.save(rule, {"when": BASKET, "steps": [{"send": {"template": new.pk}}]})
    pass_time(hours=2)
    engine.run(seconds=5)
    tell(ada, "insertToBasket")
    engine.run(seconds=5)
    work()
    assert titles(double) == ["New", "Old"]
    assert [version.number for version in rule.versions.all()] == [2, 1]


def test_pages_interests_attributes_and_subscribing_trigger_too(
    subscribe: Subscribe, make_rule: MakeRule
) -> None:
    ada = subscribe().recipient
    gold = {"type": "text", "op": "equals", "value": "gold"}
    kinds: dict[str, Rule] = {
        "page": make_rule({"kind": "page", "path": "/sale/*"}),
        "interest": make_rule({"kind": "interest", "name": "bulbs"}),
        "attribute": make_rule({"kind": "attribute", "name": "status", "value": gold}),
        "subscribed": make_rule({"kind": "subscribed"}),
    }
    website = kinds["page"].website
    for page in ("/sale", "/sale/tulips", "/salex/1"):
        events.record_of_page(website, ada.client_id, [Happened(EventKind.PAGE_VIEW, "", {"page": page})])
    for status, interests in (("silver", ["seeds"]), ("gold", ["bulbs", "seeds"]), ("gold", ["bulbs"])):
        with changes.noted(website.pk, [ada.client_id]):
            ada.attributes, ada.interests = {"status": status}, interests
            ada.save()
    events.record(EventKind.SUBSCRIBED, ada)
    engine.run(seconds=5)
    assert {name: Run.objects.filter(rule=rule).count() for name, rule in kinds.items()} == dict.fromkeys(
        kinds, 1
    )


def test_the_more_important_rule_goes_first(subscribe: Subscribe, make_rule: MakeRule) -> None:
    ada = subscribe().recipient
    make_rule(ORDER, priority=1, title="Less")
    make_rule(ORDER, priority=5, title="More")
    tell(ada, "order")
    engine.run(seconds=5)
    assert sorted(Run.objects.values_list("rule__priority", "why")) == [(1, "yields"), (5, "")]
    pass_time(minutes=2)
    engine.run(seconds=5)
    assert PushMessage.objects.count() == 2


def test_another_website_has_nothing_to_do_with_it(subscribe: Subscribe, make_rule: MakeRule) -> None:
    from tests.makers import make_recipient, make_subscription

    make_rule(ORDER)
    other = make_website(name="Other")
    stranger = make_subscription(other, recipient=make_recipient(other)).recipient
    tell(stranger, "order")
    engine.run(seconds=5)
    assert not Run.objects.exists()


def test_a_template_with_two_texts_is_tried_until_one_is_better_for_sure(
    double: Any, subscribe: Subscribe, make_rule: MakeRule, work: Work
) -> None:
    """Fewer clicks than that, and chance could have done it: both go on."""
    people = [subscribe().recipient for _ in range(80)]
    rule = make_rule(ORDER, title="First", reentry="always")
    second = TemplateText(template=MessageTemplate.objects.get(), variant="B", standard=True)
    second.language, second.title, second.link = "en", "Second", "https://shop.example/"
    second.save()

    def order() -> None:
        for one in people:
            tell(one, "order")
        engine.run(seconds=5)
        work()

    def click(variant: str, count: int) -> None:
        for one in Delivery.objects.filter(variant=variant, state="accepted").order_by("pk")[:count]:
            reports.report(tokens.make(one.pk, one.day), "clicked")

    order()
    assert set(titles(double)) == {"First", "Second"}
    click("A", 5)
    click("B", 8)
    comparing.decide()
    assert not StepWinner.objects.exists()

    click("B", 25)
    comparing.decide()
    comparing.decide()
    assert [(one.step, one.variant) for one in StepWinner.objects.all()] == [(0, "B")]
    double.received.clear()
    order()
    assert titles(double) == ["Second"] * len(people)
    assert comparing.tried([rule.version])[rule.version_id][0]["B"].clicked == 25
