"""The console in German: chosen by the browser or by hand, complete, and not for what programs read."""

import datetime
import re
import zoneinfo
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from signalize_console.automations.models import Rule
from signalize_console.console import audit
from signalize_console.deliveries.alerts import Alert
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


def test_lists_and_their_filters_are_german(boss: Client) -> None:
    """Also what Django says, and what the database has as a code word."""
    audit.record(User.objects.get(), "send", "auth.user", 1)
    boss.post(
        "/admin/auth/user/add/", {"username": "ada", "password1": "x9!kq-lamp", "password2": "x9!kq-lamp"}
    )
    ada = User.objects.get(username="ada")
    ada.groups.add(Group.objects.get(name="Approver"))
    for path, said in (
        ("/admin/console/auditrecord/", [">gesendet</td>", ">hinzugefügt</td>", "Nach Aktion"]),
        ("/admin/auth/user/", ["Nach Rollen", ">Freigabe</a>"]),
        (f"/admin/auth/user/{ada.pk}/change/", ["Verlauf", "Passwort zurücksetzen", "Speichern und weiter"]),
        ("/admin/recipients/consent/", [">widerrufen</a>"]),
        ("/admin/deliveries/alert/", [">noch offen</a>"]),
        ("/admin/deliveries/delivery/", [">Google</a>"]),
        ("/admin/automations/rule/add/", ["senden"]),
    ):
        page = boss.get(path, headers=GERMAN).content.decode()
        assert [word for word in said if word not in page] == [], path


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/admin/auth/user/?role={role}", {"ada"}),
        ("/admin/auth/user/?role=x", {"ada", "boss"}),
        ("/admin/deliveries/alert/?over=no", {"mozilla"}),
        ("/admin/deliveries/alert/?over=yes", {"apple"}),
        ("/admin/automations/rule/?on=yes", {"running"}),
        ("/admin/automations/rule/?on=no", {"resting"}),
    ],
)
def test_filters_narrow_a_list(boss: Client, path: str, named: set[str]) -> None:
    role = Group.objects.get(name="Approver")
    User.objects.create_user("ada").groups.add(role)
    Alert.objects.create(kind="outage", push_service="mozilla")
    Alert.objects.create(kind="outage", push_service="apple", ended_at=timezone.now())
    website = make_website()
    for name, is_on in (("running", True), ("resting", False)):
        Rule.objects.create(website=website, name=name, is_on=is_on)
    page = boss.get(path.format(role=role.pk)).content.decode()
    rows = page.split('id="result_list"')[1].split("</table>")[0].lower()
    assert {one for one in ("ada", "boss", "mozilla", "apple", "running", "resting") if one in rows} == named


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
