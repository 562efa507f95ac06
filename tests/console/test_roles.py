"""Who may do what: each role at each address, for each action of each list, from the resolver and the registry.

A new address, class or action that stands in no row here fails: somebody has to say whose it is.
"""

from typing import Any

import pytest
from django.contrib import admin  # noqa: TID251 - its registry names every page
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.test import Client, RequestFactory

from signalize_console.console.roles import Role, establish, permissions_of
from tests.console.world import Address, addresses, class_of, furnish, furnish_operations
from tests.makers import make_website

pytestmark = pytest.mark.django_db

ALL = {"Viewer", "Marketer", "Approver", "Administrator", "Auditor"}
NEAR_VISITORS = ALL - {"Viewer"}
WRITERS = {"Marketer", "Administrator"}
ADMIN = {"Administrator"}
KEEPERS = {"Administrator", "Auditor"}
NOBODY: set[str] = set()

# Class: who may look, add, change, delete.
CLASSES = {
    "activity.event": (NEAR_VISITORS, NOBODY, NOBODY, NOBODY),
    "api.apikey": (KEEPERS, ADMIN, NOBODY, NOBODY),
    "audiences.recipientlist": (ALL, WRITERS, WRITERS, WRITERS),
    "audiences.segment": (ALL, WRITERS, WRITERS, WRITERS),
    "auth.group": (KEEPERS, ADMIN, ADMIN, ADMIN),
    "auth.user": (KEEPERS, ADMIN, ADMIN, ADMIN),
    # One that has run is nobody's to delete.
    "automations.rule": (ALL, WRITERS, WRITERS, NOBODY),
    "automations.run": (NEAR_VISITORS, NOBODY, NOBODY, NOBODY),
    "axes.accessattempt": (KEEPERS, NOBODY, NOBODY, ADMIN),
    "console.auditrecord": (KEEPERS, NOBODY, NOBODY, NOBODY),
    "deliveries.alert": (ALL, NOBODY, NOBODY, NOBODY),
    "deliveries.delivery": (NEAR_VISITORS, NOBODY, NOBODY, NOBODY),
    "deliveries.heartbeat": (ALL, NOBODY, NOBODY, NOBODY),
    "django_celery_beat.periodictask": (ALL, NOBODY, NOBODY, NOBODY),
    "messaging.media": (ALL, WRITERS, NOBODY, WRITERS),
    "messaging.messagetemplate": (ALL, WRITERS, WRITERS, WRITERS),
    "messaging.pushmessage": (ALL, WRITERS, WRITERS, WRITERS),
    "recipients.consent": (KEEPERS, NOBODY, NOBODY, NOBODY),
    "recipients.import": (KEEPERS, ADMIN, NOBODY, NOBODY),
    "recipients.recipient": (NEAR_VISITORS, NOBODY, NOBODY, NOBODY),
    "recipients.subscription": (NEAR_VISITORS, NOBODY, NOBODY, NOBODY),
    "webhooks.webhookdelivery": (KEEPERS, NOBODY, NOBODY, NOBODY),
    "webhooks.webhookendpoint": (KEEPERS, ADMIN, ADMIN, ADMIN),
    "websites.consenttext": (ALL, NOBODY, NOBODY, NOBODY),
    "websites.optin": (ALL, NOBODY, WRITERS, NOBODY),
    # One with subscribers is nobody's to delete.
    "websites.website": (ALL, ADMIN, ADMIN, NOBODY),
}
# Address: who may GET it, who may POST to it.
PAGES = {
    # What of visitors they show to whom: tests/console/test_segments.py.
    "audiences_segment_offered": (ALL, ALL),
    "audiences_segment_preview": (ALL, ALL),
    "automations_rule_held": (NOBODY, WRITERS),
    "automations_rule_recipes": (WRITERS, WRITERS),
    "automations_rule_rehearse": (NOBODY, WRITERS),
    "automations_rule_sample": (NOBODY, WRITERS),
    "automations_rule_switch": (NOBODY, WRITERS),
    "automations_rule_take": (NOBODY, WRITERS),
    "deliveries_alert_confirm": (NOBODY, ADMIN),
    "deliveries_alert_restore": (NOBODY, ADMIN),
    "deliveries_alert_try_now": (NOBODY, ADMIN),
    "messaging_media_choose": (ALL, ALL),
    "messaging_messagetemplate_duplicate": (ALL, WRITERS),
    "messaging_media_upload": (ALL, WRITERS),
    "messaging_pushmessage_add_browser": (ALL, WRITERS),
    "messaging_pushmessage_approve": (NOBODY, {"Approver", "Administrator"}),
    "messaging_pushmessage_audience": (ALL, WRITERS),
    "messaging_pushmessage_browsers": (WRITERS, ALL),
    "messaging_pushmessage_cancel": (NOBODY, WRITERS),
    "messaging_pushmessage_disapprove": (NOBODY, {"Approver", "Administrator"}),
    "messaging_pushmessage_duplicate": (NOBODY, WRITERS),
    "messaging_pushmessage_from_template": (ALL, WRITERS),
    "messaging_pushmessage_links": (ALL, {"Marketer", "Approver", "Administrator"}),
    "messaging_pushmessage_links_of": ({"Marketer", "Approver", "Administrator"}, ALL),
    "messaging_pushmessage_pause": (NOBODY, WRITERS),
    "messaging_pushmessage_placeholders": (ALL, ALL),
    "messaging_pushmessage_progress": (ALL, ALL),
    "messaging_pushmessage_release": (NOBODY, WRITERS),
    "messaging_pushmessage_remarks": (ALL, ALL),
    "messaging_pushmessage_remove_browser": (ALL, WRITERS),
    "messaging_pushmessage_resume": (NOBODY, WRITERS),
    "messaging_pushmessage_review": (WRITERS, WRITERS),
    "messaging_pushmessage_save": (ALL, WRITERS),
    "messaging_pushmessage_save_again": (ALL, WRITERS),
    "messaging_pushmessage_send": (NOBODY, WRITERS),
    "messaging_pushmessage_to_template": (ALL, WRITERS),
    "messaging_pushmessage_take_back": (NOBODY, WRITERS),
    "messaging_pushmessage_test": (ALL, WRITERS),
    "messaging_pushmessage_to_draft": (NOBODY, WRITERS),
    "recipients_import_confirm": (NOBODY, ADMIN),
    "recipients_import_discard": (NOBODY, ADMIN),
    "recipients_import_progress": (KEEPERS, KEEPERS),
    "recipients_import_refused": (KEEPERS, KEEPERS),
    "recipients_import_undo": (NOBODY, ADMIN),
    "recipients_recipient_erase": (ADMIN, ADMIN),
    "recipients_recipient_export": (NOBODY, ADMIN),
    "recipients_recipient_test": (NOBODY, WRITERS),
    "recipients_recipient_why": (NEAR_VISITORS, NEAR_VISITORS),
    "reports": (ALL, ALL),
    "reports_compare": (ALL, ALL),
    "reports_message": (ALL, ALL),
    "self-test": (WRITERS, WRITERS),
    "send_from_here": (ALL, ADMIN),
    "self-test-end": (NOBODY, WRITERS),
    "self-test-start": (NOBODY, WRITERS),
    "self-test-state": (WRITERS, NOBODY),
    "websites_website_export": (ADMIN, ADMIN),
    "websites_website_keys": (ALL, ADMIN),
    "auth_user_password_change": (ADMIN, ADMIN),
    "websites_optin_of": (WRITERS, WRITERS),
    "websites_optin_preview": (ALL, ALL),
    # Everyone's own: the way in and out, the account, the first page.
    **dict.fromkeys(
        [
            *("index", "login", "logout", "password_change", "password_change_done", "account"),
            *("second_factor", "second_factor_setup", "second_factor_off", "recovery_codes", "end_session"),
            *("jsi18n", "app_list", "view_on_site", "<url>"),
        ],
        (ALL, ALL),
    ),
    # No form uses it, so it offers nothing to anybody.
    "autocomplete": (NOBODY, ALL),
}
# Class, action: who may choose it.
ACTIONS = {
    "api.apikey rotate": ADMIN,
    "api.apikey revoke": ADMIN,
    "audiences.recipientlist delete_selected": WRITERS,
    "audiences.segment delete_selected": WRITERS,
    "audiences.segment recount": ALL,
    "auth.group delete_selected": ADMIN,
    "auth.user delete_selected": ADMIN,
    "auth.user end_sessions": ADMIN,
    "auth.user remove_second_factor": ADMIN,
    "axes.accessattempt delete_selected": ADMIN,
    "messaging.messagetemplate delete_selected": WRITERS,
    "webhooks.webhookdelivery redeliver": ADMIN,
    "webhooks.webhookendpoint delete_selected": ADMIN,
    "webhooks.webhookendpoint disable": ADMIN,
    "webhooks.webhookendpoint enable": ADMIN,
    "webhooks.webhookendpoint rotate_secret": ADMIN,
    "websites.website delete_selected": ADMIN,
    "websites.website make_identity_secret": ADMIN,
}
VERBS = {"changelist": 0, "change": 0, "history": 0, "add": 1, "delete": 3}


