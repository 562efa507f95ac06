"""The composer as somebody uses it, in Chromium: it saves by itself, helps by keyboard, and sends a test."""

import json
from typing import Any

import pytest

from signalize_console.pushservice.double import PushServiceDouble
from tests.browsers.chromium import Chromium
from tests.browsers.console import Console
from tests.browsers.desktop import Desktop
from tests.browsers.look import log_in
from tests.browsers.opt_in import complaints
from tests.webhooks.receiver import Receiver, answer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
ADD = "/admin/messaging/pushmessage/add/"
ENTER, ESCAPE, RIGHT, DOWN, TAB = (
    ("Enter", 13),
    ("Escape", 27),
    ("ArrowRight", 39),
    ("ArrowDown", 40),
    ("Tab", 9),
)
DIALOG = "document.querySelector('dialog[open]')"


@pytest.fixture(scope="module")
def marketer(chromium: Chromium, console: Console, double: PushServiceDouble) -> Chromium:
    """Somebody who has opted in on the demo page, and is logged in."""
    chromium.permit(console.origin)
    chromium.open(f"{console.origin}/demo/")
    chromium.wait("window.et_signalize && !document.querySelector('#subscribe').disabled")
    chromium.click("#subscribe")
    chromium.wait("et_signalize.isSubscribed()", 30)
    double.wait_for(lambda: double.chromium.devices, 20, "Chromium's push connection")
    log_in(chromium, console)
    return chromium


def write(browser: Chromium, name: str, said: str) -> None:
    browser.js(
        f"(([field]) => {{ field.value = {json.dumps(said)};"
        f" field.dispatchEvent(new Event('input', {{bubbles: true}})) }})(document.getElementsByName({json.dumps(name)}))"
    )


def value(browser: Chromium, name: str) -> str:
    return str(browser.js(f"document.getElementsByName({json.dumps(name)})[0].value"))


def saved(browser: Chromium) -> None:
    browser.wait("document.querySelector('.saved').dataset.look === 'good'")


def press(browser: Chromium, *keys: tuple[str, int]) -> None:
    for key in keys:
        if key == ENTER:
            # Buttons are pressed by the character, not by the key.
            event = {
                "type": "keyDown",
                "key": "Enter",
                "code": "Enter",
                "windowsVirtualKeyCode": 13,
                "text": "\r",
            }
            browser.call("Input.dispatchKeyEvent", event, **browser.session)
        else:
            browser.press(*key)


def type_in(browser: Chromium, said: str) -> None:
    browser.call("Input.insertText", {"text": said}, **browser.session)


def tool(browser: Chromium, field: str, label: str) -> None:
    """Presses a button below a field, by keyboard."""
    browser.js(
        f"[...document.getElementsByName({json.dumps(field)})[0].closest('.form-row').querySelectorAll('.tool')]"
        f".find(one => one.textContent.includes({json.dumps(label)})).focus()"
    )
    press(browser, ENTER)
    browser.wait(f"!!{DIALOG}")


@pytest.fixture
def composer(marketer: Chromium, console: Console) -> Any:
    marketer.open(console.origin + ADD)
    marketer.wait("!!document.querySelector('.tool')")
    write(marketer, "texts-0-title", "Autumn")
    return marketer


def test_a_draft_is_there_after_a_reload(composer: Chromium) -> None:
    saved(composer)
    assert "/change/" in composer.js("location.pathname")
    write(composer, "texts-0-message", "Until Sunday")
    composer.wait("document.querySelector('.saved').dataset.look === ''")
    saved(composer)
    composer.open(composer.js("location.href"))
    assert (value(composer, "texts-0-title"), value(composer, "texts-0-message")) == (
        "Autumn",
        "Until Sunday",
    )


