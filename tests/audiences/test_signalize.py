"""Signalize's segmentFilter becomes a segment."""

from typing import Any

import pytest

from signalize_console.audiences.signalize import from_segment_filter
from signalize_console.audiences.tree import BadSegment


def translated(name: str, operator: str, value: str) -> Any:
    tree = from_segment_filter({"segments": [{"name": name, "operator": operator, "value": value}]})
    (condition,) = tree["all"]
    return condition


def test_the_published_sample_is_an_interest() -> None:
    assert translated("custom_segment_SIGNALIZE_INTEREST", "CONTAINS", "Thema 1") == {
        "field": "interest",
        "op": "equals",
        "value": "Thema 1",
    }


def test_other_names_are_attributes_and_words() -> None:
    attribute = {"field": "attribute", "name": "city"}
    assert translated("custom_segment_CITY", "CONTAINS", "Berlin") == {
        **attribute, "type": "text", "op": "contains", "value": "Berlin"
    }  # fmt: skip
    assert translated("custom_segment_CITY", "GREATER", "4.5")["value"] == 4.5
    assert translated("custom_segment_CITY", "NOT_EQUALS", "7") == {
        "not": {
            "any": [
                {**attribute, "type": "text", "op": "equals", "value": "7"},
                {**attribute, "type": "number", "op": "equals", "value": 7},
            ]
        }
    }
    assert translated("language", "EQUALS", "de") == {"field": "language", "op": "equals", "value": "de"}


@pytest.mark.parametrize(
    ("segment", "path"),
    [
        ({"name": "custom_segment_A", "operator": "LIKE", "value": "x"}, "$.segments[0].operator"),
        ({"name": "custom_segment_A", "operator": "GREATER", "value": "x"}, "$.segments[0].value"),
        ({"name": "segment_A", "operator": "EQUALS", "value": "x"}, "$.segments[0].name"),
        ({"name": "custom_segment_A", "operator": "EQUALS"}, "$.segments[0]"),
        ({"name": "custom_segment_A", "operator": "EQUALS", "value": 1}, "$.segments[0].value"),
        ({"name": "custom_segment_A", "operator": "EQUALS", "value": "x", "more": 1}, "$.segments[0]"),
        ("x", "$.segments[0]"),
    ],
)
def test_mistakes_are_told_by_the_filters_own_paths(segment: Any, path: str) -> None:
    with pytest.raises(BadSegment) as refused:
        from_segment_filter({"segments": [segment]})
    assert [problem.path for problem in refused.value.problems] == [path]


@pytest.mark.parametrize(
    "broken", [None, [], {}, {"segments": []}, {"segments": {}}, {"segments": [1], "op": "OR"}]
)
def test_an_empty_filter_is_never_everyone(broken: Any) -> None:
    with pytest.raises(BadSegment):
        from_segment_filter(broken)
