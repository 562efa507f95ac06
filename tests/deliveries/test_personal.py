"""Messages with placeholders, from accepting them to what the browser decrypts."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from signalize_console.deliveries import outbox, sending
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.websites.models import Website
from tests.deliveries.conftest import Subscribe
from tests.makers import make_message, make_text

pytestmark = pytest.mark.django_db(transaction=True)
TITLE = 'Hello {{ first_name | "you" }}'


def notifications(double: PushServiceDouble) -> list[dict[str, Any]]:
    return [json.loads(one.plaintext)["notification"] for one in double.received]


def titles(double: PushServiceDouble) -> list[str]:
    return sorted(one["title"] for one in notifications(double))


def test_attributes_message_and_delivery_fill_it_in_this_order(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Callable[[], None]
) -> None:
    ada = subscribe(attributes={"first_name": "Ada", "city": "London"}).recipient
    bob = subscribe(attributes={"first_name": "Bob"}).recipient
    nobody = subscribe().recipient
    text = make_text(title=TITLE + " in {{ city }}", link="https://shop.example/{{city}}")

    outbox.send(
        make_message(website, transactional=True, data={"city": "Paris & Rom"}),
        [text],
        [ada, bob, nobody],
        data={bob.pk: {"city": "Berlin"}},
    )
    work()

    assert titles(double) == ["Hello Ada in Paris & Rom", "Hello Bob in Berlin", "Hello you in Paris & Rom"]
    links = {one["navigate"] for one in notifications(double)}
    assert links == {"https://shop.example/Paris%20%26%20Rom", "https://shop.example/Berlin"}


def test_it_is_not_sent_to_whom_it_would_greet_by_no_name(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Callable[[], None]
) -> None:
    subscribe(attributes={"first_name": "Ada"})
    subscribe()

    accepted = outbox.send(make_message(website), [make_text(title="Hello {{ first_name }}")])
    work()
    work()

    assert titles(double) == ["Hello Ada"]
    states = Delivery.objects.order_by("state").values_list("state", "reason")
    assert list(states) == [("accepted", ""), ("suppressed", "value_missing")]
    assert PushMessage.objects.get(pk=accepted.message_id).state == "finished"


def test_a_named_recipient_without_a_value_refuses_all(website: Website, subscribe: Subscribe) -> None:
    ada, other = subscribe(attributes={"order": 1}).recipient, subscribe().recipient
    with pytest.raises(outbox.ValuesMissing) as refused:
        outbox.send(make_message(website), [make_text(title="{{ order }} {{ total }}")], [ada, other])
    assert sorted(refused.value.missing) == [(ada.pk, "total"), (other.pk, "order")]
    assert not PushMessage.objects.exists()


def test_a_message_that_a_value_makes_too_large_is_refused(website: Website, subscribe: Subscribe) -> None:
    ada = subscribe().recipient
    with pytest.raises(outbox.NotAccepted, match="Shorten"):
        outbox.send(
            make_message(website), [make_text(message="{{ a }}" * 4)], [ada], data={ada.pk: {"a": "x" * 1000}}
        )


def test_a_message_without_placeholders_is_rendered_once(
    website: Website, subscribe: Subscribe, work: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _browser in range(5):
        subscribe(attributes={"first_name": "Ada"})
    calls = []
    original = sending.rendering.notification
    monkeypatch.setattr(
        sending.rendering, "notification", lambda *args: calls.append(args) or original(*args)
    )
    accepted = outbox.send(make_message(website), [make_text()])
    calls.clear()
    work()
    assert PushMessage.objects.get(pk=accepted.message_id).state == "finished"
    assert len(calls) == 1
