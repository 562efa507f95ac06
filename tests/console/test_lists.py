"""Lists in the console: filled from a file, with a report, and kept while an audience needs them."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from signalize_console.audiences.models import ListMember, RecipientList, Segment
from signalize_console.console import lists
from signalize_console.deliveries import outbox
from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.console.test_console import XSS
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db
LISTS = "/admin/audiences/recipientlist/"


@pytest.fixture
def website() -> Website:
    website = make_website()
    for number in range(3):
        make_subscription(website, recipient=make_recipient(website, customer_id=f"K-{number}"))
    return website


def upload(client: Client, path: str, content: str, **values: Any) -> str:
    file = SimpleUploadedFile("list.csv", content.encode())
    answer = client.post(LISTS + path, {"name": "Fair", "by": "customer_id", "file": file, **values})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_list_is_filled_and_its_rows_reported(boss: Client, website: Website) -> None:
    page = upload(boss, "add/", f"K-0\nK-1\nK-1\n{XSS.replace(chr(34), chr(39))}\n", website=website.pk)
    on = RecipientList.objects.get()
    assert (on.members.count(), on.size) == (2, 2)
    assert "<strong>2</strong> recipients are on the list now." in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    upload(boss, f"{on.pk}/change/", "K-2\n")
    assert on.members.count() == 3
    upload(boss, f"{on.pk}/change/", "K-2\n", replace="on")
    assert on.members.count() == 1
    renamed = boss.post(f"{LISTS}{on.pk}/change/", {"name": "Renamed", "by": "customer_id"})
    assert renamed.status_code == 302
    on.refresh_from_db()
    assert (on.name, on.members.count()) == ("Renamed", 1)


@pytest.mark.parametrize(
    ("content", "said"), [("", "empty"), ("PK\x03\x04zip", "workbook"), (";;\n", "no id")]
)
def test_a_file_that_is_no_list_is_explained_at_its_field(
    boss: Client, website: Website, content: str, said: str
) -> None:
    assert said in upload(boss, "add/", content, website=website.pk)
    assert not RecipientList.objects.exists()


def test_a_file_that_is_too_large_is_refused(
    boss: Client, website: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "LARGEST_FILE", 10)
    assert "Split it" in upload(boss, "add/", "K-0\n" * 5, website=website.pk)


def test_a_list_that_an_audience_names_stays(boss: Client, website: Website) -> None:
    upload(boss, "add/", "K-0\nK-1\n", website=website.pk)
    on = RecipientList.objects.get()
    condition = {"not": {"field": "list", "op": "in", "value": [on.pk]}}
    segment = Segment.objects.create(website=website, name="Not at the fair", definition=condition)
    assert "Not at the fair" in boss.get(f"{LISTS}{on.pk}/delete/").content.decode()
    boss.post(f"{LISTS}{on.pk}/delete/", {"post": "yes"})
    assert RecipientList.objects.exists()

    message = outbox.send(make_message(website), [make_text()], segment=segment).message_id
    Segment.objects.update(definition={"field": "visits"})
    assert f"#{message} Hello" in boss.get(f"{LISTS}{on.pk}/delete/").content.decode()
    action = {"action": "delete_selected", "_selected_action": [on.pk], "post": "yes"}
    boss.post(LISTS, action)
    assert RecipientList.objects.exists()

    type(make_message(website)).objects.update(state="finished")
    boss.post(f"{LISTS}{on.pk}/delete/", {"post": "yes"})
    assert not RecipientList.objects.exists()
    assert not ListMember.objects.exists()


def test_who_may_only_look_uploads_nothing(website: Website) -> None:
    on = RecipientList.objects.create(website=website, name="Fair")
    client = log_in("view_recipientlist")
    page = client.get(f"{LISTS}{on.pk}/change/").content.decode()
    assert 'name="file"' not in page
    file = SimpleUploadedFile("list.csv", b"K-0\n")
    for path in ("add/", f"{on.pk}/change/", f"{on.pk}/delete/"):
        assert client.post(LISTS + path, {"name": "x", "file": file, "post": "yes"}).status_code == 403
    assert not ListMember.objects.exists()
    assert RecipientList.objects.get().name == "Fair"
