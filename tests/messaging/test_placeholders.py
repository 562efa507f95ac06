"""Placeholders: only a name and a fallback; everything else stays text."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from signalize_console.messaging.placeholders import (
    MissingValue,
    Placeholder,
    fill,
    fill_link,
    parts,
    placeholders,
    validate_text_link,
)

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
FALLBACKS = st.none() | st.text(st.characters(codec="utf-8", exclude_characters='"{}'), max_size=20)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="{}"), max_size=20)
VALUES = st.text(min_size=1, max_size=20) | st.integers() | st.booleans()


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Hello {{ name }}", "Hello Ada"),
        ("Hello {{name}}", "Hello Ada"),
        ('Hello {{ nobody | "you" }}', "Hello you"),
        ('Hello {{ nobody | "" }}!', "Hello !"),
        ('{{ name | "you" }}{{ name }}', "AdaAda"),
        ("{{ count }} {{ price }} {{ yes }}", "3 59.9 true"),
        ('{{ empty | "none" }} {{ null | "none" }}', "none none"),
        ("{{ whole }}", "60"),
        ("{{ loop }}", "{{ loop }}"),
    ],
)
def test_it_fills_in_values_and_fallbacks(text: str, filled: str) -> None:
    values = {
        "name": "Ada", "count": 3, "price": 59.9, "yes": True, "empty": "", "null": None, "whole": 60.0,
        "loop": "{{ loop }}",
    }  # fmt: skip
    assert fill(text, values) == filled


@pytest.mark.parametrize(
    "text",
    [
        "{{ settings.SECRET_KEY }}",
        "{{ name|upper }}",
        "{{ name() }}",
        "{{ name['x'] }}",
        "{% debug %}",
        "{{ }}",
        "{{ 1name }}",
        "{ name }",
        "{{ name",
        "{{ name | fallback }}",
        "{{ __class__.__mro__ }}",
        "{{ name\n}}",
        "${name} %(name)s {name}",
    ],
)
def test_everything_else_stays_text(text: str) -> None:
    assert fill(text, {"name": "Ada", "settings": "x", "__class__": "x"}) == text
    assert placeholders([text]) == []


def test_a_value_that_is_missing_is_named() -> None:
    with pytest.raises(MissingValue, match="order"):
        fill("{{ name }} {{ order }}", {"name": "Ada"})


@given(st.lists(st.tuples(WORDS, NAMES, FALLBACKS), max_size=5), WORDS, st.dictionaries(NAMES, VALUES))
def test_it_does_as_the_oracle_does(
    pieces: list[tuple[str, str, str | None]], end: str, values: dict[str, object]
) -> None:
    written, expected, missing = "", "", False
    for word, name, fallback in pieces:
        written += word + ("{{ " + name + " }}" if fallback is None else f'{{{{ {name} | "{fallback}" }}}}')
        value = values.get(name, fallback)
        missing |= value is None
        said = str(value).lower() if isinstance(value, bool) else str(value)
        expected += word + said
    if missing:
        with pytest.raises(MissingValue):
            fill(written + end, values)
    else:
        assert fill(written + end, values) == expected + end


@given(st.text(max_size=60))
@example("{{{{a}}}}")
@example('{{ a | "x" }}' * 3)
def test_taken_apart_it_is_still_the_whole_text(text: str) -> None:
    """Nothing is lost of any text, and no text makes the parser fail."""
    again = "".join(
        part
        if isinstance(part, str)
        else "{{" + part.name + ("" if part.fallback is None else f'|"{part.fallback}"') + "}}"
        for part in parts(text)
    )
    assert parts(again) == parts(text)


@given(VALUES)
def test_a_value_in_a_link_stays_one_value(value: object) -> None:
    filled = fill_link("https://shop.example/a/{{x}}?b={{x}}#c", {"x": value})
    assert filled.startswith("https://shop.example/a/")
    path, _separator, rest = filled.removeprefix("https://shop.example/a/").partition("?b=")
    assert rest == f"{path}#c"
    assert not set(path) & set("/?#&= ")


@pytest.mark.parametrize(
    "link",
    ["https://{{host}}/", "https://shop.example{{port}}/", "{{ link }}", "https://{{u}}@shop.example/"],
)
def test_a_placeholder_does_not_choose_where_a_link_leads(link: str) -> None:
    with pytest.raises(ValidationError):
        validate_text_link(link)


@pytest.mark.parametrize(
    "link", ["https://shop.example/{{ order }}", 'https://shop.example?a={{ a | "b" }}', "https://a.example/"]
)
def test_a_link_may_hold_placeholders_behind_its_host(link: str) -> None:
    validate_text_link(link)


def test_each_placeholder_is_named_once() -> None:
    texts = ['{{ a }} {{ b | "x" }}', "{{ a }}"]
    assert placeholders(texts) == [Placeholder("a", None), Placeholder("b", "x")]
