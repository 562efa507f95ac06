"""How a website asks: ready-made, in the visitor's language, readable, and each text under a version."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from signalize_console.websites import asking
from signalize_console.websites.colours import contrast
from signalize_console.websites.models import ConsentText, Interest, OptIn, OptInText, Website
from tests.makers import make_website

pytestmark = pytest.mark.django_db


@pytest.fixture
def website() -> Website:
    return make_website()


@pytest.fixture
def opt_in(website: Website) -> OptIn:
    return asking.opt_in_of(website)


def test_it_is_ready_but_off(website: Website) -> None:
    assert asking.rules(website) is None

    opt_in = asking.opt_in_of(website)

    assert not opt_in.is_on
    assert asking.rules(website) is None
    assert [text.language for text in opt_in.texts.all()] == ["en", "de"]
    assert opt_in.weak_colours() == []
    assert asking.opt_in_of(website) == opt_in
    assert OptInText.objects.count() == 2
    OptIn.objects.update(is_on=True)
    assert asking.rules(website) == {"kind": "dialog", "trigger": "seconds", "after": 5, "paths": []}


@pytest.mark.parametrize(
    ("language", "spoken"), [("de", "de"), ("de-AT", "de"), ("DE", "de"), ("fr", "en"), ("", "en")]
)
def test_it_speaks_the_visitors_language_or_the_standard_one(
    website: Website, opt_in: OptIn, language: str, spoken: str
) -> None:
    Interest.objects.create(opt_in=opt_in, key="sale", name="Sale", names={"de": "Angebote"})

    asked = asking.asked(website, language)

    assert asked["language"] == spoken
    assert asked["interests"] == [{"key": "sale", "name": {"de": "Angebote", "en": "Sale"}[spoken]}]
    assert asked["words"]["yes"] == {"de": "Ja, gern", "en": "Yes, please"}[spoken]
    assert asked["textVersion"] == 1


def test_a_changed_text_gets_a_new_version_and_the_old_one_stays(website: Website, opt_in: OptIn) -> None:
    before = ConsentText.objects.get()
    assert asking.publish(opt_in) == 1

    OptIn.objects.update(accent="#000000")
    assert asking.publish(opt_in) == 1
    OptInText.objects.filter(language="en").update(title="News?")
    assert asking.publish(opt_in) == 2
    Interest.objects.create(opt_in=opt_in, key="sale", name="Sale")
    assert asking.publish(opt_in) == 3

    before.refresh_from_db()
    assert before.said["texts"]["en"]["title"] == "May we tell you when there is news?"
    assert [text.version for text in website.consent_texts.all()] == [3, 2, 1]
    assert asking.asked(website, "en")["textVersion"] == 3


def test_there_is_one_standard_text_and_one_a_language(opt_in: OptIn) -> None:
    for fields in ({"language": "fr", "standard": True}, {"language": "de"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            OptInText.objects.create(opt_in=opt_in, title="x", yes="y", no="n", **fields)


@pytest.mark.parametrize("path", ["/", "/shop/", "/shop/*", "/a-b_c.html", "/ümlaut/*"])
def test_it_takes_paths(opt_in: OptIn, path: str) -> None:
    opt_in.paths = [path]
    opt_in.full_clean()


@pytest.mark.parametrize("path", ["shop", "https://shop.example/", "/a b", "/a*b", "/<script>", "/?q=1"])
def test_it_refuses_what_is_no_path(opt_in: OptIn, path: str) -> None:
    opt_in.paths = [path]
    with pytest.raises(ValidationError, match="isn't a path"):
        opt_in.full_clean()


@pytest.mark.parametrize(
    ("field", "value"),
    [("accent", "red"), ("accent", "#12345"), ("ink", "#000000;"), ("logo", "javascript:alert(1)"), ("kind", "popup")],
)  # fmt: skip
def test_it_refuses_bad_looks(opt_in: OptIn, field: str, value: str) -> None:
    setattr(opt_in, field, value)
    with pytest.raises(ValidationError):
        opt_in.full_clean()


@pytest.mark.parametrize(("trigger", "most"), [("seconds", 3600), ("pages", 100), ("scroll", 100)])
def test_how_many_has_an_end(opt_in: OptIn, trigger: str, most: int) -> None:
    opt_in.trigger, opt_in.after = trigger, most
    opt_in.full_clean()
    opt_in.after = most + 1
    with pytest.raises(ValidationError, match=f"At most {most}"):
        opt_in.full_clean()


def test_contrast_is_counted_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


def test_weak_colours_are_named(opt_in: OptIn) -> None:
    opt_in.ink, opt_in.dark_accent = "#777777", "#333333"

    text, buttons = opt_in.weak_colours()

    assert "text is hard to read in the light look" in text
    assert "buttons are hard to see in the dark look" in buttons
