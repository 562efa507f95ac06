"""The audit log: everything that staff changes leaves a record, and nobody changes the record."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import ResolverMatch, resolve
from django.utils import timezone

from signalize_console.api.models import ApiKey
from signalize_console.console import audit, forgetting
from signalize_console.console.auditlog import words_for
from signalize_console.console.models import AuditRecord
from signalize_console.console.site import site
from signalize_console.messaging.models import PushMessage
from signalize_console.websites.models import Website
from signalize_console.websites.safeguards import Safeguards
from tests.console.test_console import compose, form_for, send_reviewed
from tests.console.test_roles import client_of, member
from tests.makers import make_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Client:
    return client_of(member("Administrator", "ada"))


def told(**wanted: Any) -> list[tuple[str, str, str, str, int | None]]:
    rows = AuditRecord.objects.filter(**wanted).exclude(deed="login").order_by("pk")
    return list(rows.values_list("by", "deed", "about", "object_id", "website_id"))


def test_a_message_from_the_draft_to_the_end(boss: Client, website: Website) -> None:
    make_subscription(website)
    message = compose(boss, website)
    send_reviewed(boss, message)
    boss.post(f"/admin/messaging/pushmessage/{message.pk}/cancel/")
    row = ("messaging.pushmessage", str(message.pk), website.pk)
    assert told() == [("ada", "added", *row), ("ada", "send", *row), ("ada", "cancel", *row)]


def test_keys_and_what_is_chosen_from_a_list(boss: Client, website: Website) -> None:
    keys = [ApiKey.issue(website, name)[0] for name in ("CRM", "shop")]
    boss.post("/admin/api/apikey/", {"action": "revoke", "_selected_action": [one.pk for one in keys]})
    assert set(told()) == {("ada", "revoke", "api.apikey", str(one.pk), website.pk) for one in keys}
    boss.post(
        "/admin/websites/website/", {"action": "make_identity_secret", "_selected_action": [website.pk]}
    )
    assert told(about="websites.website") == [
        ("ada", "make_identity_secret", "websites.website", str(website.pk), website.pk)
    ]


def as_it_is(website: Website) -> dict[str, Any]:
    """The settings that the website's form asks for."""
    names = [field.name for field in Safeguards._meta.get_fields()]
    values = {name: getattr(website, name) for name in [*names, "holdout"]}
    return {name: value for name, value in values.items() if value is not None}


def test_a_change_names_its_fields_and_not_what_they_held(boss: Client, website: Website) -> None:
    code = website.secure_code
    form = {"name": "Very Secret Name", "origins": "https://shop.example", "contact": "mailto:a@example.com"}
    boss.post(
        f"/admin/websites/website/{website.pk}/change/",
        {**as_it_is(website), **form, "secure_code": code, "initial-secure_code": code},
    )
    record = AuditRecord.objects.get(deed="changed")
    assert (record.detail, record.website_id) == ("Name, Contact", website.pk)
    template = {"website": website.pk, "name": "Anna Smith", "ttl": 3600, "urgency": "normal"}
    text = {"language": "en", "title": "Anna Smith", "message": "x", "link": "https://shop.example/"}
    forms = {
        "texts-TOTAL_FORMS": 1,
        "texts-INITIAL_FORMS": 0,
        **{f"texts-0-{name}": one for name, one in text.items()},
    }
    boss.post("/admin/messaging/messagetemplate/add/", {**template, **forms})
    assert AuditRecord.objects.get(about="messaging.messagetemplate").deed == "added"
    assert not any("Anna" in str(row) or "Secret" in str(row) for row in AuditRecord.objects.values())


def test_what_is_refused_or_changes_nothing_is_not_told(boss: Client, website: Website) -> None:
    message = compose(boss, website)
    count = AuditRecord.objects.count()
    viewer = client_of(member("Viewer", "vic"))
    viewer.post(f"/admin/messaging/pushmessage/{message.pk}/send/", {"review": "1"})
    boss.get("/admin/messaging/pushmessage/")
    boss.post("/admin/second-factor/setup/", {"code": "1"})
    assert AuditRecord.objects.count() == count + 1  # vic's login


def test_deleting_is_told(boss: Client, website: Website) -> None:
    message = compose(boss, website)
    boss.post(f"/admin/messaging/pushmessage/{message.pk}/delete/", {"post": "yes"})
    assert not PushMessage.objects.exists()
    assert told(deed="deleted") == [("ada", "deleted", "messaging.pushmessage", str(message.pk), website.pk)]


def test_a_file_that_is_taken_away_is_told(website: Website) -> None:
    """For each view of the console, whatever it is called: a download is an export."""
    request: HttpRequest = RequestFactory().get("/admin/recipients/recipient/")
    request.user = member("Marketer", "mia")
    request.resolver_match = resolve("/admin/recipients/recipient/")

    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("a;b", "text/csv", headers={"Content-Disposition": "attachment; filename=a.csv"})

    audit.on_record(site, view)(request)
    assert told() == [("mia", "exported changelist", "recipients.recipient", "", None)]


