"""The examples for pages, from docs/websites.md and docs/integrations.md, as they stand there, in a real browser."""

import re
import urllib.request
from collections.abc import Iterator

import pytest

from signalize_console.pushservice.double import PushServiceDouble
from tests.browsers.chromium import Chromium
from tests.browsers.console import Console
from tests.browsers.opt_in import DIALOG, LEAVE, set_up
from tests.browsers.site import Site
from tests.browsers.test_opt_in_elsewhere import ADD_ORIGIN
from tests.docs.examples import example

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
WEBSITES = "docs/websites.md"
LOADER, QUEUE, LATER, MANIFEST, OWN_PATH = (example(WEBSITES, "html", number) for number in range(5))
WORKER, HOOK, CONSENT, OWN_WORKER = (example(WEBSITES, "js", number) for number in range(4))
FORM = example("docs/integrations.md", "html")
GET_ID = example("docs/api.md", "js")
SHORT_LOADER = example("README.md", "html")
READY = "window.et_signalize?.ready?.then(() => true)"
SAVE = "window.save = (id) => (window.saved = id)"
MANAGER = "window.consentManager = { onClosed: (then) => (window.goOn = then) }"
PROFILE = """
from signalize_console.recipients.models import Recipient
recipient = Recipient.objects.get(client_id="{client_id}")
print(recipient.customer_id, recipient.attributes)
"""


@pytest.fixture
def shop(console: Console, chromium: Chromium) -> Iterator[Site]:
    with urllib.request.urlopen(f"{console.origin}/demo/") as answer:
        code = re.search(r'data-secure-code="(\w+)"', answer.read().decode())[1]  # type: ignore[index]

    def here(text: str) -> str:
        return text.replace("https://push.example.com", console.origin).replace("ABCDEF12", code)

    with Site(console.origin, code) as shop:
        console.manage(ADD_ORIGIN.format(origin=shop.origin))
        shop.add_script("/sw.js", here(WORKER))
        shop.add_script("/service-worker.js", here(OWN_WORKER))
        pages = {
            "/": f"{LOADER}{QUEUE}<script>{SAVE};{HOOK}</script><body>{FORM}",
            "/short": SHORT_LOADER.replace("…", code),
            "/consent": f"{LATER}<script>{MANAGER};{CONSENT}</script>{LOADER}<body><iframe src=/short></iframe>",
            "/own": f"{MANIFEST}{OWN_PATH}{LOADER}",
            "/empty": "",
        }
        for path, page in pages.items():
            shop.files[path] = ("text/html", f"<!doctype html><title>Shop</title>{here(page)}")
        chromium.uncached()
        chromium.permit(shop.origin)
        chromium.open(f"{shop.origin}/empty")
        chromium.js(LEAVE)
        yield shop


def visit(browser: Chromium, shop: Site, path: str) -> None:
    browser.open("about:blank")
    browser.open(shop.origin + path)
    browser.wait(READY)


def test_the_two_steps_the_queue_the_hook_and_the_form(
    chromium: Chromium, console: Console, shop: Site, double: PushServiceDouble
) -> None:
    visit(chromium, shop, "/")
    client_id = chromium.js(GET_ID.partition(";")[0])
    assert re.fullmatch("[0-9a-f]{32}", client_id)
    assert chromium.js("saved") == client_id
    assert chromium.js("new FormData(document.forms[0]).get('push_recipient')") == client_id

    assert chromium.js("et_signalize.subscribe()")
    assert (
        chromium.js("navigator.serviceWorker.ready.then(one => one.active.scriptURL)")
        == f"{shop.origin}/sw.js"
    )
    assert console.manage(PROFILE.format(client_id=client_id)).strip() == "4711 {'club': 'gold'}"


def test_the_dialog_waits_for_the_consent_manager(chromium: Chromium, console: Console, shop: Site) -> None:
    set_up(console, after=0)
    try:
        visit(chromium, shop, "/consent")
        # The page within asks by itself, this one doesn't.
        chromium.wait(f"!!frames[0].{DIALOG}")
        assert chromium.js(f"!{DIALOG}")
        chromium.js("void goOn()")
        chromium.wait(f"!!{DIALOG}")
    finally:
        set_up(console, is_on=False)


def test_a_worker_of_its_own_and_the_manifest(
    chromium: Chromium, shop: Site, double: PushServiceDouble
) -> None:
    visit(chromium, shop, "/own")
    assert chromium.js("et_signalize.subscribe()")
    script = "navigator.serviceWorker.ready.then(one => one.active.scriptURL)"
    assert chromium.js(script) == f"{shop.origin}/service-worker.js"
    assert chromium.js("et_signalize.isSubscribed()")
    manifest = chromium.js("fetch(document.querySelector('[rel=manifest]').href).then(said => said.json())")
    assert manifest["display"] == "standalone"
