"""What a browser gets: Declarative Web Push JSON, in the recipient's language, and never too large."""

import json

import pytest

from signalize_console.messaging import rendering
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import (
    DELIVERY_TRANSITIONS,
    MESSAGE_TRANSITIONS,
    DeliveryState,
    MessageState,
)
from tests.makers import make_text

TEXTS = [
    make_text(language="en"),
    make_text(language="de", standard=False),
    make_text(language="pt-BR", standard=False),
]


@pytest.mark.parametrize(
    ("language", "chosen"),
    [
        ("en", "en"),
        ("de", "de"),
        ("de-AT", "de"),
        ("DE", "de"),
        ("pt-BR", "pt-BR"),
        ("pt-br", "pt-BR"),
        ("pt", "en"),
        ("fr", "en"),
        ("", "en"),
    ],
)
def test_it_speaks_the_nearest_language(language: str, chosen: str) -> None:
    assert rendering.text_for(TEXTS, language).language == chosen


def test_it_says_what_the_specification_asks_for() -> None:
    message = PushMessage(pk=7, icon="https://shop.example/i.png", require_interaction=True)
    text = make_text(
        first_button="Track", second_button="Help", second_button_link="https://shop.example/help"
    )

    said = json.loads(rendering.payload(rendering.notification(message, text), "token", 1_800_000_000.9))

    assert said == {
        "web_push": 8030,
        "notification": {
            "title": "Hello", "body": "You", "navigate": "https://shop.example/order", "lang": "en",
            "icon": "https://shop.example/i.png", "tag": "push-message-7", "requireInteraction": True,
            "actions": [
                {"action": "button-1", "title": "Track", "navigate": "https://shop.example/order"},
                {"action": "button-2", "title": "Help", "navigate": "https://shop.example/help"},
            ],
            "data": {"token": "token", "expires": 1_800_000_000},
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Test: Hello Ada"), ("de", "Test: Hello Ada"), ("fr", "Test: Hello Ada")]
)
def test_a_test_says_so_in_its_title(language: str, title: str) -> None:
    text = make_text(language=language, title="Hello {{ name }}")
    said = rendering.notification(PushMessage(pk=7, test=True), text, {"name": "Ada"})
    assert (said["title"], said["body"]) == (title, "You")
    assert rendering.notification(PushMessage(pk=7), text, {"name": "Ada"})["title"] == "Hello Ada"


def test_the_mark_of_a_test_counts_among_what_push_services_carry() -> None:
    message = PushMessage(pk=7)
    text = make_text(message="")
    while True:
        text.message += "x"
        try:
            rendering.check_size(message, [text])
        except rendering.TooLarge:
            break
    text.message = text.message[:-1]
    rendering.check_size(message, [text])
    message.test = True
    with pytest.raises(rendering.TooLarge):
        rendering.check_size(message, [text])


def test_safari_gets_links_that_carry_the_report() -> None:
    text = make_text(
        first_button="Track", second_button="Help", second_button_link="https://shop.example/#help"
    )
    content = rendering.notification(PushMessage(pk=7), text)

    said = json.loads(rendering.payload(content, "1.2.mac", 9, person="p", spread=3, declarative=True))

    notification = said["notification"]
    assert notification["navigate"] == "https://shop.example/order#et_push=1.2.mac"
    assert [one["navigate"] for one in notification["actions"]] == [
        "https://shop.example/order#et_push=1.2.mac~button-1",
        "https://shop.example/#help",
    ]
    assert notification["data"] == {"token": "1.2.mac", "expires": 9, "spread": 3, "person": "p"}
    assert said["mutable"] is True
    assert content["navigate"] == "https://shop.example/order"


def test_what_fits_in_the_check_fits_on_the_wire() -> None:
    message = PushMessage(pk=2**62)
    text = make_text(message="ä" * 500, link="https://shop.example/" + "x" * 900)

    rendering.check_size(message, [text])
    with pytest.raises(rendering.TooLarge, match="en"):
        rendering.check_size(message, [make_text(message="漢" * 900)])


@pytest.mark.parametrize(
    ("transitions", "states", "start", "ends"),
    [
        (MESSAGE_TRANSITIONS, MessageState, MessageState.DRAFT, {"cancelled"}),
        (DELIVERY_TRANSITIONS, DeliveryState, DeliveryState.PENDING,
         {"accepted", "gone", "failed", "expired", "cancelled", "suppressed", "unknown"}),
    ],
)  # fmt: skip
def test_every_state_can_be_reached_and_ends_are_ends(
    transitions: dict, states: type, start: str, ends: set[str]
) -> None:
    reached, waiting = set(), [start]
    while waiting:
        state = waiting.pop()
        reached.add(state)
        waiting += transitions[state] - reached
    assert reached == set(states)
    assert {state.value for state, following in transitions.items() if not following} == ends