def test_login_logout_and_lock_are_told_with_no_strangers_words() -> None:
    member("Viewer", "vic")
    client = Client()
    client.post("/admin/login/", {"username": "vic", "password": "x"})
    client.post("/admin/logout/")
    for _try in range(8):
        client.post("/admin/login/", {"username": "vic", "password": "wrong"})
        client.post("/admin/login/", {"username": "my-password-by-mistake", "password": "vic"})
    deeds = list(AuditRecord.objects.order_by("pk").values_list("by", "deed"))
    assert deeds == [("vic", "login"), ("vic", "logout"), ("vic", "locked out")]


def test_the_database_refuses_to_change_or_delete_a_record() -> None:
    user = member("Viewer", "vic")
    audit.record(user, "login")
    for act in (
        lambda: AuditRecord.objects.update(by="nobody"),
        lambda: AuditRecord.objects.all().delete(),
        lambda: AuditRecord.objects.all()._raw_delete(using="default"),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            act()
    user.delete()
    assert AuditRecord.objects.filter(by="vic").count() == 1


def test_it_forgets_where_that_is_set_and_nothing_of_the_last_year(settings: Any) -> None:
    now = timezone.now()
    for days in (300, 364, 366, 500):
        AuditRecord.objects.create(by=str(days), deed="login", at=now - datetime.timedelta(days=days))

    def kept() -> list[str]:
        return sorted(AuditRecord.objects.values_list("by", flat=True))

    settings.KEEP_AUDIT_DAYS = 0
    forgetting.forget_old()
    assert kept() == ["300", "364", "366", "500"]
    settings.KEEP_AUDIT_DAYS = 400
    forgetting.forget_old()
    assert kept() == ["300", "364", "366"]
    # Neither a young one, nor without saying so.
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        delete("364", forgetting.ALLOW)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        delete("366", "SET LOCAL signalize.forgets = 'something else'")


def delete(by: str, said_before: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(said_before)
    AuditRecord.objects.filter(by=by).delete()


def test_keepers_read_it_and_others_do_not(boss: Client, website: Website) -> None:
    compose(boss, website)
    page = client_of(member("Auditor", "ole")).get("/admin/console/auditrecord/?deed=added").content.decode()
    assert "Push message #" in page
    assert "ada" in page
    assert client_of(member("Marketer", "mia")).get("/admin/console/auditrecord/").status_code == 403


# Pages on which nothing is changed.
READING = {
    *(
        "index",
        "app_list",
        "jsi18n",
        "autocomplete",
        "view_on_site",
        "account",
        "second_factor",
        "password_change_done",
    ),
    *("reports", "reports_compare", "reports_message", "self-test", "self-test-state", "progress", "refused"),
    *(
        "choose",
        "browsers",
        "links_of",
        "placeholders",
        "review",
        "why",
        "of",
        "offered",
        "estimate",
        "history",
    ),
}
# Tell of themselves in other words.
BY_THEMSELVES = {"second_factor_setup", "recovery_codes"}


def deeds() -> Iterator[str]:
    """All that may be asked for in the console: by the addresses of its pages, and by actions of its lists."""
    request: HttpRequest = RequestFactory().get("/admin/")
    for pattern in site.get_urls():
        for one in getattr(pattern, "url_patterns", [pattern]):
            if one.name:
                request.resolver_match = ResolverMatch(one.callback, (), {}, url_name=one.name)
                yield audit.place_of(request).deed
    for admin in site._registry.values():
        for action in admin.actions or []:
            yield action if isinstance(action, str) else action.__name__


def test_whatever_is_done_has_words() -> None:
    known = audit.BY_FORM | audit.UNRECORDED | set(audit.BY_ITSELF) | READING | BY_THEMSELVES
    assert [deed for deed in deeds() if deed not in known and words_for(deed) == deed] == []
    assert words_for("exported reports") == words_for("export")


def test_a_draft_that_saves_itself_is_told_of_once_in_a_while(boss: Client, website: Website) -> None:
    drafts = "/admin/messaging/pushmessage/"
    saved = boss.post(f"{drafts}save/", form_for(website)).json()
    number = saved["id"]
    again, row = f"{drafts}{number}/save/", ("messaging.pushmessage", str(number), website.pk)
    message = PushMessage.objects.get(pk=number)
    # What is saved is what stands there already, so that its revision stays.
    text = {"texts-INITIAL_FORMS": 1, "texts-0-id": message.texts.get().pk, "revision": saved["revision"]}
    for _time in range(3):
        assert boss.post(again, {**form_for(website), **text}).status_code == 200
    assert told() == [("ada", "added", *row)]
    other = client_of(member("Administrator", "bob"))
    for _time in range(3):
        assert other.post(again, {**form_for(website), **text}).status_code == 200
    assert told() == [("ada", "added", *row), ("bob", "changed", *row)]
    assert other.post(again, {**form_for(website), **text, "ttl": "x"}).status_code == 422
    later = timezone.now() + audit.ONCE_IN
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit.timezone, "now", lambda: later)
        boss.post(again, {**form_for(website), **text})
    assert told()[2:] == [("ada", "changed", *row)]
