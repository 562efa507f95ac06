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


TRICKY = st.lists(
    st.sampled_from(
        [
            *(
                "{",
                "}",
                "{{",
                "}}",
                "{{{",
                "|",
                '"',
                " ",
                "\t",
                "\n",
                ".",
                "(",
                ")",
                "[",
                "]",
                "%",
                "'",
                "\\",
            ),
            *("name", "settings", "SECRET_KEY", "__class__", "a", "1", "é", "upper", "\u200b", "{{ name }}"),
            *('{{ name | "x" }}', "{{ settings.SECRET_KEY }}", '"}}', "{% load x %}"),
        ]
    ),
    max_size=25,
).map("".join)


def read_by_hand(text: str, at: int) -> tuple[str, str | None, int] | None:
    """An independent reader of one placeholder at a place: name, fallback and where it ends."""

    def skip(place: int) -> int:
        while text[place : place + 1] in {" ", "\t"}:
            place += 1
        return place

    if not text.startswith("{{", at):
        return None
    start = end = skip(at + 2)
    while end < len(text) and text[end].isascii() and (text[end].isalnum() or text[end] == "_"):
        end += 1
    name, end = text[start:end], skip(end)
    if not name or name[0].isdigit() or len(name) > 64:
        return None
    fallback = None
    if text[end : end + 1] == "|":
        opening = skip(end + 1)
        closing = text.find('"', opening + 1)
        if text[opening : opening + 1] != '"' or closing < 0:
            return None
        fallback, end = text[opening + 1 : closing], skip(closing + 1)
        if set(fallback) & {"{", "}"} or len(fallback) > 200:
            return None
    return (name, fallback, end + 2) if text.startswith("}}", end) else None


class Recorder(dict):
    """Values for every name, which remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def get(self, name: str, default: object = None) -> object:
        self.asked.append(name)
        return f"<{name}>"


@given(TRICKY | st.text(max_size=60))
@example("{{ settings.SECRET_KEY }}")
@example('{{ a | "}} {{ b }}" }}')
@example("{{{ name }}}")
def test_nothing_but_a_name_and_a_fallback_is_ever_interpreted(text: str) -> None:
    """Read by hand, character by character, the same names are asked for, and the rest of the text stays."""
    expected, names, at = "", [], 0
    while at < len(text):
        if found := read_by_hand(text, at):
            names.append(found[0])
            expected += f"<{found[0]}>"
            at = found[2]
        else:
            expected += text[at]
            at += 1
    values = Recorder()
    assert fill(text, values) == expected
    assert values.asked == names


@given(TRICKY)
def test_a_value_is_never_read_again(value: str) -> None:
    if value:
        assert fill("{{ a }}", {"a": value, "name": "!", "settings": "!"}) == value
