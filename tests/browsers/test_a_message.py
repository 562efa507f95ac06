"""One message from the first word to its report, in Chromium, by two persons: who writes it, and who approves it."""

import datetime
import json
from typing import Any

import pytest

from signalize_console.pushservice.double import PushServiceDouble
from tests.browsers.chromium import Chromium
from tests.browsers.console import Console
from tests.browsers.desktop import Desktop
from tests.browsers.look import SIZES, log_in
from tests.browsers.test_composer import ADD, DIALOG, ENTER, UPLOAD, press, saved, write

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
OTHERS = 12
KEY = """
from signalize_console.websites.models import Website
print(Website.objects.get(name="Demo shop").vapid_key.public_key)
"""
# A website where everything needs a second person, a segment, the two, and who subscribed besides our browser.
SEED = """
import json
from django.contrib.auth.models import Group, User
from signalize_console.audiences.models import Segment
from signalize_console.recipients.models import Recipient, Subscription, endpoint_hash
from signalize_console.websites.models import Website
website = Website.objects.get(name="Demo shop")
Website.objects.filter(pk=website.pk).update(approve_above=0, confirm_above=5, undo_seconds=0)
english = {{"field": "language", "op": "equals", "value": "en"}}
Segment.objects.create(website=website, name="English speakers", definition=english)
for name, role in (("mara", "Marketer"), ("omar", "Approver")):
    User.objects.create_user(name, password="{password}", is_staff=True).groups.add(Group.objects.get(name=role))
for endpoint, p256dh, auth in json.loads({others!r}):
    one = Recipient.objects.create(website=website, language="en-GB")
    Subscription.objects.create(website=website, recipient=one, vapid_key=website.vapid_key, endpoint=endpoint,
        endpoint_hash=endpoint_hash(endpoint), p256dh=p256dh, auth=auth, push_service="mozilla")
"""
UNDO = """
from signalize_console.websites.models import Website
Website.objects.filter(name="Demo shop").update(approve_above=None, confirm_above=1000, undo_seconds=10)
"""
PASSWORD = "what-only-they-know-7"
STATE = "document.querySelector('.state .badge')?.textContent"
DONE = "parseInt(document.querySelector('[data-renew] .quiet')?.textContent)"


@pytest.fixture
def browser(chromium: Chromium, console: Console, double: PushServiceDouble) -> Any:
    """Somebody's browser that has opted in on the demo page; twelve more did so elsewhere."""
    key = console.manage(KEY).split()[-1]
    made = [double.make_subscriber("mozilla", application_server_key=key) for _one in range(OTHERS)]
    others = json.dumps([[one.endpoint, one.p256dh, one.auth] for one in made])
    console.manage(SEED.format(password=PASSWORD, others=others))
    chromium.look(*SIZES["desk"])
    chromium.permit(console.origin)
    chromium.open(f"{console.origin}/demo/")
    chromium.wait("window.et_signalize && !document.querySelector('#subscribe').disabled")
    chromium.click("#subscribe")
    chromium.wait("et_signalize.isSubscribed()", 30)
    double.wait_for(lambda: double.chromium.devices, 20, "Chromium's push connection")
    yield chromium
    console.manage(UNDO)


def button(browser: Chromium, label: str) -> None:
    """Presses it by keyboard, and says yes to what it asks."""
    browser.js(
        "(window.confirm = () => true, [...document.querySelectorAll('#content button, #content input[type=submit]')]"
        f".find((one) => (one.value || one.textContent).trim() === {json.dumps(label)}).focus())"
    )
    press(browser, ENTER)


def is_offered(browser: Chromium, label: str) -> bool:
    buttons = "[...document.querySelectorAll('#content button')].map((one) => one.textContent.trim())"
    return bool(browser.js(f"{buttons}.includes({json.dumps(label)})"))


def enter_as(browser: Chromium, console: Console, name: str) -> None:
    browser.js("(document.querySelector('#logout-form')?.requestSubmit(), 1)")
    browser.wait("!document.querySelector('#logout-form')")
    log_in(browser, console, name, PASSWORD)


@pytest.fixture(scope="module", autouse=True)
def nobody_else(console: Console) -> None:
    console.forget_visitors()


