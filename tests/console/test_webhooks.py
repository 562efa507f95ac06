"""Webhooks in the console: a secret shown once, the switch, the log, and telling again."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from signalize_console.webhooks import endpoints, signing
from signalize_console.webhooks.models import WebhookDelivery, WebhookEndpoint
from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.console.test_console import XSS
from tests.makers import make_recipient

pytestmark = pytest.mark.django_db
ENDPOINTS, LOG = "/admin/webhooks/webhookendpoint/", "/admin/webhooks/webhookdelivery/"


def act(client: Client, path: str, action: str, number: int) -> str:
    answer = client.post(path, {"action": action, "_selected_action": [number]}, follow=True)
    return answer.content.decode()


def shown_secret(page: str) -> str:
    found = re.search(r"whsec_[A-Za-z0-9+/]{43}=", page)
    assert found
    return found[0]


def make_row(endpoint: WebhookEndpoint, **fields: object) -> WebhookDelivery:
    now = timezone.now()
    return WebhookDelivery.objects.create(
        endpoint=endpoint, webhook_id="event-1", kind="clicked", occurred_at=now, give_up_at=now, **fields
    )


def test_the_secret_is_shown_once_and_changed_without_a_break(boss: Client, website: Website) -> None:
    form = {"website": website.pk, "url": "https://hooks.example.com/", "kinds": ["clicked", "shown"]}
    secret = shown_secret(boss.post(f"{ENDPOINTS}add/", form, follow=True).content.decode())
    endpoint = WebhookEndpoint.objects.get()
    assert [signing.as_text(one) for one in endpoint.secrets(0)] == [secret]
    change = f"{ENDPOINTS}{endpoint.pk}/change/"
    assert "whsec_" not in boss.get(ENDPOINTS).content.decode() + boss.get(change).content.decode()
    renewed = shown_secret(act(boss, ENDPOINTS, "rotate_secret", endpoint.pk))
    endpoint.refresh_from_db()
    assert [signing.as_text(one) for one in endpoint.secrets(0)] == [renewed, secret]

    boss.post(change, {"url": "https://hooks.example.com/new", "kinds": ["closed"]})
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.kinds) == ("https://hooks.example.com/new", ["closed"])
    assert [signing.as_text(one) for one in endpoint.secrets(0)] == [renewed, secret]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"url": "http://hooks.example.com/"}, "https://"),
        ({"kinds": []}, "required"),
        ({"kinds": ["clacked"]}, "not one of the available choices"),
    ],
)
def test_a_wrong_field_is_explained(boss: Client, website: Website, changed: dict, said: str) -> None:
    form = {"website": website.pk, "url": "https://hooks.example.com/", "kinds": ["clicked"], **changed}
    assert said in boss.post(f"{ENDPOINTS}add/", form).content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_it_is_switched_off_and_on_and_says_why(boss: Client, website: Website) -> None:
    endpoint = endpoints.create(website, "https://hooks.example.com/", ["clicked"]).endpoint
    assert "switched off by a person" in act(boss, ENDPOINTS, "disable", endpoint.pk)
    endpoint.refresh_from_db()
    assert not endpoint.active
    act(boss, ENDPOINTS, "enable", endpoint.pk)
    endpoint.refresh_from_db()
    assert (endpoint.active, endpoint.disabled_because) == (True, "")


def test_the_log_shows_what_is_told_and_tells_it_again(boss: Client, website: Website) -> None:
    endpoint = endpoints.create(website, "https://hooks.example.com/", ["clicked"]).endpoint
    recipient = make_recipient(website, customer_id=XSS)
    row = make_row(
        endpoint, recipient=recipient, state="failed", reason="given_up", answer=XSS, facts={XSS: XSS}
    )
    page = boss.get(f"{LOG}{row.pk}/change/").content.decode()
    assert recipient.client_id in page
    assert "<script>alert" not in page
    assert "3 days" in page
    assert "Told once more: 1" in act(boss, LOG, "redeliver", row.pk)
    row.refresh_from_db()
    assert (row.state, row.reason) == ("pending", "")
    assert row.give_up_at > timezone.now()


def test_who_may_only_look_changes_nothing(website: Website) -> None:
    endpoint = endpoints.create(website, "https://hooks.example.com/", ["clicked"]).endpoint
    row = make_row(endpoint, state="failed")
    viewer = log_in("view_webhookendpoint", "view_webhookdelivery")
    for action in ("rotate_secret", "disable"):
        act(viewer, ENDPOINTS, action, endpoint.pk)
    act(viewer, LOG, "redeliver", row.pk)
    assert viewer.post(f"{ENDPOINTS}add/", {}).status_code == 403
    before = bytes(endpoint.sealed_secret)
    endpoint.refresh_from_db()
    row.refresh_from_db()
    assert (bytes(endpoint.sealed_secret), endpoint.active, row.state) == (before, True, "failed")