def member(role: str, name: str = "") -> User:
    user = User.objects.create_user(name or role, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def row_of(address: Address) -> tuple[set[str], set[str]] | None:
    if address.name in PAGES:
        return PAGES[address.name]
    if address.name.endswith("<path:object_id>/"):
        # Django's old address of a page: it only leads to the new one.
        return ALL, ALL
    model = class_of(address.name)
    verb = address.name.rpartition("_")[2]
    if model is None or verb not in VERBS:
        return None
    row = CLASSES[model._meta.label_lower]
    changers = row[2] if verb in {"change", "changelist"} else row[VERBS[verb]]
    return row[VERBS[verb]], (row[0] if verb == "changelist" else changers)


@pytest.fixture
def world() -> None:
    furnish_operations()
    furnish(make_website())


def test_each_class_address_and_action_stands_in_a_row() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == set(CLASSES)
    assert [address.name for address in addresses() if row_of(address) is None] == []
    assert set(PAGES) <= {address.name for address in addresses()}
    assert actions_of(User(is_superuser=True, is_active=True)) == set(ACTIONS)


@pytest.mark.parametrize("role", sorted(ALL))
@pytest.mark.timeout(300)
def test_each_role_gets_to_its_pages_and_no_others(world: None, role: str) -> None:
    client = client_of(member(role))
    wrong = []
    for address in addresses():
        if address.name in {"logout", "login"}:
            continue
        row = row_of(address)
        assert row
        for method, allowed in zip(("get", "post"), row, strict=True):
            path = address.path()
            with transaction.atomic():
                answer = getattr(client, method)(path, {})
                transaction.set_rollback(True)
            assert answer.status_code < 500, (method, path)
            is_open = answer.status_code != 403
            if is_open != (role in allowed):
                wrong.append((method, path, answer.status_code))
    assert wrong == []


def test_nobody_gets_in_without_a_login_or_as_a_customer(world: None) -> None:
    outsider = User.objects.create_user("outsider", password="x")
    outsider.user_permissions.set(Permission.objects.all())
    for client in (Client(), client_of(outsider)):
        for address in addresses():
            if address.name in {"login", "logout"}:
                continue
            for method in ("get", "post"):
                answer = getattr(client, method)(address.path(), {})
                assert answer.status_code in {302, 405}, address
                assert answer.status_code == 405 or "/admin/login/" in answer.headers["Location"], address


def actions_of(user: Any) -> set[str]:
    request = RequestFactory().get("/admin/")
    request.user = user
    return {
        f"{model._meta.label_lower} {name}"
        for model, model_admin in admin.site._registry.items()
        for name in model_admin.get_actions(request)
    }


@pytest.mark.parametrize("role", sorted(ALL))
def test_each_role_has_its_actions(world: None, role: str) -> None:
    user = member(role)
    assert actions_of(user) == {action for action, roles in ACTIONS.items() if role in roles}
    client = client_of(user)
    for action in (action for action, roles in ACTIONS.items() if role not in roles):
        label, name = action.split()
        model = next(model for model in admin.site._registry if model._meta.label_lower == label)
        before = list(model._default_manager.order_by("pk").values())
        chosen = [row["pk" if "pk" in row else "id"] for row in before]
        path = f"/admin/{label.replace('.', '/')}/"
        client.post(path, {"action": name, "_selected_action": chosen, "post": "yes"})
        assert list(model._default_manager.order_by("pk").values()) == before, action


def test_each_permission_that_a_role_names_exists() -> None:
    known = set(Permission.objects.values_list("content_type__app_label", "codename"))
    named = {permission for role in Role for permission in permissions_of(role)}
    # Classes whose rows nobody can add, change or delete have no such permission.
    assert {tuple(one.split(".")) for one in named if "view_" in one} <= known
    for role in Role:
        has = Group.objects.get(name=role.value).permissions.values_list(
            "content_type__app_label", "codename"
        )
        assert {f"{app}.{codename}" for app, codename in has} <= permissions_of(role)


def test_a_role_is_put_right_and_a_group_of_ones_own_is_left_alone() -> None:
    viewer, own = Group.objects.get(name="Viewer"), Group.objects.create(name="Interns")
    every = Permission.objects.all()
    viewer.permissions.set(every)
    own.permissions.set(every)
    establish()
    assert not viewer.permissions.filter(codename="delete_user").exists()
    assert own.permissions.count() == every.count()


def test_an_administrator_makes_nobody_a_superuser_and_touches_none(world: None) -> None:
    boss = User.objects.create_superuser("boss", password="x")
    client = client_of(member("Administrator"))
    path = f"/admin/auth/user/{boss.pk}/"
    assert client.post(f"{path}change/", {"username": "mine"}).status_code == 403
    assert (
        client.post(f"{path}password/", {"password1": "hijacked-1", "password2": "hijacked-1"}).status_code
        == 403
    )
    client.post(f"{path}delete/", {"post": "yes"})
    client.post(
        "/admin/auth/user/", {"action": "delete_selected", "_selected_action": [boss.pk], "post": "yes"}
    )
    client.post("/admin/auth/user/", {"action": "end_sessions", "_selected_action": [boss.pk]})
    other = member("Viewer")
    client.post(
        f"/admin/auth/user/{other.pk}/change/",
        {"username": "Viewer", "is_active": "on", "is_staff": "on", "is_superuser": "on", "everywhere": "on"},
    )
    boss.refresh_from_db()
    other.refresh_from_db()
    assert (boss.username, boss.check_password("x"), other.is_superuser) == ("boss", True, False)
