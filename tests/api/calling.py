"""Calling the REST API as another system does, and judging how it says no."""

import json
import re
from typing import Any

from django.test import Client

from signalize_console.api.errors import ErrorCode
from signalize_console.deliveries.models import Delivery, IdempotencyKey
from signalize_console.messaging.models import PushMessage, PushMessageText

SEND = "/v3/subscriptions/pushmessages"
SIX_FIELDS = {"timestamp": str, "status": int, "error": str, "message": str, "path": str, "errorCode": str}
EVERY_FIELD = {**SIX_FIELDS, "requestId": str, "errors": list}
TEXT = {
    "language": "en",
    "standard": True,
    "title": "Hello",
    "message": "You",
    "link": "https://shop.example/a",
}


class Api:
    """A system that has this key. As on the net, a failure is an answer; as for any client, CSRF is checked."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.client = Client(raise_request_exception=False, enforce_csrf_checks=True)

    def post(
        self, body: object, path: str = SEND, content_type: str = "application/json", **headers: str
    ) -> Any:
        text = body if isinstance(body, bytes | str) else json.dumps(body)
        data = text if isinstance(text, bytes) else text.encode()
        return self.client.generic(
            "POST", path, data, content_type, headers={"X-API-Key": self.key, **headers}
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers={"X-API-Key": self.key, **headers})

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method, path, data, "application/json", headers={"X-API-Key": self.key, **headers}
        )


def body_for(*references: dict[str, str], **text: Any) -> dict[str, Any]:
    return {"recipients": list(references), "webPush": {"webPushMessageTexts": [{**TEXT, **text}]}}


def read_six_fields(response: Any, status: int, code: ErrorCode) -> str:
    """The message of a refusal, once its body is the documented one to the letter."""
    said = response.json()
    assert {name: type(value) for name, value in said.items()} == EVERY_FIELD
    assert list(said) == list(EVERY_FIELD)
    assert said["requestId"] == response.headers["X-Request-Id"]
    assert all(set(one) == {"field", "code", "message"} for one in said["errors"])
    assert said["errors"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", said["timestamp"])
    assert (response.status_code, said["status"], said["errorCode"]) == (status, status, code), said
    assert said["path"] == response.request["PATH_INFO"]
    assert 0 < len(said["message"]) <= 500
    return str(said["message"])


def assert_six_fields(response: Any, status: int, code: ErrorCode) -> str:
    """The message of a refusal that stored nothing, not even half."""
    message = read_six_fields(response, status, code)
    for stored in (PushMessage, PushMessageText, Delivery, IdempotencyKey):
        assert not stored.objects.exists(), stored
    return message
