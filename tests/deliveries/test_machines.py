"""Machines that differ in what all must share: who differs is named, and what to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.core.checks import CheckMessage
from django.test import Client, override_settings

from signalize_console.console import system_checks
from signalize_console.deliveries import gauges, health, heartbeats
from signalize_console.deliveries.heartbeats import Heartbeat, HeartbeatKind
from signalize_console.embedded.home import Home
from signalize_console.messaging import media
from signalize_console.messaging.models import Media
from tests.console.logins import log_in
from tests.deliveries.test_health import age, all_live
from tests.embedded.living import wait_until
from tests.makers import make_website
from tests.web import Web, database_url

pytestmark = pytest.mark.django_db(transaction=True)
FILE = f"{'0123456789' * 4}.png"
OTHER_KEY = "another-key-of-some-length-" * 3
OTHER_ENCRYPTION_KEY = 43 * "B"


def gauge(name: str) -> float:
    (found,) = [one for one in gauges.read() if one.name == name]
    return found.samples[0][1]


def findings() -> list[CheckMessage]:
    return [
        one
        for one in system_checks.database(["default"])
        if one.id in {"signalize.E110", "signalize.E111", "signalize.E112"}
    ]


def page(client: Client, language: str = "en") -> str:
    answer = client.get("/admin/", headers={"accept-language": language})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def keeper() -> Client:
    return log_in("view_pushmessage", "self_test")


@pytest.fixture
def picture() -> Iterator[Media]:
    """Its row; the file isn't here."""
    yield Media.objects.create(
        website=make_website(), kind="icon", name="Rose", file_name=FILE, width=1, height=1, weight=1,
        uploaded_by="Ada",
    )  # fmt: skip
    media.media_file(FILE).unlink(missing_ok=True)


def test_machines_with_the_same_key_are_no_trouble(keeper: Client) -> None:
    all_live()
    heartbeats.note(HeartbeatKind.WEB, "web-1@there")
    assert health.look().is_good
    assert (gauge("secret_keys"), gauge("encryption_keys")) == (1, 1)
    assert (gauge("pictures_missing"), findings()) == (0, [])
    assert "SECRET_KEY" not in page(keeper)


def test_a_machine_with_another_key_is_named(keeper: Client) -> None:
    all_live()
    with override_settings(SECRET_KEY=OTHER_KEY):
        for number in (8, 9):
            heartbeats.note(HeartbeatKind.WEB, f"web-{number}@there")
        (there,) = findings()

    found = Client().get("/health")

    assert (found.json()["status"], found.json()["secretKeysDiffer"]) == ("degraded", True)
    assert "there" not in found.content.decode()  # anybody reads it
    assert gauge("secret_keys") == 2
    # By one process or more: a part of a machine is named once.
    most = "automations@here, beat@here, maintenance@here, marketing@here, transactional@here"
    said = f"web@there: another SECRET_KEY than {most}. People are logged out"
    assert said in page(keeper)
    assert said in keeper.get("/admin/self-test/").content.decode()
    assert f"web@there: ein anderer SECRET_KEY als bei {most}. Leute werden" in page(keeper, "de")
    (here,) = findings()
    assert (here.id, here.msg) == ("signalize.E110", "SECRET_KEY is another one here than that of web@there.")
    assert "beat@here" in there.msg
    assert "web@there" not in there.msg

    age(31)
    assert not health.look().keys_differ
    assert findings() == []


def test_a_machine_with_another_key_encryption_key_is_named(keeper: Client) -> None:
    all_live()
    with override_settings(KEY_ENCRYPTION_KEYS=[OTHER_ENCRYPTION_KEY]):
        heartbeats.note(HeartbeatKind.ENGINE, "marketing-8@there")
        (there,) = findings()

    found = Client().get("/health").json()

    assert found["status"] == "degraded"
    assert (found["secretKeysDiffer"], found["encryptionKeysDiffer"]) == (False, True)
    assert (gauge("secret_keys"), gauge("encryption_keys")) == (1, 2)
    said = "marketing@there: another SIGNALIZE_KEY_ENCRYPTION_KEY than automations@here"
    assert said in page(keeper)
    assert said.replace("another", "ein anderer").replace("than", "als bei") in page(keeper, "de")
    (here,) = findings()
    assert (there.id, here.id) == ("signalize.E112", "signalize.E112")
    assert "that of marketing@there." in here.msg
    # While it is changed, those with one more aren't those with one.
    with override_settings(KEY_ENCRYPTION_KEYS=[OTHER_ENCRYPTION_KEY, 43 * "C"]):
        assert heartbeats.encryption_mark() not in health.look().encryption_keys


def test_what_is_older_than_the_mark_is_not_taken_for_another_key() -> None:
    all_live()
    Heartbeat.objects.filter(kind=HeartbeatKind.BEAT).update(key_mark="")
    assert not health.look().keys_differ
    assert gauge("secret_keys") == 1


def test_the_mark_tells_nothing_but_the_difference() -> None:
    ours = heartbeats.key_mark()
    assert ours == heartbeats.key_mark()
    with override_settings(SECRET_KEY=OTHER_KEY):
        assert heartbeats.key_mark() != ours
        assert not any(part in heartbeats.key_mark() for part in ("another", "key"))
    assert len(ours) == 16


def test_a_web_without_the_newest_picture_is_named(keeper: Client, picture: Media) -> None:
    all_live()
    assert media.missing() == FILE
    heartbeats.note(HeartbeatKind.WEB, "web-1@there", missing_picture=media.missing())

    found = Client().get("/health").json()

    assert (found["status"], found["picturesMissing"]) == ("degraded", True)
    assert gauge("pictures_missing") == 1
    assert f"web@there: the newest picture ({FILE}) isn&#x27;t in SIGNALIZE_HOME/media" in page(keeper)
    assert f"web@there: Das neueste Bild ({FILE})" in page(keeper, "de")
    assert [(one.id, one.msg.partition(":")[0]) for one in findings()] == [("signalize.E111", "web@there")]

    media.media_file(FILE).write_bytes(b"rose")
    assert media.missing() == ""
    heartbeats.note(HeartbeatKind.WEB, "web-1@there", missing_picture=media.missing())
    assert not health.look().missing_pictures


def test_a_directory_that_can_not_be_read_lacks_the_picture(picture: Media, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the directory should be")
    with override_settings(HOME=Home(tmp_path / "home")):
        assert media.missing() == FILE


def test_without_a_picture_none_is_missing() -> None:
    assert media.missing() == ""


def test_two_webs_that_differ_say_so_themselves(picture: Media, tmp_path: Path) -> None:
    all_live()
    (tmp_path / "a" / "media").mkdir(parents=True)
    (tmp_path / "a" / "media" / FILE).write_bytes(b"rose")
    here = {"DATABASE_URL": database_url(), "SIGNALIZE_HOME": str(tmp_path / "a")}
    there = here | {"SIGNALIZE_HOME": str(tmp_path / "b"), "SECRET_KEY": OTHER_KEY}
    with Web(**here) as a, Web(**there):

        def seen(name: str) -> bool:
            return bool(requests.get(f"{a.origin}/health", timeout=10).json()[name])

        assert wait_until(lambda: seen("secretKeysDiffer") and seen("picturesMissing"), 30)
    rows = Heartbeat.objects.filter(kind=HeartbeatKind.WEB)
    assert sorted(rows.values_list("missing_picture", flat=True)) == ["", FILE]
    assert len(set(rows.values_list("key_mark", flat=True))) == 2
