"""Generated segments over generated recipients: the SQL and a plain evaluation in Python agree."""

from collections import Counter
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from signalize_console.audiences import counting
from signalize_console.audiences.compiler import compile
from signalize_console.audiences.fields import FIELDS
from signalize_console.messaging.models import PushMessage
from tests.audiences import oracle, worlds
from tests.audiences.worlds import AT, World

pytestmark = pytest.mark.django_db
COMPARISONS = ["equals", "notEquals", "greater", "less", "atLeast", "atMost"]
texts = st.sampled_from([text for text in worlds.TEXTS if text])
numbers = st.sampled_from(worlds.NUMBERS)
days = st.sampled_from(worlds.DAYS) | st.sampled_from([{"daysAgo": 7}, {"daysAhead": 7}, {"daysAgo": 0}])
times = st.sampled_from(
    [
        AT.isoformat(),
        "2026-04-30T14:00:00+02:00",
        {"daysAgo": 1},
        {"hoursAgo": 5},
        {"daysAhead": 1},
        {"daysAgo": 7},
    ]
)
periods = st.sampled_from([{"hours": 1}, {"days": 1}, {"days": 7}, {"hours": 0}])


def condition(field: str, **members: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Members that end in _ may be left out."""
    needs = {name: value for name, value in members.items() if not name.endswith("_")}
    takes = {name.rstrip("_"): value for name, value in members.items() if name.endswith("_")}
    return st.fixed_dictionaries({"field": st.just(field), **needs}, optional=takes)


def facts(field: str | None, kind: str, value: Any, *ops: str) -> st.SearchStrategy[dict[str, Any]]:
    named = {"name": st.sampled_from(worlds.NAMES), "type": st.just(kind)}
    if field:
        named["field"] = st.just(field)
    alone = st.fixed_dictionaries({**named, "op": st.just("exists")})
    compared = st.fixed_dictionaries({**named, "op": st.sampled_from(ops), "value": value})
    if kind not in {"text", "number"}:
        return alone | compared
    listed = st.fixed_dictionaries(
        {**named, "op": st.just("in"), "value": st.lists(value, min_size=1, max_size=3)}
    )
    return alone | compared | listed


def json_facts(field: str | None) -> st.SearchStrategy[dict[str, Any]]:
    return (
        facts(field, "text", texts, "equals", "notEquals", "contains")
        | facts(field, "number", numbers, *COMPARISONS)
        | facts(field, "boolean", st.booleans(), "equals", "notEquals")
        | facts(field, "date", days, "equals", "before", "after")
    )


def word(field: str, known: list[str], *ops: str) -> st.SearchStrategy[dict[str, Any]]:
    values = st.sampled_from([one for one in known if one])
    listed = condition(field, op=st.just("in"), value=st.lists(values, min_size=1, max_size=2))
    alone = condition(field, op=st.just("exists"))
    compared = condition(field, op=st.sampled_from([op for op in ops if op != "exists"]), value=values)
    return listed | compared | alone if "exists" in ops else listed | compared


def counted(field: str, **members: Any) -> st.SearchStrategy[dict[str, Any]]:
    often = {"op": st.sampled_from(COMPARISONS), "value": st.integers(0, 4)}
    return condition(field, within_=periods, **often, **members) | condition(
        field, within_=periods, **members
    )


def conditions(message_ids: list[int], list_ids: list[int]) -> list[st.SearchStrategy[dict[str, Any]]]:
    message, listed = st.sampled_from(message_ids), st.sampled_from(list_ids)
    product = st.sampled_from(worlds.PRODUCTS)
    event = {"name": st.sampled_from(worlds.EVENTS), "properties_": st.lists(json_facts(None), max_size=2)}
    return [
        json_facts("attribute"),
        word("interest", worlds.INTERESTS, "equals", "exists"),
        word("language", worlds.LANGUAGES, "equals", "notEquals", "exists"),
        word("customerId", worlds.CUSTOMERS, "equals", "exists"),
        word("platform", worlds.PLATFORMS, "equals", "notEquals"),
        word("pushService", worlds.SERVICES, "equals", "notEquals"),
        *(
            condition(field, op=st.sampled_from(["before", "after"]), value=times)
            for field in ("subscribed", "firstVisit", "lastVisit", "lastMessage")
        ),
        counted("visits"),
        counted("pageViews", page_=st.sampled_from(["/", "Sale", "%_", "shoes"])),
        condition("list", op=st.sampled_from(["equals", "notEquals"]), value=listed),
        condition("list", op=st.just("in"), value=st.lists(listed, min_size=1, max_size=2)),
        counted("event", **event),
        counted("purchase", product_=product),
        condition(
            "purchaseValue",
            op=st.sampled_from(COMPARISONS),
            value=st.sampled_from([0, 2.5, 10, 99.9, 12.5]),
            within_=periods,
            product_=product,
        ),
        *(
            counted(field, message_=message)
            for field in ("messageShown", "messageClicked", "messageClosed", "messageAccepted")
        ),
    ]


def trees(message_ids: list[int], list_ids: list[int]) -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        st.one_of(*conditions(message_ids, list_ids)),
        lambda inner: (
            st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)})
            | st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)})
            | st.fixed_dictionaries({"not": inner})
        ),
        max_leaves=8,
    )


def reached(world: World, tree: dict[str, Any]) -> list[int]:
    compiled = compile(tree, AT)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT subscription.id {counting.REACHED} {compiled.sql}",
            {**compiled.values, "website": world.website.pk},
        )
        return sorted(one for (one,) in cursor.fetchall())


@pytest.mark.parametrize("seed", range(4))
def test_the_sql_agrees_with_the_plain_meaning(seed: int) -> None:
    world = World(seed)
    used: Counter[str] = Counter()

    @settings(max_examples=150, deadline=None, database=None, derandomize=True)
    @given(trees([message.pk for message in world.messages], [one.pk for one in world.lists]))
    def agrees(tree: dict[str, Any]) -> None:
        expected = sorted(one.subscription.pk for one in world.known if oracle.holds(tree, one))
        assert reached(world, tree) == expected
        used["some" if 0 < len(expected) < len(world.known) else "all or none"] += 1

    agrees()
    assert used["some"] > 60


def test_each_field_divides_the_recipients() -> None:
    """Each field alone, with both answers met: no condition is always true or never."""
    world = World(99)
    message_ids = list(PushMessage.objects.filter(website=world.website).values_list("pk", flat=True))
    divided: set[str] = set()

    for strategy in conditions(message_ids, [one.pk for one in world.lists]):

        @settings(max_examples=40, deadline=None, database=None, derandomize=True)
        @given(strategy)
        def agrees(tree: dict[str, Any]) -> None:
            expected = sorted(one.subscription.pk for one in world.known if oracle.holds(tree, one))
            assert reached(world, tree) == expected
            if 0 < len(expected) < len(world.known):
                divided.add(tree["field"])

        agrees()
    assert divided == set(FIELDS)
