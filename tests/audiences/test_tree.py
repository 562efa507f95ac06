"""A segment's JSON is read once; what is wrong with it is told by its path."""

import datetime
from typing import Any

import pytest

from signalize_console.audiences.compiler import compile, compile_frozen, freeze, without
from signalize_console.audiences.tree import BadSegment, parse

AT = datetime.datetime(2026, 5, 1, 12, tzinfo=datetime.UTC)
GERMAN = {"field": "language", "op": "equals", "value": "de"}


def nested(depth: int) -> dict[str, Any]:
    return GERMAN if depth == 1 else {"not": nested(depth - 1)}


@pytest.mark.parametrize(
    ("tree", "paths"),
    [
        (None, ["$"]),
        ([], ["$"]),
        ({}, ["$"]),
        ({"all": []}, ["$.all"]),
        ({"any": GERMAN}, ["$.any"]),
        ({"all": [GERMAN], "any": [GERMAN]}, ["$"]),
        ({"none": [GERMAN]}, ["$"]),
        ({"not": [GERMAN]}, ["$.not"]),
        ({"all": [GERMAN, GERMAN, {**GERMAN, "op": "like"}]}, ["$.all[2].op"]),
        (
            {"all": [{**GERMAN, "value": 1}, {"not": {**GERMAN, "op": 1}}]},
            ["$.all[0].value", "$.all[1].not.op"],
        ),
        ({"field": "age"}, ["$.field"]),
        ({"field": ["language"], "op": "equals"}, ["$.field"]),
        ({"field": "language"}, ["$.op"]),
        ({"field": "language", "op": "equals"}, ["$.value"]),
        ({"field": "language", "op": "exists", "value": True}, ["$.value"]),
        ({**GERMAN, "vale": "x"}, ["$.vale"]),
        ({**GERMAN, "all": [GERMAN]}, ["$.all"]),
        ({"field": "language", "op": "in", "value": []}, ["$.value"]),
        ({"field": "language", "op": "in", "value": ["de", 1]}, ["$.value"]),
        ({"field": "attribute", "op": "equals", "value": "x"}, ["$.name", "$.type"]),
        ({"field": "attribute", "name": "a", "type": "uuid", "op": "equals", "value": "x"}, ["$.type"]),
        ({"field": "attribute", "name": "a", "type": "number", "op": "equals", "value": "1"}, ["$.value"]),
        ({"field": "attribute", "name": "a", "type": "number", "op": "equals", "value": True}, ["$.value"]),
        ({"field": "attribute", "name": "a", "type": "number", "op": "less", "value": 1e300}, ["$.value"]),
        (
            {"field": "attribute", "name": "a", "type": "number", "op": "less", "value": float("nan")},
            ["$.value"],
        ),
        ({"field": "attribute", "name": "a", "type": "text", "op": "greater", "value": "x"}, ["$.op"]),
        ({"field": "attribute", "name": "a\0", "type": "text", "op": "exists"}, ["$.name"]),
        ({"field": "attribute", "name": "a", "type": "text", "op": "equals", "value": "\ud800"}, ["$.value"]),
        (
            {"field": "attribute", "name": "a", "type": "date", "op": "before", "value": "2026-02-30"},
            ["$.value"],
        ),
        (
            {"field": "attribute", "name": "a", "type": "date", "op": "before", "value": {"hoursAgo": 1}},
            ["$.value"],
        ),
        ({"field": "lastVisit", "op": "before", "value": "2026-05-01T09:00:00"}, ["$.value"]),
        ({"field": "lastVisit", "op": "before", "value": "0001-01-01T00:00:00+14:00"}, ["$.value"]),
        ({"field": "lastVisit", "op": "before", "value": {"daysAgo": 1, "hoursAgo": 1}}, ["$.value"]),
        ({"field": "lastVisit", "op": "before", "value": {"daysAgo": 40_000}}, ["$.value"]),
        ({"field": "lastVisit", "op": "before", "value": {"daysAgo": -1}}, ["$.value"]),
        ({"field": "lastVisit", "op": "equals", "value": {"daysAgo": 1}}, ["$.op"]),
        ({"field": "visits", "value": -1}, ["$.value"]),
        ({"field": "visits", "value": 1.5}, ["$.value"]),
        ({"field": "visits", "within": {"weeks": 1}}, ["$.within"]),
        ({"field": "event", "op": "atLeast", "value": 2}, ["$.name"]),
        ({"field": "event", "name": "order", "properties": {}}, ["$.properties"]),
        (
            {"field": "event", "name": "order", "properties": [{"name": "a", "type": "text", "op": "x"}]},
            ["$.properties[0].op"],
        ),
        ({"field": "visits", "properties": []}, ["$.properties"]),
        ({"field": "messageShown", "message": "1"}, ["$.message"]),
        ({"field": "list", "op": "equals", "value": "1"}, ["$.value"]),
        ({"field": "list", "op": "exists"}, ["$.op"]),
        ({"field": "list", "op": "in", "value": [1, 0]}, ["$.value"]),
        ({"field": "lastMessage", "op": "equals", "value": {"daysAgo": 1}}, ["$.op"]),
        ({"field": "pageViews", "page": ""}, ["$.page"]),
        ({"field": "platform", "op": "equals", "value": "amiga"}, ["$.value"]),
        (nested(9), ["$.not.not.not.not.not.not.not.not"]),
    ],
)
def test_each_mistake_is_told_with_its_path(tree: Any, paths: list[str]) -> None:
    with pytest.raises(BadSegment) as refused:
        parse(tree)
    assert [problem.path for problem in refused.value.problems] == paths
    assert all(problem.message for problem in refused.value.problems)