def test_a_second_text_is_saved_once_and_its_removal_waits_for_a_person(
    composer: Chromium, console: Console
) -> None:
    saved(composer)
    composer.click(".add-row a")
    assert composer.js("document.getElementById('id_texts-0-standard').checked")
    for name, said in (("language", "de"), ("title", "Herbst"), ("link", f"{console.origin}/demo/")):
        write(composer, f"texts-1-{name}", said)
    composer.wait("document.getElementsByName('texts-1-id')[0].value")
    saved(composer)
    composer.wait("document.querySelectorAll('.preview-languages button').length === 2")
    composer.js("document.getElementById('id_texts-1-DELETE').click()")
    saved(composer)
    composer.open(composer.js("location.href"))
    assert value(composer, "texts-1-title") == "Herbst"


def test_where_two_write_in_one_draft_the_second_is_told_and_overwrites_nothing(
    composer: Chromium, console: Console
) -> None:
    saved(composer)
    draft = int(composer.js("location.pathname.match(/pushmessage\\/(\\d+)/)[1]"))
    theirs = "UPDATE messaging_pushmessagetext SET title = 'Winter' WHERE push_message_id = %(draft)s"
    console.sql(theirs, draft=draft)
    write(composer, "texts-0-title", "Spring")
    composer.wait("document.querySelector('.saved').dataset.look === 'bad'")
    assert "Somebody else changed this draft" in composer.js("document.querySelector('.saved').textContent")
    asked = "performance.getEntriesByType('resource').filter(one => one.name.endsWith('/save/')).length"
    before = composer.js(asked)
    write(composer, "texts-0-title", "Summer")
    # Longer than a page waits before it saves.
    composer.js("new Promise(done => setTimeout(() => done(1), 3000))")
    assert composer.js(asked) == before
    assert value(composer, "texts-0-title") == "Summer"
    titles = "SELECT title FROM messaging_pushmessagetext WHERE push_message_id = %(draft)s"
    assert console.sql(titles, draft=draft) == [("Winter",)]
    # Who leaves is asked first, and then sees theirs.
    url = composer.js("location.href")
    composer.leave()
    composer.open(url)
    assert value(composer, "texts-0-title") == "Winter"


def test_emoji_are_found_and_put_in_by_keyboard(composer: Chromium) -> None:
    composer.js("document.getElementById('id_texts-0-title').setSelectionRange(0, 0)")
    tool(composer, "texts-0-title", "☺")
    composer.wait("document.querySelectorAll('.emoji-one').length > 200")
    type_in(composer, "herz")
    press(composer, DOWN, RIGHT, ENTER)
    composer.wait(f"!{DIALOG}")
    assert value(composer, "texts-0-title") == "🧡Autumn"
    assert composer.js("document.activeElement.id") == "id_texts-0-title"
    tool(composer, "texts-0-title", "☺")
    press(composer, ESCAPE)
    composer.wait(f"!{DIALOG}")


def test_a_placeholder_is_put_in_with_its_fallback_and_previewed(
    composer: Chromium, console: Console
) -> None:
    console.manage(
        "from signalize_console.recipients.models import Recipient;"
        "Recipient.objects.update(attributes={'first_name': 'Ada'})"
    )
    tool(composer, "texts-0-title", "Placeholder")
    composer.wait("!!document.querySelector('.choice')")
    composer.click(".choice")
    type_in(composer, "you")
    press(composer, ENTER)
    assert value(composer, "texts-0-title") == 'Autumn{{ first_name | "you" }}'
    composer.wait("document.querySelector('.toast-title').textContent === 'Autumnyou'")


def test_utm_parameters_come_without_harm_to_the_link(composer: Chromium) -> None:
    write(composer, "texts-0-link", "https://a.example/{{ order }}?b=1&utm_source=old#c")
    tool(composer, "texts-0-link", "UTM")
    press(composer, *[TAB] * 5, TAB, ENTER)
    composer.wait(f"!{DIALOG}")
    assert value(composer, "texts-0-link") == (
        "https://a.example/{{ order }}?b=1&utm_source=old&utm_medium=push&utm_campaign=autumn#c"
    )


UPLOAD = """(async () => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 600, height: 300});
  canvas.getContext("2d").fillRect(0, 0, 600, 300);
  const blob = await new Promise(done => canvas.toBlob(done, "image/png"));
  const files = new DataTransfer();
  files.items.add(new File([blob], "shop.png", {type: "image/png"}));
  const input = document.querySelector("dialog[open] input[type=file]");
  input.files = files.files;
  input.dispatchEvent(new Event("change"));
})()"""


