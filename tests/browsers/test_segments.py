"""The segment builder and the composer's audience, in Chromium: by mouse and keyboard, and for everybody."""

import json
from typing import Any

import pytest

from tests.browsers.chromium import Chromium
from tests.browsers.console import Console
from tests.browsers.look import SIZES, log_in
from tests.browsers.opt_in import complaints

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ADD = "/admin/audiences/segment/add/"
SEED = """
from signalize_console.recipients.models import Recipient, Subscription, endpoint_hash
from signalize_console.websites.models import Website
website = Website.objects.get(name="Demo shop")
for number in range(8):
    one = Recipient.objects.create(website=website, language="de" if number < 5 else "en",
        interests=["sport"] if number % 2 else [], attributes={"age": number, "city": "Bern"})
    endpoint = f"https://push.example/{number}"
    Subscription.objects.create(website=website, recipient=one, vapid_key=website.vapid_key, endpoint=endpoint,
        endpoint_hash=endpoint_hash(endpoint), p256dh="", auth="", push_service="fcm", platform="android")
print(website.pk)
"""
NEWEST = """
import json
from signalize_console.audiences.models import Segment
print(json.dumps(Segment.objects.values("name", "definition", "count").latest("pk")))
"""
REACH = "document.querySelector('aside.reach').innerText"
# The page cuts off what is too wide: look at each control and the card that it is in.
SPILLING = """[...document.querySelectorAll('.segment-main :is(input, select, textarea, button)')]
    .filter((one) => one.offsetParent && one.getBoundingClientRect().right >
        one.closest('.module, .card').getBoundingClientRect().right).map((one) => one.outerHTML)"""
ROW = "[...document.querySelectorAll('.segment-row')].at({})"


@pytest.fixture(scope="module", autouse=True)
def nobody_else(console: Console) -> None:
    console.forget_visitors()


@pytest.fixture(scope="module")
def website(console: Console) -> int:
    return int(console.manage(SEED))


@pytest.fixture
def page(chromium: Chromium, console: Console, website: int) -> Chromium:
    chromium.look(*SIZES["desk"])
    chromium.open(f"{console.origin}/admin/")
    if "login" in chromium.js("location.pathname"):
        log_in(chromium, console)
    chromium.open(console.origin + ADD)
    chromium.wait("!!document.querySelector('.segment-row')")
    return chromium


def say(page: Chromium, element: str, value: Any) -> None:
    """As a person does who fills an input and leaves it."""
    page.js(
        f"(one => {{ one.focus(); one.value = {json.dumps(value)};"
        " for (const kind of ['input', 'change']) one.dispatchEvent(new Event(kind, {bubbles: true})); return 1 })"
        f"({element})"
    )


def within(row: int, selector: str) -> str:
    return f"{ROW.format(row)}.querySelector({json.dumps(selector)})"


def test_a_segment_is_built_by_clicking(page: Chromium, console: Console) -> None:
    assert page.js("document.querySelector('#id_definition').hidden")
    say(page, within(0, "input[type=text]"), "de")
    page.wait(f"{REACH}.includes('Language is “de”') && {REACH}.includes('5 subscriptions')")

    page.tap("[...document.querySelectorAll('.segment-add')].find(one => one.textContent === 'Add group')")
    say(page, within(-1, ".segment-field"), "attribute")
    say(page, within(-1, "[aria-label=Name]"), "age")
    kind = within(-1, '[aria-label="Kind of value"]')
    page.wait(f"{kind}.value === 'number'")
    say(page, within(-1, "[aria-label=Comparison]"), "atLeast")
    say(page, within(-1, "[aria-label=Value]"), "3")
    page.wait(f"{REACH}.includes('“age” is at least 3') && {REACH}.includes('2 subscriptions')")
    page.tap(within(-1, ".segment-not input"))
    page.wait(
        f"{REACH}.includes('not (attribute “age” is at least 3)') && {REACH}.includes('3 subscriptions')"
    )

    say(page, "document.querySelector('#id_name')", "Young Germans")
    page.click("[name=_save]")
    page.wait("document.body?.innerText.includes('Young Germans reaches 3 subscriptions.')")
    older = {"field": "attribute", "name": "age", "type": "number", "op": "atLeast", "value": 3}
    german = {"field": "language", "op": "equals", "value": "de"}
    assert json.loads(console.manage(NEWEST)) == {
        "name": "Young Germans",
        "definition": {"all": [german, {"any": [{"not": older}]}]},
        "count": 3,
    }


def test_a_mistake_is_told_at_its_row(page: Chromium) -> None:
    page.wait(f"{REACH}.includes('Fill in what is missing')")
    error = within(0, ".segment-error")
    page.wait(f"{error}.classList.contains('quiet')")
    page.js(f"({within(0, 'input[type=text]')}.focus(), document.querySelector('#id_name').focus(), 1)")
    say(page, within(0, ".segment-field"), "visits")
    say(page, within(0, "[aria-label=Value]"), "1.5")
    page.js("(document.querySelector('#id_name').focus(), 1)")
    page.wait(f"{error}.textContent === 'Give a whole number, 0 or more.'")
    assert page.js(f"{ROW.format(0)}.classList.contains('segment-wrong')")
    say(page, within(0, "[aria-label=Value]"), "0")
    page.wait(f"{error}.textContent === '' && {REACH}.includes('subscriptions')")


