"""The opt-in on a site of another origin, under the policy that docs/websites.md names and nothing more."""

import re
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browsers.chromium import Chromium
from tests.browsers.console import Console
from tests.browsers.opt_in import DIALOG, button, set_up, wait_for_title
from tests.browsers.site import SNIPPET, Site
from tests.docs.examples import example

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
POLICY = example("docs/websites.md", "")
QUESTION = "May we tell you when there is news?"
PREFERENCES = "document.querySelector('[data-signalize=preferences-page]').shadowRoot"
PAGE = (
    '<!doctype html><html lang="en"><head><meta http-equiv="Content-Security-Policy" content="{policy}"><title>Shop</title>'
    '<link rel="manifest" href="{server}/browser/{code}/manifest.webmanifest" crossorigin>{snippet}</head>'
    "<body><h1>Shop</h1>{more}</body></html>"
)
# Before the page: who breaks its policy, and what takes long.
WATCH = """
window.broken = [];
window.longest = 0;
addEventListener("securitypolicyviolation", (event) => broken.push(`${event.violatedDirective} ${event.blockedURI}`));
new PerformanceObserver((list) => list.getEntries().forEach((one) => (longest = Math.max(longest, one.duration)))).observe({type: "longtask", buffered: true});
"""
ADD_ORIGIN = """
from signalize_console.websites.models import Website
website = Website.objects.get(name="Demo shop")
website.origins = [*website.origins, "{origin}"]
website.save()
"""


def policy_of_the_docs(console: Console) -> str:
    """What the page for web developers says, with this console's address; all else is forbidden."""
    said = " ".join(POLICY.split()).replace("https://push.example.com", console.origin)
    return f"default-src 'none'; {said}"


@pytest.fixture
def shop(console: Console, chromium: Chromium) -> Iterator[Site]:
    with urllib.request.urlopen(f"{console.origin}/demo/") as answer:
        code = re.search(r'data-secure-code="(\w+)"', answer.read().decode())[1]
    with Site(console.origin, code) as shop:
        console.manage(ADD_ORIGIN.format(origin=shop.origin))
        set_up(console, after=1)
        snippet = SNIPPET.format(code=code, server=console.origin, attributes="")
        for path, more in (("/", ""), ("/news", "<div data-signalize=preferences-page></div>")):
            parts = {"policy": policy_of_the_docs(console), "server": console.origin, "code": code}
            shop.files[path] = ("text/html", PAGE.format(**parts, snippet=snippet, more=more))
        shop.add_script("/sw.js", f'importScripts("{console.origin}/sw.js");')
        chromium.uncached()
        chromium.permit(shop.origin)
        watch = chromium.call("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH}, **chromium.session)
        yield shop
        chromium.call("Page.removeScriptToEvaluateOnNewDocument", watch, **chromium.session)
        set_up(console, is_on=False)


def hosts(chromium: Chromium) -> set[str]:
    names = chromium.js("performance.getEntriesByType('resource').map(one => one.name)")
    return {urlsplit(name).netloc for name in names}


def test_all_of_it_under_the_documented_policy_and_with_nobody_else(
    chromium: Chromium, console: Console, shop: Site
) -> None:
    chromium.open(f"{shop.origin}/")
    wait_for_title(chromium, QUESTION)
    assert (
        chromium.js(f"getComputedStyle({DIALOG}.shadowRoot.querySelector('dialog')).borderRadius") == "18px"
    )
    chromium.tap(button("Yes, please"))
    wait_for_title(chromium, "Thank you")
    chromium.tap(button("Settings"))
    wait_for_title(chromium, "Your notifications")
    manifest: dict[str, Any] = chromium.call("Page.getAppManifest", {}, **chromium.session)
    assert manifest["errors"] == []
    assert f'"start_url": "{shop.origin}/"' in manifest["data"]
    assert chromium.js("broken") == []
    assert hosts(chromium) <= {urlsplit(shop.origin).netloc, urlsplit(console.origin).netloc}

    chromium.open(f"{shop.origin}/news")

    chromium.wait(f"{PREFERENCES}?.querySelector('h2')?.textContent === 'Your notifications'")
    assert not chromium.js(f"!!{DIALOG}")
    assert chromium.js("broken") == []


def test_nothing_keeps_the_page_waiting(chromium: Chromium, shop: Site) -> None:
    """The best of five visits: others use this machine, too."""
    longest = []
    for _visit in range(5):
        chromium.open("about:blank")
        chromium.open(f"{shop.origin}/")
        chromium.js("(document.cookie = 'et_oip=; Max-Age=0; Path=/', localStorage.clear(), 1)")
        wait_for_title(chromium, QUESTION)
        longest.append(chromium.js("longest"))
        chromium.press("Escape", 27)
        chromium.wait(f"!{DIALOG}")
        chromium.js("(document.cookie = 'et_oip=; Max-Age=0; Path=/', localStorage.clear(), 1)")
    assert min(longest) <= 50, longest
