"""Calling the visitor's door as a browser does, or a stranger."""

import json
from typing import Any

from django.test import Client

from signalize_console.recipients.subscribing import PushSubscription
from signalize_console.websites.models import Website
from tests.makers import ORIGIN

FIELDS = ["timestamp", "status", "error", "message", "path", "errorCode"]


def body_of(push: PushSubscription, client_id: str = "1" * 32, **changed: Any) -> dict[str, Any]:
    keys = {"p256dh": push.p256dh, "auth": push.auth}
    body = {
        "clientId": client_id,
        "language": "de-DE",
        "timeZone": "Europe/Berlin",
        "applicationServerKey": push.application_server_key,
        "subscription": {"endpoint": push.endpoint, "expirationTime": None, "keys": keys},
    }
    return {**body, **changed}


def post(
    path: str, body: Any, origin: str | None = ORIGIN, address: str = "127.0.0.1", **headers: str
) -> Any:
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    sent = {**({"Origin": origin} if origin else {}), **headers}
    client = Client(raise_request_exception=False)
    return client.post(path, data, "application/json", headers=sent, REMOTE_ADDR=address)


def path_of(website: Website, name: str = "subscriptions") -> str:
    return f"/browser/{website.secure_code}/{name}"