def test_a_segment_is_bounded() -> None:
    parse({"all": [GERMAN] * 50})
    parse(nested(8))
    for tree in (
        {"all": [GERMAN] * 51},
        {"any": [{"all": [GERMAN] * 26}, {"not": {"all": [GERMAN] * 25}}]},
        {"field": "event", "name": "order", "properties": [{"name": "a", "op": "exists"}] * 50},
        {"all": [{"field": "language", "op": "in", "value": ["x" * 1000] * 100}]},
    ):
        with pytest.raises(BadSegment):
            parse(tree)


def test_an_audience_may_be_larger_by_the_segments_that_it_leaves_out() -> None:
    largest = {"all": [GERMAN] * 50}
    audience = without(largest, [largest] * 10)
    with pytest.raises(BadSegment):
        parse(audience)
    assert compile(audience, AT).sql.count("lower(recipient.language)") == 2 * 550
    assert compile_frozen(freeze(audience, AT)) == compile(audience, AT)
    assert without(largest, []) == largest
    with pytest.raises(BadSegment):
        freeze(without(None, [largest] * 13), AT)


def test_a_huge_tree_is_refused_without_reading_all_of_it() -> None:
    with pytest.raises(BadSegment) as refused:
        parse({"all": [{"all": [{**GERMAN, "op": "x"}] * 1000}] * 100})
    assert len(refused.value.problems) < 100
    deep: dict[str, Any] = GERMAN
    for _level in range(2_000):
        deep = {"not": deep}
    with pytest.raises(BadSegment):
        parse(deep)


def test_nothing_of_a_segment_stands_in_the_sql() -> None:
    evil = "'); DROP TABLE recipients_recipient; --"
    tree = {
        "any": [
            {"field": "attribute", "name": evil, "type": "text", "op": "equals", "value": evil},
            {
                "field": "event",
                "name": evil,
                "properties": [{"name": evil, "type": "text", "op": "contains", "value": evil}],
            },
            {"field": "interest", "op": "in", "value": [evil]},
            {"field": "purchase", "product": evil},
        ]
    }
    compiled = compile(tree, AT)
    assert "DROP" not in compiled.sql
    assert sum("DROP" in str(value) for value in compiled.values.values()) == 7
