"""What the tests of the opt-in say again and again: a first visit, the dialog's parts, axe-core's opinion."""

import importlib.util
import json
from pathlib import Path
from typing import Any

from tests.browsers.console import Console
from tests.browsers.protocol import Browser

DIALOG = "document.querySelector('[data-signalize-dialog]')"
BELL = "document.querySelector('[data-signalize-bell]')"
# Whoever was here is gone without a trace: no subscription, no worker, no cookie, nothing stored.
LEAVE = """(async () => {
  for (const worker of await navigator.serviceWorker.getRegistrations()) {
    await (await worker.pushManager.getSubscription())?.unsubscribe();
    await worker.unregister();
  }
  for (const name of await caches.keys()) await caches.delete(name);
  localStorage.clear();
  sessionStorage.clear();
  document.cookie.split("; ").forEach((one) => (document.cookie = `${one.split("=")[0]}=; Max-Age=0; Path=/`));
  return 1;
})()"""
SET_UP = """
import json
from signalize_console.websites import asking
from signalize_console.websites.models import Interest, OptIn, OptInText, Website
opt_in = asking.opt_in_of(Website.objects.get(name="Demo shop"))
fields, texts = json.loads({fields!r}), json.loads({texts!r})
OptIn.objects.filter(pk=opt_in.pk).update(**fields)
for language, words in texts.items():
    OptInText.objects.update_or_create(opt_in=opt_in, language=language, defaults=words)
for key, name in (("sale", "Sales and offers"), ("new", "New plants")):
    Interest.objects.get_or_create(opt_in=opt_in, key=key, defaults={{"name": name, "names": {{"de": f"{{name}} (de)"}}}})
asking.publish(opt_in)
"""


def set_up(console: Console, texts: dict[str, dict[str, Any]] | None = None, **fields: Any) -> None:
    """The demo shop's opt-in from now on."""
    values = {
        "is_on": True,
        "kind": "dialog",
        "trigger": "seconds",
        "after": 0,
        "paths": [],
        "position": "top",
    }
    console.manage(SET_UP.format(fields=json.dumps({**values, **fields}), texts=json.dumps(texts or {})))


def visit(browser: Browser, console: Console, path: str = "/demo/") -> None:
    browser.open("about:blank")
    browser.open(console.origin + path)
    browser.wait("window.et_signalize?.ready?.then(() => true)")


def visit_first(browser: Browser, console: Console, permission: str = "granted") -> None:
    """As somebody who was never here."""
    browser.uncached()
    browser.permit(console.origin, permission)
    visit(browser, console)
    browser.js(LEAVE)
    visit(browser, console)


def button(text: str, host: str = DIALOG) -> str:
    return f"[...{host}.shadowRoot.querySelectorAll('button')].find(one => one.textContent === {json.dumps(text)})"


def title(browser: Browser) -> Any:
    return browser.js(f"{DIALOG}?.shadowRoot.querySelector('h2')?.textContent")


def wait_for_title(browser: Browser, text: str) -> None:
    browser.wait(f"{DIALOG}?.shadowRoot.querySelector('h2')?.textContent === {json.dumps(text)}")


def complaints(browser: Browser, selector: str) -> list[str]:
    """What axe-core says against this part of the page, by WCAG 2.2 AA and its advice."""
    package = importlib.util.find_spec("axe_playwright_python")
    assert package
    assert package.origin
    if not browser.js("!!window.axe"):
        browser.js(f"(() => {{ {(Path(package.origin).parent / 'axe.min.js').read_text()} ; return 1 }})()")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    options = {"runOnly": {"type": "tag", "values": tags}, "resultTypes": ["violations"]}
    browser.js(
        f"Promise.allSettled([...document.querySelectorAll({json.dumps(selector)})].flatMap(one => one.shadowRoot?.getAnimations() ?? [])"
        ".concat(document.getAnimations().filter(one => one instanceof CSSTransition))"
        ".map(one => one.finished)).then(() => 1)"
    )
    found = browser.js(
        f"axe.run({json.dumps(selector)}, {json.dumps(options)}).then(({{violations, passes}}) => ["
        "passes.length, violations.map(one => `${one.id}: ${one.nodes.map(node => node.target.join(' ')).join(', ')}`)])"
    )
    assert found[0] > 5, "axe-core found nothing to look at"
    return list(found[1])
