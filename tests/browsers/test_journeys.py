"""The main road, in real browsers: opt in, send by REST, shown, clicked, and out again."""

from typing import Any

import pytest

from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.webpush.encryption import encrypt
from tests.browsers.console import Console
from tests.browsers.demo import visit_demo
from tests.browsers.desktop import Desktop
from tests.browsers.protocol import Browser

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def visitor(browser: Browser, console: Console, desktop: Desktop, double: PushServiceDouble) -> Browser:
    """A browser on the demo page that has opted in there with its own PushManager."""
    desktop.shown.clear()
    visit_demo(browser, console, double)
    return browser


def client_id(browser: Browser) -> str:
    return str(browser.js("et_signalize.getClientId()"))


def send(console: Console, browser: Browser, **text: Any) -> int:
    status, answer = console.send(client_id(browser), **text)
    assert status == 201, answer
    return int(answer["messageId"])


def test_a_message_sent_by_rest_is_shown_and_clicked(
    visitor: Browser, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    link = f"{console.origin}/demo/?opened"
    message = send(console, visitor, title="Your order", message="größe ✓ 漢字", link=link)

    notification = desktop.wait("Your order")
    assert "größe ✓ 漢字" in notification["body"]
    report = console.wait_for(message, state="accepted", shown=True)
    double.wait_for(
        lambda: console.call(f"/v3/pushmessages/{message}")[1]["state"] == "finished", 5, "not finished"
    )
    assert report["deliveries"][0]["clientId"] == client_id(visitor)

    desktop.click(notification)
    double.wait_for(
        lambda: f"{console.origin}/demo/?opened" in visitor.pages(), 15, "the page was not opened"
    )
    console.wait_for(message, clicked=True)
    # An answer is several queries: what comes in between is in the next one's numbers.
    report = console.call(f"/v3/pushmessages/{message}")[1]
    assert report["statistics"]["clicked"] == 1
    assert not report["deliveries"][0]["closed"]


def test_a_button_opens_its_own_page(
    visitor: Browser, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    button = {"title": "Track it", "link": f"{console.origin}/demo/?track"}
    message = send(console, visitor, title="Buttons", actions=[button])

    desktop.click(desktop.wait("Buttons"), "Track it")

    double.wait_for(lambda: f"{console.origin}/demo/?track" in visitor.pages(), 15, "the page was not opened")
    console.wait_for(message, clicked=True)


def test_a_dismissed_notification_is_reported_as_closed(
    visitor: Browser, console: Console, desktop: Desktop
) -> None:
    message = send(console, visitor, title="Go away")

    desktop.dismiss(desktop.wait("Go away"))

    report = console.wait_for(message, closed=True)
    assert not report["deliveries"][0]["clicked"]


BROKEN = [
    b"",
    b"not json",
    b"[]",
    b'{"notification": {}}',
    b'{"notification": {"title": "x", "actions": [null]}}',
    b'{"notification": {"title": "x", "actions": 5}}',
    b'{"notification": {"title": "", "body": "' + b"x" * 3_900 + b'"}}',
]


def test_s18_something_is_shown_whatever_comes(
    visitor: Browser, desktop: Desktop, double: PushServiceDouble
) -> None:
    subscription = visitor.js(
        "navigator.serviceWorker.ready.then(w => w.pushManager.getSubscription()).then(s => s.toJSON())"
    )
    for plaintext in BROKEN:
        keys = subscription["keys"]
        body = encrypt(plaintext, keys["p256dh"], keys["auth"]) if plaintext else b""
        double.deliver(subscription["endpoint"], body)
        desktop.dismiss(desktop.wait("You have news"))


def test_a_message_that_comes_too_late_says_so(
    visitor: Browser, desktop: Desktop, double: PushServiceDouble
) -> None:
    subscription = visitor.js(
        "navigator.serviceWorker.ready.then(w => w.pushManager.getSubscription()).then(s => s.toJSON())"
    )
    plaintext = b'{"web_push": 8030, "notification": {"title": "Old", "data": {"expires": 1}}}'
    keys = subscription["keys"]
    double.deliver(subscription["endpoint"], encrypt(plaintext, keys["p256dh"], keys["auth"]))
    desktop.dismiss(desktop.wait("This message is over"))


ROTATE = """
from django.utils import timezone
from signalize_console.websites.models import Website
website = Website.objects.get(name="Demo shop")
website.vapid_keys.filter(retired_at=None).update(retired_at=timezone.now())
website.make_vapid_key()
"""


def test_a_new_vapid_key_moves_the_visitor_at_the_next_visit(
    visitor: Browser, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    recipient = client_id(visitor)
    console.manage(ROTATE)
    visitor.js("localStorage.clear()")
    visitor.js("document.cookie = '_et_coid=; Max-Age=0; Path=/'")

    visitor.open("about:blank")
    visitor.open(f"{console.origin}/demo/")
    visitor.wait("window.et_signalize && et_signalize.ready.then(() => true)")

    assert client_id(visitor) == recipient
    if visitor.name == "chromium":
        double.wait_for(lambda: double.chromium.devices, 20, "Chromium's push connection")
    double.received.clear()
    send(console, visitor, title="With the new key")
    desktop.wait("With the new key")


def test_a_later_message_with_the_same_topic_replaces_the_shown_one(
    visitor: Browser, console: Console, desktop: Desktop
) -> None:
    for title in ("In 10 minutes", "In 5 minutes"):
        said = {"language": "en", "title": title, "link": f"{console.origin}/demo/"}
        body = {
            "recipients": [{"clientId": client_id(visitor)}],
            "webPush": {"webPushMessageTexts": [said], "topic": "delay"},
        }
        status, answer = console.call("/v3/subscriptions/pushmessages", body)
        assert status == 201
        console.wait_for(answer["messageId"], shown=True)

    shown = visitor.js(
        "navigator.serviceWorker.ready.then(w => w.getNotifications()).then(n => n.map(one => one.title))"
    )
    assert "In 5 minutes" in shown
    assert "In 10 minutes" not in shown


def test_a_message_reaches_a_browser_without_an_open_page(
    visitor: Browser, console: Console, desktop: Desktop
) -> None:
    recipient = client_id(visitor)
    visitor.open("about:blank")
    _status, answer = console.send(recipient, title="Nobody there")

    desktop.wait("Nobody there")
    console.wait_for(answer["messageId"], shown=True)


def test_a_message_waits_for_a_closed_browser(
    visitor: Browser, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    recipient = client_id(visitor)
    sent: list[int] = []

    def meanwhile() -> None:
        double.wait_for(lambda: not (double.chromium.devices or double.firefox.connections), 20, "offline")
        _status, answer = console.send(recipient, title="While you slept")
        sent.append(answer["messageId"])
        console.wait_for(sent[0], state="accepted", shown=False)

    visitor.restart(meanwhile)

    desktop.wait("While you slept", 40)
    console.wait_for(sent[0], shown=True)


def test_the_recipient_id_survives_deleted_cookies(
    visitor: Browser, console: Console, desktop: Desktop
) -> None:
    before = client_id(visitor)
    visitor.js("localStorage.clear()")
    visitor.js(
        "document.cookie.split('; ').forEach(c => document.cookie = c.split('=')[0] + '=; Max-Age=0; Path=/')"
    )
    assert "_et_coid" not in visitor.js("document.cookie")

    visitor.open(f"{console.origin}/demo/")
    visitor.wait("window.et_signalize && et_signalize.ready.then(() => true)")

    assert client_id(visitor) == before
    assert f"_et_coid={before}" in visitor.js("document.cookie")
    send(console, visitor, title="Still you")
    desktop.wait("Still you")


def test_the_demo_page_pushes_to_its_own_visitor(
    visitor: Browser, console: Console, desktop: Desktop
) -> None:
    visitor.click("#push")

    notification = desktop.wait("Thank you for your order")
    visitor.wait("!!document.querySelector('[data-step=shown].done')")
    desktop.click(notification, "Show my order")
    visitor.wait("!!document.querySelector('[data-step=clicked].done')")


def test_an_unsubscribed_visitor_gets_nothing(visitor: Browser, console: Console) -> None:
    recipient = client_id(visitor)
    visitor.click("#unsubscribe")
    visitor.wait("et_signalize.isSubscribed().then(yes => !yes)")
    visitor.wait("document.querySelector('#unsubscribe').hidden")

    status, answer = console.send(recipient)

    assert (status, answer["errorCode"]) == (422, "nobody_reachable")


def test_a_blocked_permission_is_explained(visitor: Browser, console: Console) -> None:
    visitor.permit(console.origin, "denied")
    visitor.open(f"{console.origin}/demo/")

    visitor.wait("document.querySelector('#help').textContent.includes('blocked')")
    assert visitor.js("document.querySelector('#subscribe').disabled")
