"""The self-test's last step in real browsers: a push comes back, and nothing of the browser is left."""

import pytest

from signalize_console.pushservice.double import PushServiceDouble
from tests.browsers.console import Console
from tests.browsers.desktop import Desktop
from tests.browsers.look import log_in
from tests.browsers.protocol import Browser

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
COUNT = "from signalize_console.recipients.models import Recipient; print(Recipient.objects.count())"
SAID = "document.querySelector('#push-said').textContent"


def test_a_push_to_this_browser_comes_back(
    browser: Browser, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    before = console.manage(COUNT)
    browser.permit(console.origin)
    log_in(browser, console)
    browser.open(f"{console.origin}/admin/self-test/")

    browser.click("#push button")
    desktop.wait("Test: It works")
    browser.wait(f"{SAID}.startsWith('It came back')", 60)

    browser.wait("!document.querySelector('#push button').disabled", 10)
    assert console.manage(COUNT) == before
    assert browser.js("navigator.serviceWorker.getRegistrations().then(all => all.length)") == 0


def test_the_push_services_are_looked_at_by_a_click(browser: Browser, console: Console) -> None:
    browser.open(f"{console.origin}/admin/self-test/")
    browser.click("[value=services] ~ button")
    browser.wait("document.body?.textContent.includes('Apple is reached in')", 20)
    browser.click("[value=installed] ~ button")
    browser.wait('document.body?.textContent.includes("today\'s")', 20)
