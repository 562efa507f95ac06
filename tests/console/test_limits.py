"""A staff user who is limited to some websites: nothing of the others is seen, chosen, changed or told."""

import json
from typing import Any

import pytest
from django.contrib import admin  # noqa: TID251 - its registry names every page
from django.contrib.auth.models import Permission, User
from django.test import Client

from signalize_console.audiences.models import RecipientList
from signalize_console.console.access import OwnChoices, PerWebsite, website_of
from signalize_console.console.models import AuditRecord, WebsiteLimit
from signalize_console.deliveries.alerts import Alert
from signalize_console.messaging.models import PushMessage
from signalize_console.websites.models import Website
from tests.console.test_console import ADD, form_for
from tests.console.test_roles import ACTIONS, client_of
from tests.console.world import addresses, furnish, furnish_operations
from tests.makers import make_website

pytestmark = pytest.mark.django_db
SECRET = "Of-the-others-7f3a"


@pytest.fixture
def own() -> Website:
    website = make_website(name="Own")
    furnish(website, "Mine")
    return website


@pytest.fixture
def others() -> Website:
    website = make_website(name=SECRET, contact=f"mailto:{SECRET}@example.com")
    furnish(website, SECRET)
    return website


@pytest.fixture
def limited(own: Website, others: Website) -> Client:
    """Somebody who may do everything that a role can give, on one website."""
    furnish_operations()
    user = User.objects.create_user("lim", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    WebsiteLimit.objects.create(user=user).websites.add(own)
    return client_of(user)


def rows_of(website: Website) -> Any:
    """The rows of a class that are this website's; for a class of no website, all of them."""

    def rows(model: Any) -> Any:
        path = admin.site._registry[model].website_path
        found = model._default_manager.all()
        return found.filter(**{path: website.pk}) if path else found

    return rows


def everything_of(website: Website) -> dict[str, list[Any]]:
    found = {}
    for model, model_admin in admin.site._registry.items():
        if model_admin.website_path and model is not AuditRecord:
            found[model._meta.label_lower] = list(rows_of(website)(model).order_by("pk").values())
    assert all(found.values()), [name for name, rows in found.items() if not rows]
    return found


def test_every_class_and_inline_keeps_to_the_limit() -> None:
    for model, model_admin in admin.site._registry.items():
        assert isinstance(model_admin, PerWebsite), model
        for inline in model_admin.inlines:
            parent = inline.fk_name or model._meta.model_name
            free = [
                field.name
                for field in inline.model._meta.fields
                if field.is_relation and field.editable and field.related_model is not model
            ]
            can_be_chosen = set(free) - set(inline.readonly_fields)
            shown = set(inline.fields or []) or can_be_chosen
            named = {
                name
                for _title, options in getattr(inline, "fieldsets", None) or []
                for line in options["fields"]
                for name in ([line] if isinstance(line, str) else line)
            }
            shown = named or shown
            assert not can_be_chosen & shown or issubclass(inline, OwnChoices), (model, inline, parent)


def test_no_page_tells_of_another_website(limited: Client, own: Website) -> None:
    for address in addresses():
        if address.name == "logout":
            continue
        answer = limited.get(address.path(rows_of(own)), follow=True)
        assert answer.status_code < 500, address
        assert SECRET not in b"".join(answer).decode(errors="replace"), address


def test_nothing_of_another_website_is_opened_or_changed(
    limited: Client, own: Website, others: Website
) -> None:
    before = everything_of(others)
    for address in addresses():
        model_rows = rows_of(others)
        if "<" not in address.route or address.name in {"app_list", "<url>", "view_on_site"}:
            continue
        path = address.path(model_rows)
        about = next(
            (m for m in admin.site._registry if f"/{m._meta.app_label}/{m._meta.model_name}/" in path), None
        )
        if about is None or not admin.site._registry[about].website_path:
            continue
        for method in ("get", "post"):
            answer = getattr(limited, method)(path, {"post": "yes", "review": "1"}, follow=True)
            last = answer.redirect_chain[-1][0] if answer.redirect_chain else path
            assert answer.status_code in {403, 404, 405} or last == "/admin/", (
                method,
                path,
                answer.status_code,
            )
            assert SECRET not in answer.content.decode(), (method, path)
    assert everything_of(others) == before


def test_no_action_reaches_another_website(limited: Client, own: Website, others: Website) -> None:
    before = everything_of(others)
    for action in ACTIONS:
        label, name = action.split()
        model = next(model for model in admin.site._registry if model._meta.label_lower == label)
        if not admin.site._registry[model].website_path:
            continue
        chosen = [row.pk for row in rows_of(others)(model)]
        for across in ("0", "1"):
            said = {"action": name, "_selected_action": chosen, "select_across": across, "post": "yes"}
            if across == "1" and name == "delete_selected":
                continue
            limited.post(f"/admin/{label.replace('.', '/')}/", said)
    assert everything_of(others) == before
    assert not AuditRecord.objects.filter(website_id=others.pk).exists()


def test_nothing_is_made_for_another_website(limited: Client, own: Website, others: Website) -> None:
    count = PushMessage.objects.count()
    answer = limited.post(ADD, form_for(others))
    assert "Select a valid choice" in answer.content.decode()
    segment = next(iter(rows_of(others)(PushMessage).exclude(segment=None))).segment
    answer = limited.post(ADD, form_for(own, segment=segment.pk))
    assert "Select a valid choice" in answer.content.decode()
    assert PushMessage.objects.count() == count
    assert limited.get("/admin/websites/website/add/").status_code == 403


def test_a_preview_names_nothing_of_another_website(limited: Client, own: Website, others: Website) -> None:
    """Numbers of theirs in a condition of one's own."""

    def said(website: Website) -> str:
        on = RecipientList.objects.get(website=website)
        sent = PushMessage.objects.filter(website=website).exclude(day=None).get()
        tree = {
            "any": [
                {"field": "list", "op": "in", "value": [on.pk]},
                {"field": "messageClicked", "message": sent.pk},
            ]
        }
        form = {"website": own.pk, "definition": json.dumps(tree)}
        answer: dict[str, Any] = limited.post("/admin/audiences/segment/preview/", form).json()
        assert answer["problems"] == []
        return str(answer)

    assert said(own).count("Mine") == 2
    assert SECRET not in said(others)


def test_what_belongs_to_no_website_is_not_for_the_limited(limited: Client) -> None:
    for path in ("auth/user/", "auth/group/", "axes/accessattempt/"):
        assert limited.get(f"/admin/{path}").status_code == 403, path
    assert limited.get("/admin/deliveries/heartbeat/").status_code == 200


def test_an_alert_of_all_is_seen_by_all_and_judged_by_who_sees_all(limited: Client, own: Website) -> None:
    alert = Alert.objects.create(kind="outage", push_service="mozilla")
    assert "Mozilla" in limited.get(f"/admin/deliveries/alert/{alert.pk}/change/").content.decode()
    assert limited.post(f"/admin/deliveries/alert/{alert.pk}/try_now/").status_code == 403
    its = Alert.objects.get(website=own)
    assert limited.post(f"/admin/deliveries/alert/{its.pk}/try_now/").status_code == 302


def test_who_is_limited_to_a_website_that_is_gone_sees_nothing(own: Website) -> None:
    user = User.objects.create_user("lim", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    empty = Website.objects.create(name="Gone soon", origins=[], contact="mailto:a@example.com")
    WebsiteLimit.objects.create(user=user).websites.add(empty)
    empty.delete()
    page = client_of(user).get("/admin/messaging/pushmessage/").content.decode()
    assert "Mine" not in page


def test_the_limit_is_set_in_the_console(own: Website, others: Website) -> None:
    boss = client_of(User.objects.create_superuser("boss", password="x"))
    boss.post(
        "/admin/auth/user/add/",
        {
            "username": "ida",
            "usable_password": "true",
            "password1": "ilex-aquifolium",
            "password2": "ilex-aquifolium",
        },
    )
    ida = User.objects.get(username="ida")
    assert (ida.is_staff, list(ida.website_limit.websites.all()), ida.groups.count()) == (True, [], 0)
    path = f"/admin/auth/user/{ida.pk}/change/"
    form = {"username": "ida", "is_active": "on", "is_staff": "on", "websites": [own.pk]}
    boss.post(path, form)
    assert list(ida.website_limit.websites.all()) == [own]
    boss.post(path, {**form, "everywhere": "on"})
    assert not WebsiteLimit.objects.filter(user=ida).exists()
    told = AuditRecord.objects.filter(deed="rights", object_id=ida.pk).values_list("detail", flat=True)
    assert list(told) == ["–; all websites", "–; Own"]


def test_the_website_of_a_row_is_found_along_its_path(own: Website) -> None:
    for model, model_admin in admin.site._registry.items():
        if model_admin.website_path and model is not AuditRecord:
            row = rows_of(own)(model).first()
            assert website_of(row, model_admin.website_path) == own.pk
