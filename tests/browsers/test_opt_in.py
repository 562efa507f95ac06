"""The opt-in in real browsers: asked, answered, asked again when it is time, and out by the preference page."""

import datetime
import json
from typing import Any

import pytest

from signalize_console.pushservice.double import PushServiceDouble
from tests.browsers.console import Console
from tests.browsers.desktop import Desktop
from tests.browsers.opt_in import (
    DIALOG,
    button,
    set_up,
    title,
    visit,
    visit_first,
    wait_for_title,
)
from tests.browsers.protocol import Browser

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
QUESTION = "May we tell you when there is news?"
EVENTS = """
import json
from signalize_console.activity.models import Event
from signalize_console.recipients.models import Consent, Recipient
from signalize_console.deliveries.models import Delivery
client_id = {client_id!r}
one = Recipient.objects.filter(client_id=client_id).first()
print(json.dumps({{
    "kinds": sorted(Event.objects.values_list("kind", flat=True)),
    "interests": one and one.interests,
    "paused": bool(one and one.paused_until),
    "versions": list(Consent.objects.order_by("-id").values_list("kind", "text_version")[:1]),
    "deliveries": Delivery.objects.filter(recipient=one).count() if one else 0,
}}))
"""


def stored(console: Console, client_id: str = "") -> dict[str, Any]:
    return dict(json.loads(console.manage(EVENTS.format(client_id=client_id))))


@pytest.fixture(scope="module", autouse=True)
def opt_in(console: Console) -> Any:
    set_up(console)
    yield
    set_up(console, is_on=False)


def say_yes(browser: Browser, console: Console, double: PushServiceDouble) -> str:
    """A first visit up to the thanks. Returns the recipient id."""
    visit_first(browser, console)
    wait_for_title(browser, QUESTION)
    browser.tap(f"{DIALOG}.shadowRoot.querySelector('input[value=sale]')")
    browser.tap(button("Yes, please"))
    wait_for_title(browser, "Thank you")
    if browser.name == "chromium":
        double.wait_for(lambda: double.chromium.devices, 20, "Chromium's push connection")
    return str(browser.js("et_signalize.getClientId()"))


def test_from_the_first_visit_to_a_clicked_test(
    browser: Browser, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    desktop.shown.clear()
    client_id = say_yes(browser, console, double)
    assert browser.js("et_signalize.isSubscribed()")

    browser.tap(button("Settings"))
    wait_for_title(browser, "Your notifications")
    assert browser.js(f"{DIALOG}.shadowRoot.querySelector('input[value=sale]').checked")
    browser.tap(button("Send me a test"))
    notification = desktop.wait("It works")
    assert "This is how news from Demo shop looks." in notification["body"]
    desktop.click(notification)

    funnel = ["clicked", "optin_shown", "optin_yes", "shown", "subscribed"]
    double.wait_for(lambda: set(funnel) <= set(stored(console)["kinds"]), 30, "the events")
    known = stored(console, client_id)
    assert known["interests"] == ["sale"]
    assert known["versions"][0][0] == "given"
    assert int(known["versions"][0][1]) >= 1
    # Who has answered yes isn't asked again.
    visit(browser, console)
    browser.js("new Promise(done => setTimeout(() => done(1), 500))")
    assert title(browser) is None


def test_who_says_no_is_not_asked_again(browser: Browser, console: Console) -> None:
    visit_first(browser, console)
    wait_for_title(browser, QUESTION)
    browser.tap(button("Not now"))
    browser.wait(f"!{DIALOG}")

    assert "et_oip=no" in browser.js("document.cookie")
    assert not browser.js("et_signalize.isSubscribed()")
    visit(browser, console)
    browser.js("new Promise(done => setTimeout(() => done(1), 500))")
    assert title(browser) is None
    # But who asks is answered.
    browser.js("et_signalize.openOptIn().then(() => 1)")
    wait_for_title(browser, QUESTION)


def test_a_blocked_permission_is_explained_for_this_browser(browser: Browser, console: Console) -> None:
    visit_first(browser, console, "denied")
    browser.js("new Promise(done => setTimeout(() => done(1), 500))")
    assert title(browser) is None

    browser.js("et_signalize.openOptIn().then(() => 1)")

    wait_for_title(browser, "Notifications are blocked here")
    said = browser.js(f"{DIALOG}.shadowRoot.querySelector('p').textContent")
    assert {"firefox": "speech bubble", "chromium": "left of the address"}[browser.name] in said


def test_a_pause_the_interests_and_the_data(
    browser: Browser, console: Console, double: PushServiceDouble
) -> None:
    client_id = say_yes(browser, console, double)
    browser.tap(button("Settings"))
    wait_for_title(browser, "Your notifications")

    browser.tap(button("Pause for a week"))
    browser.wait(f"!!{button('Go on now')}")
    browser.tap(f"{DIALOG}.shadowRoot.querySelector('input[value=new]')")
    browser.wait(f"{DIALOG}.shadowRoot.querySelector('[role=status]').textContent === 'Saved.'")

    assert stored(console, client_id) | {"kinds": [], "versions": []} == {
        "kinds": [], "versions": [], "interests": ["new", "sale"], "paused": True, "deliveries": 0,
    }  # fmt: skip
    until = browser.js(f"{DIALOG}.shadowRoot.querySelector('section p').textContent")
    assert str((datetime.datetime.now() + datetime.timedelta(days=7)).day) in until
    facts = browser.js(f"{DIALOG}.shadowRoot.querySelector('dl').textContent")
    assert client_id in facts


def test_erased_here_and_there(browser: Browser, console: Console, double: PushServiceDouble) -> None:
    client_id = say_yes(browser, console, double)
    browser.tap(button("Settings"))
    wait_for_title(browser, "Your notifications")

    browser.tap(button("Erase me"))
    browser.tap(button("Yes, erase me"))
    browser.wait(f"{DIALOG}.shadowRoot.textContent.includes('Everything about you is deleted.')")

    assert stored(console, client_id)["interests"] is None
    assert console.send(client_id)[0] == 422
    assert not browser.js("et_signalize.isSubscribed()")
    assert client_id not in browser.js("document.cookie + JSON.stringify({...localStorage})")
    visit(browser, console)
    assert browser.js("et_signalize.getClientId()") != client_id


def test_unsubscribed_by_the_preference_page(
    browser: Browser, console: Console, double: PushServiceDouble
) -> None:
    client_id = say_yes(browser, console, double)
    browser.tap(button("Close"))
    browser.click("[data-signalize=preferences]")
    wait_for_title(browser, "Your notifications")

    browser.tap(button("Unsubscribe"))
    browser.wait(f"{DIALOG}.shadowRoot.textContent.includes('Nothing more comes.')")

    assert console.send(client_id)[0] == 422
    assert not browser.js("et_signalize.isSubscribed()")
