"""The opt-in's door, called by strangers: texts, the iPhone's manifest, and words in every language."""

import json
from typing import Any

import pytest
from django.test import Client

from signalize_console.browser.words import OPT_IN, PREFERENCES, words
from signalize_console.websites import asking
from signalize_console.websites.models import OptIn, Website
from tests.makers import ORIGIN, make_website

pytestmark = pytest.mark.django_db


@pytest.fixture
def website() -> Website:
    return make_website()


def get(website: Website, path: str, origin: str | None = ORIGIN) -> Any:
    headers = {"Origin": origin} if origin else {}
    return Client().get(f"/browser/{website.secure_code}/{path}", headers=headers)


def test_a_page_learns_the_rules_only_where_it_is_switched_on(website: Website) -> None:
    asking.opt_in_of(website)
    assert get(website, "website").json()["optIn"] is None

    OptIn.objects.update(is_on=True, kind="bell", paths=["/shop/*"])

    rules = get(website, "website").json()["optIn"]
    assert rules == {"kind": "bell", "trigger": "seconds", "after": 5, "paths": ["/shop/*"]}


@pytest.mark.parametrize("language", ["de-CH", "en", "xx", "", "ä", "<script>", "de\0", "a" * 500])
def test_it_says_all_that_the_dialog_shows(website: Website, language: str) -> None:
    answer = get(website, f"opt-in?language={language}")

    said = answer.json()
    assert answer.status_code == 200
    assert said["language"] == ("de" if language == "de-CH" else "en")
    assert said["help"]["close"] == {"de": "Schließen", "en": "Close"}[said["language"]]
    assert set(said) == {"look", "language", "words", "interests", "textVersion", "help"}
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_only_its_own_pages_may_ask(website: Website) -> None:
    for path in ("opt-in", "manifest.webmanifest"):
        refused = get(website, path, "https://evil.example")
        assert (refused.status_code, refused.json()["errorCode"]) == (403, "origin_not_allowed")


def test_the_manifest_makes_the_asking_page_an_app(website: Website) -> None:
    Website.objects.update(origins=[ORIGIN, "https://www.shop.example"])
    asking.opt_in_of(website)
    OptIn.objects.update(logo="https://shop.example/logo.png")

    for origin, start in ((None, ORIGIN), ("https://www.shop.example", "https://www.shop.example")):
        answer = get(website, "manifest.webmanifest", origin)
        said = json.loads(answer.content)
        assert answer.headers["Content-Type"] == "application/manifest+json"
        assert (said["start_url"], said["scope"], said["display"]) == (f"{start}/", f"{start}/", "standalone")
        assert said["icons"] == [{"src": "https://shop.example/logo.png", "sizes": "any"}]


@pytest.mark.parametrize("script", ["opt-in", "preferences"])
def test_the_modules_are_served_for_every_site(script: str) -> None:
    answer = Client().get(f"/code/{script}.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    repeated = Client().get(f"/code/{script}.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert repeated.status_code == 304


@pytest.mark.parametrize("of", [OPT_IN, PREFERENCES])
def test_every_language_has_every_word(of: dict[str, dict[str, str]]) -> None:
    for said in of.values():
        assert said.keys() == of["en"].keys()
        assert all(said.values())
    assert words(of, "de-AT") == of["de"]
    assert words(of, "fr") == of["en"]
