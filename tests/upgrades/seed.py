"""Run by the code before, on its own tables: a shop with browsers at the push service, and another with SCALE recipients.

Prints what the traffic has to know. ``python seed.py DOOR`` with the working directory and PYTHONPATH of that code.
"""

import datetime
import json
import os
import sys
from typing import Any

import django

AUDIENCE = 100
SERVICE = "mozilla"


def main(door: str) -> None:
    django.setup()
    from signalize_console.api.models import ApiKey
    from signalize_console.api.scopes import EVERYTHING
    from tests.makers import make_website

    shop = make_website()
    _row, key = ApiKey.issue(shop, "upgrade", EVERYTHING, requests_per_minute=10**9)
    clients = subscribe(shop, door)
    fill(make_website(name="Large"), int(os.environ["SCALE"]))
    print(json.dumps({"code": shop.secure_code, "key": key, "clients": clients}))


def subscribe(shop: Any, door: str) -> list[str]:
    from signalize_console.recipients.models import Recipient, Subscription, endpoint_hash
    from tests.faults.push_service import AUTHKEY, Door

    opened = Door(address=door, authkey=AUTHKEY)
    opened.connect()
    made = opened.face().subscribe(SERVICE, shop.vapid_key.public_key, AUDIENCE)  # type: ignore[attr-defined]
    recipients = Recipient.objects.bulk_create(Recipient(website=shop, language="en") for _ in made)
    Subscription.objects.bulk_create(
        Subscription(
            website=shop, recipient=recipient, vapid_key=shop.vapid_key, endpoint=endpoint, p256dh=p256dh,
            auth=auth, endpoint_hash=endpoint_hash(endpoint), push_service=SERVICE,
        )
        for recipient, (endpoint, p256dh, auth) in zip(recipients, made, strict=True)
    )  # fmt: skip
    return [one.client_id for one in recipients]


def fill(website: Any, scale: int) -> None:
    """So many recipients with a subscription each, a message to all of them, its reports, and visits."""
    from django.db import connection
    from django.utils import timezone

    from signalize_console.deliveries import outbox, rolling_up
    from signalize_console.messaging.models import PushMessage
    from tests.benchmarks import admin
    from tests.makers import make_message, make_text

    at = timezone.now() - datetime.timedelta(hours=1)
    with connection.cursor() as cursor:
        values = {"website": website.pk, "key": website.vapid_key.pk, "recipients": scale}
        cursor.execute(
            admin.SEED.replace(
                "FROM recipients_recipient;", "FROM recipients_recipient WHERE website_id = %(website)s;"
            ),
            values,
        )
        message_id = outbox.send(make_message(website), [make_text()]).message_id
        over = {"state": "finished", "due_at": None, "finished_at": at, "valid_until": at}
        PushMessage.objects.filter(pk=message_id).update(day=at.date(), created_at=at, total=scale, **over)
        values |= {"message": message_id, "day": at.date(), "at": at}
        deliveries = admin.DELIVERIES.replace(
            "FROM recipients_subscription;", "FROM recipients_subscription WHERE website_id = %(website)s;"
        )
        for statement in (deliveries, admin.REPORTS, admin.VISITS):
            cursor.execute(statement, values)
        cursor.execute("VACUUM ANALYZE")
    rolling_up.rebuild()


if __name__ == "__main__":
    main(sys.argv[1])
