"""A segment reads as a sentence, and every field and operator has its word."""

from typing import Any

import pytest
from hypothesis import given, settings

from signalize_console.audiences import words
from signalize_console.audiences.fields import FIELDS
from signalize_console.audiences.operators import TYPES
from signalize_console.audiences.sentences import sentence
from signalize_console.audiences.tree import parse
from tests.audiences.test_oracle import trees

NAMES = {"list": {7: "Autumn fair"}, "message": {3: "#3 Sale"}}


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"field": "language", "op": "equals", "value": "de"}, "Language is “de”"),
        ({"field": "platform", "op": "in", "value": ["ios", "macos"]}, "Platform is one of “iOS”, “macOS”"),
        ({"field": "list", "op": "notEquals", "value": 7}, "List is not “Autumn fair”"),
        ({"field": "list", "op": "equals", "value": 8}, "List is 8"),
        ({"field": "customerId", "op": "exists"}, "Customer id is known"),
        (
            {"field": "attribute", "name": "vip", "type": "boolean", "op": "equals", "value": True},
            "Attribute “vip” is yes",
        ),
        (
            {"field": "attribute", "name": "age", "type": "number", "op": "atLeast", "value": 18},
            "Attribute “age” is at least 18",
        ),
        ({"field": "lastVisit", "op": "before", "value": {"daysAgo": 7}}, "Last visit more than 7 days ago"),
        (
            {"field": "lastMessage", "op": "after", "value": {"hoursAgo": 1}},
            "Last message less than 1 hour ago",
        ),
        (
            {"field": "subscribed", "op": "before", "value": "2026-05-01T09:00:00Z"},
            "Subscribed is before “2026-05-01 09:00 UTC”",
        ),
        ({"field": "purchase"}, "Purchases: at least 1"),
        (
            {"field": "purchase", "product": "A-1", "op": "equals", "value": 0, "within": {"days": 30}},
            "Purchases “A-1” in the last 30 days: none",
        ),
        (
            {"field": "messageClicked", "message": 3, "op": "greater", "value": 2},
            "Messages clicked “#3 Sale”: more than 2",
        ),
        (
            {"field": "event", "name": "order", "properties": [{"name": "city", "op": "exists"}]},
            "Event “order” with “city” is known: at least 1",
        ),
        (
            {
                "all": [
                    {"field": "interest", "op": "exists"},
                    {"any": [{"field": "visits"}, {"not": {"field": "pageViews", "page": "/sale"}}]},
                ]
            },
            "Interest is known and (visits: at least 1 or not (page views “/sale”: at least 1))",
        ),
    ],
)
def test_it_says_what_the_tree_says(tree: Any, said: str) -> None:
    parse(tree)
    assert sentence(tree, NAMES) == said


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(trees([3, 4], [7, 8]))
def test_every_segment_can_be_said(tree: dict[str, Any]) -> None:
    parse(tree)
    said = sentence(tree, NAMES)
    assert said
    assert "{" not in said.replace("{x}", "").replace("{a", "")


def test_everything_has_a_word() -> None:
    assert set(words.FIELDS) == set(FIELDS)
    known = {op for field in FIELDS.values() for op in field.operators or {}}
    assert set(words.OPERATORS) == known | {op for operators in TYPES.values() for op in operators}