def test_a_picture_is_uploaded_beside_its_field_and_seen_in_the_preview(composer: Chromium) -> None:
    button = "document.getElementById('id_image').nextElementSibling"
    composer.tap(button)
    composer.wait(f"!!{DIALOG}")
    composer.js(UPLOAD)
    composer.wait(f"!{DIALOG}")
    assert "/media/" in value(composer, "image")
    composer.wait("document.querySelector('.toast-image').naturalWidth === 600")
    composer.tap(button)
    composer.wait("document.querySelector('.picture strong')?.textContent === 'shop.png'")
    press(composer, ESCAPE)


def test_platforms_cut_where_they_cut(composer: Chromium) -> None:
    write(composer, "texts-0-title", "x" * 60)
    for platform, seen in (("windows", 60), ("macos", 35), ("iphone", 30), ("firefox", 50)):
        composer.click(f"[data-platform={platform}]")
        assert composer.js("document.querySelector('.toast-title').textContent.length") == seen
    said = composer.js("document.querySelector('.field-title .counter').textContent")
    assert said == "60 / 50 Firefox · cut on macOS, Safari, Android, iPhone, Firefox"
    composer.wait("document.querySelector('.remark')?.textContent.includes('first')")
    composer.click("[data-platform=windows]")


def test_a_broken_link_is_remarked_a_moment_later(composer: Chromium, shop_server: Receiver) -> None:
    shop_server.behave("/gone", answer(404))
    shop_server.behave("/", answer(200))
    write(composer, "texts-0-link", "https://push.example.net/gone")
    said = (
        "[...document.querySelectorAll('.remark.serious')].find((one) => one.textContent.includes('(404)'))"
    )
    composer.wait(f"!!{said}", 15)
    composer.js(f"{said}.querySelector('button').focus()")
    press(composer, ENTER)
    assert composer.js("document.activeElement.name") == "texts-0-link"

    saved(composer)
    page = composer.js("location.href")
    composer.open(page.replace("/change/", "/review/"))
    composer.wait("document.querySelector('[data-later] .warning')?.textContent.includes('(404)')", 15)
    assert complaints(composer, "#content") == []

    composer.open(page)
    composer.wait(f"!!{said}", 15)
    write(composer, "texts-0-link", "https://push.example.net/")
    composer.wait(f"!{said}")


@pytest.mark.parametrize("dark", [False, True])
def test_axe_has_nothing_to_say(composer: Chromium, dark: bool) -> None:
    composer.look(1440, 900, dark=dark)
    write(composer, "texts-0-title", "SHOUTING LOUDLY!!!")
    composer.wait("document.querySelectorAll('.remark.serious').length === 2")
    assert complaints(composer, "#content") == []
    openers = {
        "emoji": "document.querySelector('.tool')",
        "placeholder": "document.querySelectorAll('.tool')[1]",
        "utm": "document.querySelector('.field-link .tool')",
        "media": "document.getElementById('id_icon').nextElementSibling",
        "test": "document.querySelector('[data-test]')",
    }
    for name, opener in openers.items():
        composer.js(f"{opener}.click()")
        composer.wait(f"!!{DIALOG}")
        assert (name, complaints(composer, "dialog[open]")) == (name, [])
        composer.js(f"{DIALOG}.close()")
    composer.look(1440, 900)


def test_a_test_reaches_this_very_browser(composer: Chromium, console: Console, desktop: Desktop) -> None:
    write(composer, "texts-0-title", "Only for me")
    write(composer, "texts-0-link", f"{console.origin}/demo/")
    composer.click("[data-test]")
    composer.wait("!!document.querySelector('.here button')")
    composer.click(".here button")
    composer.wait("document.querySelector('.browser input')?.checked")
    composer.click("dialog[open] .actions button")
    desktop.wait("Test: Only for me")
    page = composer.wait("document.querySelector('dialog[open] a')?.href")
    composer.open(page)
    composer.wait("document.body.textContent.includes('Only for me')")
