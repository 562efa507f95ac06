"""Imports, keys and exports in the console: who may, what is shown, and that nothing happens by a link."""

import json
import re
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry  # noqa: TID251 - the history that the console writes
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation

from signalize_console.console import refusals
from signalize_console.deliveries.tasks import move_imports_on
from signalize_console.recipients.imports import Import, ImportState
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.makers import base64url, make_subscription
from tests.recipients import files
from tests.recipients.files import OldKey, as_csv, make_facts

pytestmark = pytest.mark.django_db
ADD = "/admin/recipients/import/add/"


def upload(client: Client, website: Website, content: str, key: str = "") -> Import:
    form = {
        "website": website.pk,
        "file": SimpleUploadedFile("old.csv", content.encode()),
        "vapid_private_key": key,
    }
    answer = client.post(ADD, form)
    of = Import.objects.latest("pk")
    assert answer.headers["Location"] == reverse("admin:recipients_import_change", args=[of.pk])
    return of


def page_of(client: Client, of: Import) -> str:
    return client.get(reverse("admin:recipients_import_change", args=[of.pk])).content.decode()


def test_a_file_is_checked_moves_in_and_is_undone(boss: Client, website: Website) -> None:
    key = OldKey()
    rows = [{**files.signalize(make_facts(key, website)), "_et_coid": f"{n:032x}"} for n in range(3)]
    rows[1]["userPublicKey"] = "AAAA"
    of = upload(boss, website, as_csv(*rows))
    assert "data-running" in page_of(boss, of)

    move_imports_on()
    page = page_of(boss, of)
    assert "Let them move in" in page
    assert "data-running" not in page
    assert re.search(r"<td>2</td><td>p256dh</td>", page)
    assert not any(secret in page for row in rows for secret in (row["endpoint"], row["userAuth"]))
    report = b"".join(boss.get(reverse("admin:recipients_import_refused", args=[of.pk]))).decode()
    assert report.splitlines()[1].startswith("2,p256dh,")
    assert not Subscription.objects.exists()

    for name, count in (("confirm", 2), ("undo", 0)):
        address = reverse(f"admin:recipients_import_{name}", args=[of.pk])
        assert boss.get(address).status_code == 403
        boss.post(address)
        move_imports_on()
        assert Subscription.objects.count() == count
    assert boss.post(reverse("admin:recipients_import_undo", args=[of.pk]), follow=True).status_code == 200
    assert LogEntry.objects.filter(content_type__model="import").count() == 3


def test_what_is_discarded_does_not_move(boss: Client, website: Website) -> None:
    of = upload(boss, website, as_csv(files.signalize(make_facts(OldKey(), website))))
    move_imports_on()
    boss.post(reverse("admin:recipients_import_discard", args=[of.pk]))
    boss.post(reverse("admin:recipients_import_confirm", args=[of.pk]))
    move_imports_on()
    of.refresh_from_db()
    assert (of.state, Subscription.objects.count(), website.vapid_keys.count()) == (
        ImportState.DISCARDED,
        0,
        1,
    )


def test_a_wrong_key_or_file_is_explained(boss: Client, website: Website) -> None:
    form = {
        "website": website.pk,
        "file": SimpleUploadedFile("old.csv", b"a"),
        "vapid_private_key": "nonsense",
    }
    assert "no private VAPID key" in boss.post(ADD, form).content.decode()
    assert "required" in boss.post(ADD, {"website": website.pk}).content.decode()
    assert not Import.objects.exists()
    of = upload(boss, website, "name,mail\nAnna,a@b.c\n")
    move_imports_on()
    assert "no column for" in page_of(boss, of)


def test_who_may_only_look_moves_nothing(website: Website, boss: Client) -> None:
    of = upload(boss, website, as_csv(files.signalize(make_facts(OldKey(), website))))
    move_imports_on()
    of.by = "boss"
    from django.contrib.auth.models import User

    User.objects.all().delete()
    viewer = log_in("view_import", "view_website")
    assert viewer.get(ADD).status_code == 403
    assert page_of(viewer, of)
    for name in ("confirm", "discard", "undo"):
        assert viewer.post(reverse(f"admin:recipients_import_{name}", args=[of.pk])).status_code == 403
    keys = reverse("admin:websites_website_keys", args=[website.pk])
    assert viewer.get(keys).status_code == 200
    assert viewer.post(keys).status_code == 403
    export = reverse("admin:websites_website_export", args=[website.pk])
    assert (
        viewer.get(export).status_code
        == viewer.post(export, {"kind": "subscriptions", "form": "csv"}).status_code
        == 403
    )
    assert website.vapid_keys.filter(retired_at=None).count() == 1


