"""The console in German: chosen by the browser or by hand, complete, and not for what programs read."""

import datetime
import re
import zoneinfo
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests import messages
from tests.console.test_roles import client_of
from tests.makers import make_website

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.fixture
def boss() -> Client:
    return client_of(User.objects.create_superuser("boss", password="x"))


def test_the_browser_chooses_the_language(boss: Client) -> None:
    page = boss.get("/admin/", headers=GERMAN).content.decode()
    assert '<html lang="de"' in page
    for word in ("Übersicht", "Push-Nachrichten", "Empfänger", "Ihr Konto", "Abmelden"):
        assert word in page, word
    assert '<html lang="en"' in boss.get("/admin/", headers={"Accept-Language": "fr"}).content.decode()


def test_a_page_says_in_which_zone_its_times_are(boss: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    clock = datetime.datetime.now(zoneinfo.ZoneInfo("Asia/Tokyo"))
    for path in ("/admin/", "/admin/deliveries/delivery/", "/admin/reports/"):
        page = boss.get(path, headers=GERMAN).content.decode()
        said = re.search(r"Alle Zeiten: Asia/Tokyo, jetzt (\d\d):(\d\d)", page)
        assert said, path
        hours, minutes = map(int, said.groups())
        assert (hours * 60 + minutes - clock.hour * 60 - clock.minute) % (24 * 60) <= 1


def test_the_switch_in_the_header_is_remembered(boss: Client) -> None:
    page = boss.get("/admin/", headers=GERMAN).content.decode()
    assert 'value="en"' in page
    answer = boss.post(
        "/language", {"language": "en", "next": "/admin/messaging/pushmessage/"}, headers=GERMAN
    )
    assert answer.headers["Location"] == "/admin/messaging/pushmessage/"
    assert '<html lang="en"' in boss.get("/admin/", headers=GERMAN).content.decode()
    assert '<html lang="en"' in boss.get("/admin/login/", headers=GERMAN, follow=True).content.decode()
    answer = boss.post("/language", {"language": "de", "next": "https://evil.example/"})
    assert "evil" not in answer.headers["Location"]


def test_programs_are_answered_in_english(boss: Client) -> None:
    make_website()
    answer = Client().get("/v3/websites", headers=GERMAN)
    assert answer.headers["Content-Language"] == "en"
    assert "API" in answer.json()["message"]


def test_every_text_is_translated_with_its_placeholders() -> None:
    assert messages.complaints() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda message: setattr(message, "string", ""), "not translated"),
        (lambda message: message.flags.add("fuzzy"), "fuzzy"),
        (lambda message: setattr(message, "string", "%(anzahl)d"), "other placeholders"),
    ],
)
def test_what_is_wrong_is_named(change: object, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = messages.german()
    change(catalog.get("%(done)s of %(targeted)s deliveries are done."))  # type: ignore[operator]
    monkeypatch.setattr(messages, "german", lambda: catalog)
    assert [one.split(":")[0] for one in messages.complaints()] == [said]