def test_rows_come_and_go_by_keyboard(page: Chromium) -> None:
    page.js(f"({within(0, '.segment-field')}.focus(), 1)")
    focused = "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent)"
    walked = [page.js(focused)]
    while walked[-1] != "Add condition" and len(walked) < 12:
        page.press("Tab", 9)
        walked.append(page.js(focused))
    assert walked == ["What to look at", "Comparison", "Value", "Remove", "Add condition"]
    page.press(" ", 32)
    assert page.js("document.querySelectorAll('.segment-row').length") == 2
    assert page.js(f"document.activeElement === {within(1, '.segment-field')}")
    page.js(f"({within(1, '.segment-remove')}.focus(), document.activeElement.click(), 1)")
    assert page.js("document.querySelectorAll('.segment-row').length") == 1
    assert page.js(f"document.activeElement === {within(0, '.segment-field')}")


def test_json_and_rows_are_two_views_of_one_thing(page: Chromium) -> None:
    tree = {
        "any": [
            {"not": {"all": [{"field": "platform", "op": "in", "value": ["android", "ios"]}]}},
            {"not": {"any": [{"field": "lastVisit", "op": "before", "value": {"daysAgo": 3}}]}},
            {"field": "event", "name": "order", "op": "atLeast", "value": 2, "within": {"hours": 5},
             "properties": [{"name": "city", "type": "text", "op": "in", "value": ["a", "b"]}]},
            {"field": "attribute", "name": "vip", "type": "boolean", "op": "equals", "value": False},
            {"field": "attribute", "name": "born", "type": "date", "op": "after", "value": "2001-02-03"},
            {"field": "subscribed", "op": "after", "value": "2026-05-01T09:00:00.000Z"},
            {"field": "customerId", "op": "exists"},
            {"field": "messageClicked", "op": "equals", "value": 0, "message": 999},
            {"field": "list", "op": "equals", "value": 999},
            {"field": "purchaseValue", "op": "greater", "value": 49.9, "product": "A"},
            {"field": "pageViews", "op": "atLeast", "value": 1, "page": "/sale"},
            {"not": {"field": "interest", "op": "equals", "value": "sport"}},
        ]
    }  # fmt: skip
    toggle = "[...document.querySelectorAll('.segment-add')].find(one => one.textContent.startsWith('Edit '))"
    page.tap(toggle)
    say(page, "document.querySelector('#id_definition')", json.dumps(tree))
    page.tap(toggle)
    page.wait("document.querySelectorAll('.segment-row').length === 12")
    assert json.loads(page.js("document.querySelector('#id_definition').value")) == tree
    page.wait(f"{REACH}.includes('Not (platform is one of “Android”, “iOS”)')")

    page.tap(toggle)
    say(page, "document.querySelector('#id_definition')", "{")
    page.tap(toggle)
    page.wait("document.body.innerText.includes('This JSON can\\'t be read')")
    assert not page.js("document.querySelector('#id_definition').hidden")


@pytest.mark.parametrize(("size", "dark"), [(size, dark) for size in SIZES for dark in (False, True)])
def test_it_is_for_everybody(page: Chromium, console: Console, size: str, dark: bool) -> None:
    page.look(*SIZES[size], dark=dark)
    page.open("about:blank")
    page.open(console.origin + ADD)
    page.wait("!!document.querySelector('.segment-row')")
    say(page, within(0, "input[type=text]"), "de")
    page.wait(f"{REACH}.includes('subscriptions')")
    assert page.js(SPILLING) == []
    assert complaints(page, "#content") == []


def test_the_composer_counts_as_one_chooses(page: Chromium, console: Console) -> None:
    console.manage(
        "from signalize_console.audiences.models import Segment\n"
        "from signalize_console.websites.models import Website\n"
        "Segment.objects.get_or_create(website=Website.objects.get(name='Demo shop'), name='English',"
        " defaults={'definition': {'field': 'language', 'op': 'equals', 'value': 'en'}})"
    )
    page.open(f"{console.origin}/admin/messaging/pushmessage/add/")
    found = "document.querySelector('[data-reach]').innerText"
    page.wait(f"{found}.includes('of 8 that are active')")
    assert page.js(f"{found}.includes('8 subscriptions')")
    options = "[...document.querySelector('#id_segment').options]"
    english = page.js(f"{options}.find(one => one.textContent === 'English').value")
    say(page, "document.querySelector('#id_segment')", english)
    page.wait(f"{found}.includes('3 subscriptions')")
    say(page, "document.querySelector('#id_segment')", "")
    page.tap(f"document.querySelector('[name=leave_out][value=\"{english}\"]')")
    page.wait(f"{found}.includes('5 subscriptions')")
    assert page.js("new URL(document.querySelector('#add_id_segment').href).searchParams.get('website')")
    assert complaints(page, ".field-leave_out, .field-reaches") == []
