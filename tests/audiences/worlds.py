"""Recipients and what happened to them, made at random out of few values, so that conditions often meet them."""

import datetime
import random
from dataclasses import dataclass, field
from typing import Any

from signalize_console.activity.models import Event
from signalize_console.audiences.models import ListMember, RecipientList
from signalize_console.deliveries import outbox
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website
from tests.makers import make_message, make_push, make_recipient, make_subscription, make_text, make_website

AT = datetime.datetime(2026, 5, 1, 12, tzinfo=datetime.UTC)
NAMES = ["city", "age", "vip", "birthday", 'quo"te', "%s"]
TEXTS = [
    "Berlin",
    "berlin",
    "Bern",
    "b",
    "",
    "1",
    "100%",
    "it's",
    'a"b',
    "Ölberg",
    "ö",
    "2026-04-01",
    "2026-04-30T09:00",
    "2026-99-99",
]
NUMBERS = [0, 1, -1, 1.0, 2, 2.5, 10, 1_000_000_000_000, 0.1]
DAYS = ["2026-04-01", "2026-04-24", "2026-05-01", "2026-05-08", "1990-02-28"]
JSONS: list[Any] = [*TEXTS, *NUMBERS, True, False, None, ["Berlin"], {"a": 1}, *DAYS]
INTERESTS = ["sport", "news", "Sport", "a,b", "{x}"]
LANGUAGES = ["", "de", "de-AT", "DE", "den", "en", "en-GB"]
PLATFORMS = ["windows", "android", "ios", ""]
SERVICES = ["fcm", "mozilla", "apple"]
CUSTOMERS = ["", "c-1", "c-2"]
EVENTS = ["order", "insertToBasket", "viewProduct"]
PRODUCTS = ["42", "A-1"]
PAGES = ["/", "/sale", "/SALE/shoes", "/50%_off"]
MESSAGES = [0, 1, 2]
LISTS = [0, 1]
DISTANCES = [0, 0.2, 0.4, 0.6, 5, 23.9, 24, 24.1, 24 * 7, 24 * 7.5, 24 * 40]


def moment(rng: random.Random) -> datetime.datetime:
    """At or around the borders that conditions name; sometimes after the segment's now."""
    return AT - datetime.timedelta(hours=rng.choice(DISTANCES) * rng.choice([1, 1, 1, 1, -1]))


@dataclass
class Known:
    """What the oracle knows of one subscription and its recipient."""

    subscription: Subscription
    recipient: Recipient
    events: list[Event] = field(default_factory=list)
    accepted: list[tuple[int, datetime.datetime]] = field(default_factory=list)
    lists: set[int] = field(default_factory=set)


class World:
    def __init__(self, seed: int, size: int = 40) -> None:
        self.rng = random.Random(seed)
        self.website: Website = make_website()
        self.messages = [self._message() for _number in MESSAGES]
        self.lists = [
            RecipientList.objects.create(website=self.website, name=f"List {number}") for number in LISTS
        ]
        self.known = [one for _number in range(size) for one in self._recipient()]
        ended = make_subscription(self.website)
        Subscription.objects.filter(pk=ended.pk).update(state="expired")
        make_subscription(make_website(name="Other"), recipient=self.known[0].recipient)

    def _message(self) -> PushMessage:
        accepted = outbox.send(
            make_message(self.website), [make_text()], [make_subscription(self.website).recipient]
        )
        Delivery.objects.all().delete()
        Subscription.objects.filter(website=self.website).update(state="expired")
        return PushMessage.objects.get(pk=accepted.message_id)

    def _recipient(self) -> list[Known]:
        rng = self.rng
        recipient = make_recipient(
            self.website,
            attributes={name: rng.choice(JSONS) for name in rng.sample(NAMES, rng.randint(0, 4))},
            interests=rng.sample(INTERESTS, rng.randint(0, 3)),
            language=rng.choice(LANGUAGES),
            customer_id=rng.choice(CUSTOMERS),
            created_at=moment(rng),
            seen_at=moment(rng),
        )
        events = [self._event(recipient) for _number in range(rng.randint(0, 12))]
        known = []
        for _number in range(rng.choice([1, 1, 1, 2])):
            subscription = make_subscription(
                self.website,
                make_push(self.website),
                recipient=recipient,
                push_service=rng.choice(SERVICES),
                platform=rng.choice(PLATFORMS),
                created_at=moment(rng),
            )
            known.append(Known(subscription, recipient, events))
        accepted = [
            self._delivery(known[0].subscription, message) for message in self.messages if rng.random() < 0.4
        ]
        on = [one for one in self.lists if rng.random() < 0.3]
        ListMember.objects.bulk_create(ListMember(list=one, recipient=recipient) for one in on)
        for one in known:
            one.accepted = [pair for pair in accepted if pair]
            one.lists = {one.pk for one in on}
        return known

    def _delivery(
        self, subscription: Subscription, message: PushMessage
    ) -> tuple[int, datetime.datetime] | None:
        at, state = moment(self.rng), self.rng.choice(["accepted", "accepted", "failed", "pending"])
        Delivery.objects.create(
            day=message.day,
            push_message=message,
            subscription=subscription,
            recipient_id=subscription.recipient_id,
            push_service=subscription.push_service,
            state=state,
            answered_at=at,
        )
        return (message.pk, at) if state == "accepted" else None

    def _event(self, recipient: Recipient) -> Event:
        rng, at = self.rng, moment(self.rng)
        kind = rng.choice(["page_view", "page_view", "event", "event", "shown", "clicked", "closed"])
        event = Event(
            day=at.date(),
            website=self.website,
            recipient=recipient,
            kind=kind,
            name=rng.choice(EVENTS) if kind == "event" else "",
            push_message_id=rng.choice(self.messages).pk if kind in {"shown", "clicked", "closed"} else None,
            properties=self._properties() if kind == "event" else self._page() if kind == "page_view" else {},
            occurred_at=at,
        )
        event.save()
        return event

    def _page(self) -> dict[str, Any]:
        return self.rng.choice([{}, *({"page": page} for page in PAGES)])

    def _properties(self) -> dict[str, Any]:
        rng = self.rng
        product = {"id": rng.choice([*PRODUCTS, 42])}
        places: list[dict[str, Any]] = [
            {},
            {"product": product},
            {"products": [{"id": "other"}, product]},
            {"basket": {"products": [{"product": product}]}},
            {"product": "42"},
        ]
        worth: list[dict[str, Any]] = [
            {},
            {"value": 10},
            {"value": 2.5},
            {"orderPrice": "99.90"},
            {"value": "x"},
        ]
        named = {name: rng.choice(JSONS) for name in rng.sample(NAMES, 2)}
        return {**named, **rng.choice(places), **rng.choice(worth)}