def test_a_message_is_written_approved_sent_paused_and_read_about(
    browser: Chromium, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    double.reset()
    log_in(browser, console, "mara", PASSWORD)

    # In two languages, with a picture, to a segment, at a limited speed.
    browser.open(console.origin + ADD)
    browser.wait("!!document.querySelector('.tool')")
    write(browser, "texts-0-title", "Roses are in")
    write(browser, "texts-0-message", "Twelve old sorts.")
    write(browser, "texts-0-link", f"{console.origin}/demo/#roses")
    saved(browser)
    browser.click(".add-row a")
    for name, said in (
        ("language", "de"),
        ("title", "Die Rosen sind da"),
        ("message", "Zwölf alte Sorten."),
        ("link", f"{console.origin}/demo/#rosen"),
    ):
        write(browser, f"texts-1-{name}", said)
    browser.tap("document.getElementById('id_image').nextElementSibling")
    browser.wait(f"!!{DIALOG}")
    browser.js(UPLOAD)
    browser.wait(f"!{DIALOG}")
    browser.js(
        "(([field]) => { field.value = [...field.options].find((one) => one.textContent === 'English speakers').value;"
        " field.dispatchEvent(new Event('change', {bubbles: true})) })(document.getElementsByName('segment'))"
    )
    write(browser, "per_minute", "30")
    start = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=45)
    write(browser, "scheduled_at_0", f"{start:%Y-%m-%d}")
    write(browser, "scheduled_at_1", f"{start:%H:%M:%S}")
    saved(browser)

    # The preview shows both, and the picture.
    browser.wait("document.querySelector('.toast-image').naturalWidth === 600")
    assert browser.js("document.querySelector('.toast-title').textContent") == "Roses are in"
    browser.wait("document.querySelectorAll('.preview-languages button').length === 2")
    browser.js("document.querySelectorAll('.preview-languages button')[1].click()")
    browser.wait("document.querySelector('.toast-title').textContent === 'Die Rosen sind da'")

    # A test comes to this very browser, and to no other.
    browser.click("[data-test]")
    browser.wait("!!document.querySelector('.here button')")
    browser.click(".here button")
    browser.wait("document.querySelector('.browser input')?.checked")
    browser.click("dialog[open] .actions button")
    desktop.dismiss(desktop.wait("Test: Roses are in"))
    assert len([push for push in double.received if "mozilla" in push.endpoint]) == 0
    browser.js(f"{DIALOG}.close()")

    # What would be sent, to how many; so many ask for a second person.
    button(browser, "Review and send …")
    browser.wait("location.pathname.endsWith('/review/')")
    browser.wait(f"document.body?.innerText.includes('{OTHERS + 1} subscriptions will get this.')", 30)
    page = browser.js("document.body.innerText")
    assert "Die Rosen sind da" in page
    browser.js("document.querySelector('#count').focus()")
    browser.call("Input.insertText", {"text": str(OTHERS + 1)}, **browser.session)
    button(browser, "Ask for approval")
    browser.wait(f"{STATE} === 'awaiting approval'")
    message = browser.js("location.href")
    assert not is_offered(browser, "Approve and send")

    enter_as(browser, console, "omar")
    browser.open(message)
    browser.js("document.querySelector('#count').focus()")
    browser.call("Input.insertText", {"text": str(OTHERS + 1)}, **browser.session)
    button(browser, "Approve and send")
    browser.wait(f"['scheduled', 'expanding', 'sending'].includes({STATE})")
    assert not is_offered(browser, "Pause")

    # It runs, and the page with it: nobody loads it anew.
    enter_as(browser, console, "mara")
    browser.open(message)
    browser.js("window.stayed = true")
    browser.wait(f"{STATE} === 'sending' && {DONE} >= 2", 75)
    assert browser.js("window.stayed")
    button(browser, "Pause")
    browser.wait(f"{STATE} === 'paused'")
    browser.wait("document.querySelectorAll('[data-state=sending]').length === 0")
    received = len(double.received)
    assert received < OTHERS
    browser.js("new Promise((done) => setTimeout(() => done(1), 2500))")
    assert len(double.received) == received
    button(browser, "Resume")
    browser.wait(f"{STATE} === 'sending'")
    browser.js("window.stayed = true")
    browser.wait(f"{STATE} === 'finished'", 60)
    assert browser.js("window.stayed")

    # The visitor clicks, and the report has it.
    desktop.click(desktop.wait("Roses are in"))
    double.wait_for(lambda: f"{console.origin}/demo/#roses" in browser.pages(), 15, "the page was not opened")
    browser.open(message.replace("/messaging/pushmessage/", "/reports/message/").replace("change/", ""))
    for _look in range(20):
        steps = browser.js("[...document.querySelectorAll('.funnel li')].map((one) => one.innerText)")
        if any("clicked" in step and step.split()[0] == "1" for step in steps):
            break
        browser.js("new Promise((done) => setTimeout(() => done(1), 700))")
        browser.open(browser.js("location.href"))
    numbers = {step.split()[1]: step.split()[0] for step in steps}
    assert (numbers["targeted"], numbers["accepted"], numbers["clicked"]) == (
        str(OTHERS + 1),
        str(OTHERS + 1),
        "1",
    )
