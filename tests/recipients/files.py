"""Files of subscriptions as other systems write them, with real keys."""

import csv
import io
import json
from typing import Any

from signalize_console.webpush import vapid
from tests.makers import base64url, make_push


class OldKey:
    """The VAPID key that subscriptions elsewhere were made with."""

    def __init__(self) -> None:
        self.public, private = vapid.generate_keys()
        self.private = base64url(private)


def make_facts(key: OldKey, website: Any, endpoint: str = "") -> dict[str, str]:
    push = make_push(website, endpoint)
    return {
        "endpoint": push.endpoint,
        "p256dh": push.p256dh,
        "auth": push.auth,
        "public": key.public,
        "private": key.private,
    }


def signalize(facts: dict[str, str]) -> dict[str, Any]:
    return {
        "endpoint": facts["endpoint"],
        "userPublicKey": facts["p256dh"],
        "userAuth": facts["auth"],
        "VAPID public key": facts["public"],
        "VAPID private key": facts["private"],
        "_et_coid": "108bf9a8e3f34c6e8e7d5a1b2c3dedb1",
    }


def onesignal(facts: dict[str, str]) -> dict[str, Any]:
    return {
        "id": "6392d91a-b206-4b7b-a620-cd68e32c3a76",
        "identifier": facts["endpoint"],
        "session_count": "3",
        "language": "en",
        "timezone": "3600",
        "external_user_id": "c-17",
        "tags": json.dumps({"club": "gold"}),
        "created_at": "2024-03-01 10:00:00 UTC",
        "invalid_identifier": "f",
        "web_auth": facts["auth"],
        "web_p256": facts["p256dh"],
    }


def pushpad(facts: dict[str, str]) -> dict[str, Any]:
    return {
        "id": 1,
        "endpoint": facts["endpoint"],
        "p256dh": facts["p256dh"],
        "auth": facts["auth"],
        "uid": "u-1",
        "tags": ["news", "sale"],
        "created_at": "2023-05-11T16:32:01.000Z",
    }


def django_push_notifications(facts: dict[str, str]) -> dict[str, Any]:
    fields = {
        "name": "",
        "active": True,
        "user": 5,
        "date_created": "2022-01-02T03:04:05Z",
        "application_id": None,
        "registration_id": facts["endpoint"],
        "p256dh": facts["p256dh"],
        "auth": facts["auth"],
        "browser": "CHROME",
    }
    return {"model": "push_notifications.webpushdevice", "pk": 1, "fields": fields}


def web_push_php(facts: dict[str, str]) -> dict[str, Any]:
    keys = {"p256dh": facts["p256dh"], "auth": facts["auth"]}
    return {"endpoint": facts["endpoint"], "contentEncoding": "aes128gcm", "keys": keys}


def as_csv(*rows: dict[str, Any], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
