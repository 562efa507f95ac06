"""The REST face of webhooks: made with a secret that is told once, changed, and their log."""

from typing import Any

import pytest
from django.utils import timezone

from signalize_console.api.errors import ErrorCode
from signalize_console.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.api.calling import Api, read_six_fields

WEBHOOKS = "/v3/webhooks"
NEW = {"url": "https://crm.example/push", "kinds": ["clicked", "accepted", "clicked"]}


@pytest.fixture
def webhook(api: Api) -> dict[str, Any]:
    return dict(api.post(NEW, WEBHOOKS).json())


def test_its_secret_is_told_once(api: Api, webhook: dict[str, Any]) -> None:
    assert webhook["secret"].startswith("whsec_")
    assert webhook["kinds"] == ["accepted", "clicked"]
    path = f"{WEBHOOKS}/{webhook['webhookId']}"
    assert "secret" not in api.get(path).json()
    rotated = api.post(b"", f"{path}/secret").json()
    assert rotated["secret"] != webhook["secret"]
    listed = api.get(WEBHOOKS)
    assert [one["webhookId"] for one in listed.json()["items"]] == [webhook["webhookId"]]
    for secret in (webhook["secret"], rotated["secret"]):
        assert secret not in listed.content.decode()


def test_it_is_changed_switched_off_and_on_and_deleted(api: Api, webhook: dict[str, Any]) -> None:
    path = f"{WEBHOOKS}/{webhook['webhookId']}"
    changed = api.send("PATCH", path, {"kinds": ["failed"], "active": False}).json()
    assert (changed["kinds"], changed["active"], changed["disabledBecause"]) == (["failed"], False, "by_hand")
    assert changed["url"] == NEW["url"]
    assert api.send("PATCH", path, {"active": True}).json()["active"]
    assert api.send("DELETE", path).status_code == 204
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**NEW, "url": "http://crm.example/"}, "url"),
        ({**NEW, "url": "https://crm.example/#a"}, "url"),
        ({**NEW, "url": "https://crm.example/" + "x" * 1000}, "url"),
        ({**NEW, "kinds": []}, "kinds"),
        ({**NEW, "kinds": ["opened"]}, "kinds[0]"),
        ({**NEW, "secret": "mine"}, "secret"),
    ],
)
def test_a_bad_one_is_named(api: Api, body: dict[str, Any], field: str) -> None:
    response = api.post(body, WEBHOOKS)
    assert read_six_fields(response, 400, ErrorCode.INVALID_REQUEST).startswith(f"{field}:")


def test_what_it_was_told_is_listed_and_told_once_more(api: Api, webhook: dict[str, Any]) -> None:
    now = timezone.now()
    told = WebhookDelivery.objects.create(
        endpoint_id=webhook["webhookId"], webhook_id="delivery-1", kind="accepted", state="failed",
        occurred_at=now, give_up_at=now, attempts=9,
    )  # fmt: skip
    path = f"{WEBHOOKS}/{webhook['webhookId']}/deliveries"
    (item,) = api.get(f"{path}?state=failed").json()["items"]
    assert (item["eventId"], item["attempts"]) == ("delivery-1", 9)
    again = api.post(b"", f"{path}/{told.pk}/redelivery")
    assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (201, "pending", 0)
    read_six_fields(api.post(b"", f"{path}/{told.pk}/redelivery"), 409, ErrorCode.STATE_CONFLICT)
    assert api.get(f"{path}?state=failed").json()["items"] == []
