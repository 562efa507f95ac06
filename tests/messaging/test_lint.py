"""What is remarked before a message goes out, and where."""

from typing import Any

import pytest

from signalize_console.messaging import coverage
from signalize_console.messaging.lint import Remark, remarks
from signalize_console.messaging.media import Media
from signalize_console.websites.models import Website
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db


@pytest.fixture
def website() -> Website:
    return make_website()


def said(website: Website, texts: Any = None, **fields: Any) -> list[Remark]:
    return remarks(make_message(website, **fields), texts or [make_text()], website)


def test_a_good_message_has_none(website: Website) -> None:
    assert said(website) == []


@pytest.mark.parametrize(
    ("words", "field", "sentence"),
    [
        ({"title": "EVERYTHING MUST GO"}, "title", "Capitals"),
        ({"message": "BUY THIS NOW, it's cheap: BUY BUY BUY"}, "message", "Capitals"),
        ({"title": "Hurry!!!"}, "title", "spam"),
        ({"message": "Really??"}, "message", "spam"),
        ({"title": "Hello {{ user.name }}"}, "title", "braces"),
        ({"message": "{% now %}"}, "message", "braces"),
        ({"title": "x" * 31}, "title", "Android, iPhone"),
        ({"message": "y" * 201}, "message", "Firefox"),
        ({"message": ""}, "message", "title only"),
        ({"first_button": "A label that no button shows"}, "first_button", "20 characters"),
        ({"second_button_link": "https://shop.example/"}, "second_button", "no label"),
        ({"link": "http://shop.example/"}, "link", "https"),
        ({"link": "https://elsewhere.example/"}, "link", "elsewhere.example"),
        ({"link": "https://shop.example:444/"}, "link", "own origins"),
        ({"first_button": "Go", "first_button_link": "https://b.example/"}, "first_button_link", "b.example"),
    ],
)
def test_each_remark_names_its_field(
    website: Website, words: dict[str, str], field: str, sentence: str
) -> None:
    text = make_text(**words)
    found = [one for one in said(website, [text]) if sentence in one.sentence]
    assert [(one.field, one.text) for one in found] == [(field, text)]


@pytest.mark.parametrize(
    "words",
    [
        {"title": "NASA lands"},
        {"title": "SALE"},
        {"title": "Really?", "message": "Yes!"},
        {"title": 'Hello {{ name | "you" }}', "message": "{{ name }}, look"},
        {"link": "https://shop.example/a?b=c#d"},
    ],
)
def test_what_is_fine_is_left_alone(website: Website, words: dict[str, str]) -> None:
    make_subscription(website, recipient=make_recipient(website, attributes={"name": "Ada"}))
    assert said(website, [make_text(**words)]) == []


def test_placeholders_are_checked_against_real_recipients(website: Website) -> None:
    for number in range(12):
        attributes = {"name": "Ada", "size": ""} if number % 2 else {"size": None}
        make_subscription(website, recipient=make_recipient(website, attributes=attributes))
    make_recipient(website, attributes={"name": "not subscribed"})
    text = make_text(title="{{ name }}", message='{{ size | "M" }}')

    found = [(one.sentence, one.field, one.is_serious) for one in said(website, [text])]

    assert [(field, serious) for _said, field, serious in found] == [("title", True), ("message", False)]
    assert "5 of the 10 newest recipients have no value for name" in found[0][0]
    assert "10 of the 10 newest recipients have no value for size" in found[1][0]


def test_names_are_those_that_recipients_really_have(website: Website) -> None:
    for attributes in ({"name": "A", "city": "B"}, {"name": "C"}, {"not a name": 1, "1st": 2}, [1]):
        make_subscription(website, recipient=make_recipient(website, attributes=attributes))
    other = make_website(name="Other")
    make_subscription(other, recipient=make_recipient(other, attributes={"secret": 1}))
    assert coverage.names(website) == ["name", "city"]


def test_what_is_asked_of_recipients_takes_two_queries(
    website: Website, django_assert_num_queries: Any
) -> None:
    text = make_text(title="{{ a }} {{ b }} {{ c }}")
    with django_assert_num_queries(1):
        said(website, [text] * 3)
    with django_assert_num_queries(2):
        said(website, [text], image="https://shop.example/media/x.png")


def test_pictures_of_the_library_are_judged(website: Website) -> None:
    for name, width, height, weight in (("a", 300, 900, 900_000), ("b", 1440, 720, 1_000)):
        Media.objects.create(
            website=website,
            kind="image",
            name=name,
            file_name=f"{name * 40}.jpg",
            width=width,
            height=height,
            weight=weight,
        )
    tall, good = (f"https://push.example/media/{name * 40}.jpg" for name in "ab")
    assert [one.field for one in said(website, image=tall)] == ["image", "image"]
    assert said(website, image=good) == []
    assert [one.sentence for one in said(website, icon=good)] == [
        "This picture isn't a square: it is cut or squeezed."
    ]
    as_icon = said(website, icon=tall)
    assert [one.sentence.split(":")[0] for one in as_icon] == [
        "This picture weighs 878.9\xa0KB",
        "This picture isn't a square",
    ]
    assert "at most 97.7\xa0KB" in as_icon[0].sentence
    assert (
        "read aloud"
        in said(website, [make_text(message="")], image=good)[-1].sentence
        + said(website, [make_text(message="")], image=good)[0].sentence
    )


def test_what_no_push_service_carries_is_said(website: Website) -> None:
    found = said(website, [make_text(message="漢" * 1000)])
    assert "Shorten" in found[0].sentence


def test_serious_ones_come_first(website: Website) -> None:
    found = said(website, [make_text(title="x" * 40), make_text(language="de", title="Los!!!")])
    assert [one.is_serious for one in found] == [True, False]
