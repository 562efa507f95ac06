"""An example for each operation of the OpenAPI document; the tests send and compare them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

CLIENT_ID = "108bf9a8e3f34c6e8e7d5a1b2c3dedb1"


def sent(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


def answered(name: str, value: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)])


def page_of(example: OpenApiExample) -> OpenApiExample:
    """A list of one, with more to come."""
    return answered("A page", {"items": [example.value], "nextCursor": "NDI"})


ORDER_SENT = {
    "recipients": [{"clientId": CLIENT_ID}, {"customerId": "K-4711"}],
    "webPush": {
        "webPushMessageTexts": [
            {
                "language": "en",
                "standard": True,
                "title": "Your order is on its way",
                "message": "It arrives tomorrow between 9 and 12.",
                "link": "https://shop.example/orders/4711",
            },
            {
                "language": "de",
                "title": "Ihre Bestellung ist unterwegs",
                "message": "Sie kommt morgen zwischen 9 und 12 Uhr.",
                "link": "https://shop.example/de/orders/4711",
            },
        ]
    },
}
APPOINTMENT = {
    "recipients": [
        {"customerId": "K-4711", "data": {"first_name": "Ada", "time": "9:30"}},
        {"customerId": "K-4712", "data": {"time": "10:00"}},
    ],
    "webPush": {
        "webPushMessageTexts": [
            {
                "language": "en",
                "title": 'See you tomorrow, {{ first_name | "dear guest" }}',
                "message": "Your appointment is at {{ time }}.",
                "link": "https://salon.example/appointments?at={{time}}",
                "actions": [{"title": "Move it", "link": "https://salon.example/move"}],
            }
        ],
        "urgency": "high",
        "topic": "appointment",
        "ttl": 43_200,
    },
}
BY_TEMPLATE = {
    "templateId": 7,
    "recipients": [{"customerId": "K-4711", "data": {"order": "4711", "total": 59.9}}],
}
ACCEPTED = {
    "messageId": 42,
    "recipients": 1,
    "deliveries": 2,
    "unreachable": [{"customerId": "K-4711", "reason": "notSubscribed"}],
}
RENDERED = [
    {
        "language": "en",
        "notification": {
            "title": "Your order is on its way",
            "body": "It arrives tomorrow between 9 and 12.",
            "navigate": "https://shop.example/orders/4711",
            "lang": "en",
            "tag": "push-message-42",
        },
    }
]
REHEARSED = {
    "dryRun": True,
    "recipients": 1,
    "deliveries": 2,
    "unreachable": [{"customerId": "K-4711", "reason": "notSubscribed"}],
    "rendered": RENDERED,
}
SEND_TO_RECIPIENTS = [
    sent("An order confirmation", ORDER_SENT),
    sent("An appointment, with placeholders", APPOINTMENT),
    sent("By a template", BY_TEMPLATE),
    sent("A rehearsal", {**ORDER_SENT, "dryRun": True}),
    answered("Accepted", ACCEPTED, 201),
    answered("Rehearsed", REHEARSED),
]

# As Signalize documents it, to the letter.
SIGNALIZE = {
    "segmentFilter": {
        "segments": [
            {"name": "custom_segment_SIGNALIZE_INTEREST", "operator": "CONTAINS", "value": "Thema 1"}
        ]
    },
    "validUntil": 1597134207000,
    "webPush": {
        "webPushMessageTexts": [
            {
                "standard": True,
                "language": "de",
                "title": "Hello World!",
                "message": "This is a test-message.",
            }
        ]
    },
}
SALE = {
    "schedule": {"localTime": "2099-12-24T09:00", "timeZone": "Europe/Berlin"},
    "webPush": {
        "webPushMessageTexts": [
            {
                "language": "en",
                "title": "Winter sale",
                "message": "Up to 50 % off.",
                "link": "https://shop.example/sale",
                "actions": [{"title": "For her"}, {"title": "For him", "link": "https://shop.example/him"}],
            }
        ],
        "icon": "https://shop.example/icon.png",
        "image": "https://shop.example/sale.jpg",
        "badge": "https://shop.example/badge.png",
        "tag": "sale",
        "requireInteraction": True,
        "silent": False,
        "utm": {"source": "push", "medium": "web-push", "campaign": "winter-sale"},
    },
}
TEMPLATE_BODY = {
    "status": "TEMPLATE",
    "name": "Order sent",
    "webPush": {
        "webPushMessageTexts": [
            {"language": "en", "title": "Order {{ order }} is on its way", "link": "https://shop.example/"}
        ]
    },
    "variables": [{"name": "order", "example": "4711"}],
}
SEND_TO_AUDIENCE = [
    sent("To everyone, at a local time", SALE),
    sent("As Signalize documents it", SIGNALIZE),
    sent("To a segment", {**SALE, "segmentId": 3}),
    sent("A template", TEMPLATE_BODY),
    answered("Accepted", {"messageId": 42}, 201),
    answered("Rehearsed", {"dryRun": True, "deliveries": 1204, "rendered": RENDERED}),
]

MESSAGE = {
    "messageId": 42,
    "title": "Your order is on its way",
    "state": "sending",
    "audience": "recipients",
    "transactional": True,
    "createdAt": 1795000000000,
    "sendAt": None,
    "validUntil": 1795259200000,
    "finishedAt": None,
    "pausedBecause": "",
}
ONE_DELIVERY = {
    "deliveryId": 815,
    "clientId": CLIENT_ID,
    "customerId": None,
    "pushService": "fcm",
    "state": "accepted",
    "reason": "",
    "attempts": 1,
    "answeredAt": 1795000000120,
    "clicked": True,
    "closed": False,
    "shown": True,
}
COUNTED = {
    "targeted": 1,
    "pending": 0,
    "sending": 0,
    "accepted": 1,
    "gone": 0,
    "failed": 0,
    "expired": 0,
    "cancelled": 0,
    "suppressed": 0,
    "unknown": 0,
    "clicked": 1,
    "closed": 0,
    "shown": 1,
}
PUSH_MESSAGE = answered("A push message", MESSAGE)
DELIVERY = answered("A delivery", ONE_DELIVERY)
REPORT = answered(
    "A finished message",
    {
        **MESSAGE,
        "state": "finished",
        "finishedAt": 1795000000150,
        "statistics": COUNTED,
        "deliveries": [ONE_DELIVERY],
    },
)
GROUP = {"targeted": 3, "accepted": 2, "shown": 2, "clicked": 1, "closed": 0}
BREAKDOWN = answered(
    "By push service and language",
    {
        "messageId": 42,
        "byPushService": {"fcm": GROUP},
        "byLanguage": {"de": GROUP},
        "byVariant": {},
        "failedByReason": {"expired": 1},
    },
)
CHANGES = [
    sent("Cancel", {"action": "cancel"}),
    sent("Another time", {"sendAt": 4070908800000}),
    sent("Another local time", {"schedule": {"localTime": "2099-12-24T09:00", "timeZone": "Europe/Berlin"}}),
]

VARIABLES = [
    {"name": "order", "type": "text", "example": "4711", "required": True, "description": "Its number."},
    {"name": "total", "type": "number", "example": 59.9, "required": False, "description": ""},
]
TEMPLATE_TEXT = {
    "language": "en",
    "standard": True,
    "title": "Order {{ order }} is on its way",
    "message": 'You paid {{ total | "in full" }}.',
    "link": "https://shop.example/orders/{{order}}",
    "actions": [{"title": "Track it", "link": "https://shop.example/track"}],
}
NEW_TEMPLATE = sent(
    "A template",
    {"name": "Order sent", "webPush": {"webPushMessageTexts": [TEMPLATE_TEXT]}, "variables": VARIABLES},
)
SHOWN_TEMPLATE = {
    "templateId": 7,
    "name": "Order sent",
    "createdAt": 1795000000000,
    "variables": VARIABLES,
    "webPush": {
        "webPushMessageTexts": [TEMPLATE_TEXT],
        "requireInteraction": False,
        "silent": False,
        "ttl": 259_200,
        "urgency": "normal",
    },
}
TEMPLATE = OpenApiExample("The template", SHOWN_TEMPLATE, response_only=True)

A_RECIPIENT = {
    "clientId": CLIENT_ID,
    "customerId": "K-4711",
    "language": "de",
    "timeZone": "Europe/Berlin",
    "attributes": {"first_name": "Ada", "orders": 3, "newsletter": True},
    "interests": ["shoes", "sale"],
    "firstSeenAt": 1790000000000,
    "lastSeenAt": 1795000000000,
    "subscribed": True,
}
A_DEVICE = {
    "deviceId": 99,
    "pushService": "fcm",
    "state": "active",
    "subscribedAt": 1790000000000,
    "lastSeenAt": 1795000000000,
    "endedAt": None,
    "endedReason": "",
}
WITH_DEVICES = {**A_RECIPIENT, "devices": [A_DEVICE]}
RECIPIENT = answered("A recipient", A_RECIPIENT)
RECIPIENT_WITH_DEVICES = OpenApiExample("A recipient", WITH_DEVICES, response_only=True)
KNOWN = {
    "language": "de",
    "timeZone": "Europe/Berlin",
    "attributes": {"first_name": "Ada", "orders": 3, "old": None},
    "interests": ["shoes", "sale"],
}
PROFILE = sent("What the shop knows", {"customerId": "K-4711", **KNOWN})
CUSTOMER_PROFILE = sent("What the shop knows", KNOWN)
BULK = sent("Two recipients", {"recipients": [{"clientId": CLIENT_ID, **KNOWN}, {"clientId": "0" * 32}]})
UPSERTED = answered("Stored", {"created": 1, "updated": 1})
CUSTOMER = answered("A customer", {"customerId": "K-4711", "recipients": [WITH_DEVICES]})
UPDATED = answered("Stored", {"updated": 2})
ERASED = answered("Erased", {"erased": 2})
EXPORTED = {
    "recipient": {"clientId": CLIENT_ID, "customerId": "K-4711", "attributes": {"first_name": "Ada"}},
    "subscriptions": [{"pushService": "fcm", "state": "active"}],
    "messages": [],
    "events": [],
    "automations": [],
}
EXPORT = answered("All that is stored", EXPORTED)
CUSTOMER_EXPORT = answered("All that is stored", {"customerId": "K-4711", "recipients": [EXPORTED]})
EVENTS = sent(
    "An order by telephone",
    {"events": [{"name": "order", "properties": {"id": "4711", "total": 59.9}, "occurredAt": 1795000000000}]},
)
RECORDED = answered("Stored", {"recorded": 1}, 201)

WEBSITE = answered(
    "A website",
    {
        "websiteId": 1,
        "name": "Shop",
        "secureCode": "Ab3dEf7h",
        "origins": ["https://shop.example"],
        "vapidPublicKey": "BKa…",
        "createdAt": 1790000000000,
        "subscribers": 1204,
    },
)
DAYS = answered(
    "One day",
    {
        "days": [
            {
                "day": "2026-11-24",
                "messages": 12,
                "targeted": 1200,
                "accepted": 1180,
                "shown": 900,
                "clicked": 80,
                "closed": 200,
                "subscribed": 30,
                "unsubscribed": 2,
            }
        ]
    },
)

DEFINITION = {
    "all": [
        {"field": "language", "op": "equals", "value": "de"},
        {"not": {"field": "interest", "op": "equals", "value": "shoes"}},
    ]
}
NEW_SEGMENT = sent("Germans without shoes", {"name": "Germans without shoes", "definition": DEFINITION})
SEGMENT = OpenApiExample(
    "A segment",
    {
        "segmentId": 3,
        "name": "Germans without shoes",
        "definition": DEFINITION,
        "createdAt": 1795000000000,
        "subscriptions": 980,
        "countedAt": 1795000000000,
    },
    response_only=True,
)
SEGMENT_COUNT = answered(
    "A count",
    {
        "segmentId": 3,
        "subscriptions": 980,
        "countedAt": 1795000000000,
        "sample": [{"clientId": CLIENT_ID, "customerId": "K-4711"}],
    },
)

A_WEBHOOK = {
    "webhookId": 5,
    "url": "https://crm.example/push-events",
    "kinds": ["accepted", "clicked", "failed"],
    "active": True,
    "disabledBecause": "",
    "failingSince": None,
    "createdAt": 1795000000000,
}
WEBHOOK = answered("A webhook", A_WEBHOOK)
NEW_WEBHOOK = sent("A webhook", {"url": A_WEBHOOK["url"], "kinds": A_WEBHOOK["kinds"]})
WEBHOOK_CHANGE = sent("Switch it off", {"active": False})
WEBHOOK_WITH_SECRET = answered(
    "With its secret", {**A_WEBHOOK, "secret": "whsec_c2hvd24gb25seSB0aGlzIG9uY2U="}, 201
)
TOLD = {
    "webhookDeliveryId": 17,
    "eventId": "delivery-4711",
    "kind": "accepted",
    "state": "delivered",
    "reason": "",
    "attempts": 1,
    "statusCode": 204,
    "occurredAt": 1795000000000,
    "answeredAt": 1795000000150,
}
WEBHOOK_DELIVERY = answered("An event", TOLD)
WEBHOOK_REDELIVERED = answered("Told once more", {**TOLD, "state": "pending", "attempts": 0}, 201)
