"""A visit to the demo shop."""

from signalize_console.pushservice.double import PushServiceDouble
from tests.browsers.console import Console
from tests.browsers.protocol import Browser


def visit_demo(browser: Browser, console: Console, double: PushServiceDouble) -> None:
    """Opens the shop's page, and opts in there with the browser's own PushManager, where that isn't done yet."""
    browser.permit(console.origin)
    browser.open(f"{console.origin}/demo/")
    browser.wait("window.et_signalize && et_signalize.ready.then(() => true)")
    if not browser.js("et_signalize.isSubscribed()"):
        browser.wait("!document.querySelector('#subscribe').disabled")
        browser.click("#subscribe")
        browser.wait("et_signalize.isSubscribed()", 30)
    browser.wait("!document.querySelector('#push').disabled")
    if browser.name == "chromium":
        double.wait_for(lambda: double.chromium.devices, 20, "Chromium's push connection")
