"""Condition by condition: the verdict is the segment's own, and what decides it is what would have to change."""

import datetime
import json
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings

from signalize_console.audiences.compiler import freeze
from signalize_console.audiences.judging import Verdict, judge
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.audiences.test_oracle import reached, trees
from tests.audiences.worlds import AT, World
from tests.makers import make_recipient, make_subscription, make_website

pytestmark = pytest.mark.django_db

GERMAN = {"field": "language", "op": "equals", "value": "de"}
SPORT = {"field": "interest", "op": "equals", "value": "sport"}
NEWS = {"field": "interest", "op": "equals", "value": "news"}
WINDOWS = {"field": "platform", "op": "equals", "value": "windows"}


@pytest.fixture
def website() -> Website:
    return make_website()


def verdict_on(recipient: Recipient, tree: dict[str, Any]) -> Verdict:
    (subscription,) = recipient.subscriptions.all()
    return judge(recipient, {1: freeze(tree, timezone.now())})[1][subscription.pk]


@pytest.mark.parametrize(
    ("tree", "is_in", "decisive"),
    [
        (GERMAN, True, [(GERMAN, True)]),
        ({"all": [GERMAN, SPORT, NEWS]}, False, [(SPORT, False)]),
        ({"any": [SPORT, NEWS]}, True, [(NEWS, True)]),
        ({"any": [SPORT, WINDOWS]}, False, [(SPORT, False), (WINDOWS, False)]),
        ({"all": [GERMAN, {"not": NEWS}]}, False, [(NEWS, True)]),
        ({"not": {"any": [SPORT, {"all": [GERMAN, NEWS]}]}}, False, [(GERMAN, True), (NEWS, True)]),
    ],
)
def test_what_decides_is_named(
    website: Website, tree: dict[str, Any], is_in: bool, decisive: list[tuple[Any, bool]]
) -> None:
    recipient = make_recipient(website, language="de-AT", interests=["news"])
    make_subscription(website, recipient=recipient, platform="android")

    assert verdict_on(recipient, tree) == Verdict(is_in, decisive)  # type: ignore[arg-type]


def test_each_subscription_has_its_own_verdict_and_each_segment_its_own_now(website: Website) -> None:
    recipient = make_recipient(website)
    windows = make_subscription(website, recipient=recipient, platform="windows")
    other = make_subscription(website, recipient=recipient, platform="macos")
    lately = {"field": "firstVisit", "op": "after", "value": {"daysAgo": 1}}
    now = timezone.now()

    found = judge(
        recipient,
        {
            1: freeze(WINDOWS, now),
            2: freeze(lately, now),
            3: freeze(lately, now + datetime.timedelta(days=7)),
            4: {"tree": {"field": "of a newer version"}, "at": now.isoformat()},
        },
    )

    assert {key: [found[key][one.pk].is_in for one in (windows, other)] for key in found} == {
        1: [True, False],
        2: [True, True],
        3: [False, False],
    }


def test_the_verdict_is_the_compilers() -> None:
    world = World(7, size=15)
    seen: set[bool] = set()

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(trees([message.pk for message in world.messages], [one.pk for one in world.lists]))
    def agrees(tree: dict[str, Any]) -> None:
        expected = set(reached(world, tree))
        for known in world.known[:4]:
            frozen = json.loads(json.dumps(freeze(tree, AT)))
            verdict = judge(known.recipient, {0: frozen})[0][known.subscription.pk]
            assert verdict.is_in == (known.subscription.pk in expected)
            assert verdict.decisive
            seen.add(verdict.is_in)

    agrees()
    assert seen == {True, False}