def test_a_key_is_changed_over_with_its_progress(boss: Client, website: Website) -> None:
    for _one in range(3):
        make_subscription(website)
    keys = reverse("admin:websites_website_keys", args=[website.pk])
    before = website.vapid_key
    assert "<strong>100 %</strong>" in boss.get(keys).content.decode()

    boss.post(keys)
    make_subscription(website)

    page = boss.get(keys).content.decode()
    assert "<strong>25 %</strong>" in page
    assert "changing over" in page
    assert website.vapid_key != before
    assert not any(key.private_key.hex() in page for key in website.vapid_keys.all())
    assert LogEntry.objects.filter(content_type__model="website").count() == 1


def test_an_export_is_streamed_and_noted(boss: Client, website: Website) -> None:
    subscription = make_subscription(website)
    address = reverse("admin:websites_website_export", args=[website.pk])
    assert subscription.endpoint not in boss.get(address).content.decode()

    answer = boss.post(address, {"kind": "subscriptions", "form": "jsonl"})

    assert answer.streaming
    assert "no-store" in answer.headers["Cache-Control"]
    (line,) = b"".join(answer).decode().splitlines()
    assert json.loads(line)["endpoint"] == subscription.endpoint
    assert "Exported subscriptions as jsonl" in str(LogEntry.objects.get().get_change_message())
    assert not boss.post(address, {"kind": "passwords", "form": "csv"}).streaming


PACKAGE = Path(refusals.__file__).parents[1]
# Where an import is refused something, and in which words: all texts that are raised or told there.
SAYING = {
    "recipients/reading.py": r"(?:Unreadable|broken = \"\" if .* else |Record\(.*?, )\(?f?\"(.+?)\"\)?",
    "recipients/checking.py": r"RowRefused\(\s*\"?\w*\"?,\s*f?\"(.+?)\"|said = \(\s*\"(.+?)\"",
    "recipients/importing.py": r"Unreadable\(f?\"(.+?)\"|SELECT.*?'([A-Z].+?)'",
    "webpush/push_services.py": r"EndpointRefused\(\s*f?\"(.+?)\"",
    "webpush/encryption.py": r"BadSubscriptionKeys\(\s*f?\"(.+?)\"",
}


def test_every_reason_is_told_in_german() -> None:
    samples = [refusals.PLACEHOLDER.sub("7", reason) for reason in refusals.REASONS]
    for path, saying in SAYING.items():
        found = re.findall(saying, (PACKAGE / path).read_text())
        said = [re.sub(r"\{.*?\}", "7", "".join(one)) for one in found]
        assert said, path
        # Of a text in several parts the first is compared.
        assert [one for one in said if not any(sample.startswith(one) for sample in samples)] == [], path
    with translation.override("de"):
        assert (
            refusals.in_words("It has 3 fields, the first row 2.") == "Sie hat 3 Felder, die erste Zeile 2."
        )
        assert refusals.in_words("Something else.") == "Something else."


def test_a_german_reads_why(client: Client, website: Website) -> None:
    boss = log_in(superuser=True)
    row = {
        **files.signalize(make_facts(OldKey(), website)),
        "userPublicKey": base64url(b"\x04" + b"\x01" * 64),
    }
    of = upload(boss, website, as_csv(row))
    move_imports_on()
    page = boss.get(
        reverse("admin:recipients_import_change", args=[of.pk]), headers={"Accept-Language": "de"}
    )
    assert "kein Punkt auf der Kurve" in page.content.decode()
    of = upload(boss, website, "name;mail\na;b")
    move_imports_on()
    page = boss.get(
        reverse("admin:recipients_import_change", args=[of.pk]), headers={"Accept-Language": "de"}
    )
    assert "Es fehlt eine Spalte für: endpoint" in page.content.decode()


def test_a_file_may_have_any_name(boss: Client, website: Website) -> None:
    file = SimpleUploadedFile("x.csv", as_csv(files.signalize(make_facts(OldKey(), website))).encode())
    file._name = "a\x00<b>.csv"  # as no browser, but anybody else may send it
    assert boss.post(ADD, {"website": website.pk, "file": file, "vapid_private_key": ""}).status_code == 302
    of = Import.objects.get()
    assert "<b>" not in page_of(boss, of)
