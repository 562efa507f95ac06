"""A visitor of a shop on an origin of its own, with the worker as a file there, in real browsers."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.webpush.encryption import encrypt
from tests.browsers.console import Console
from tests.browsers.desktop import Desktop
from tests.browsers.protocol import Browser
from tests.browsers.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
READY = "window.et_signalize && et_signalize.ready && et_signalize.ready.then(() => true)"
ADD_ORIGIN = """
from signalize_console.websites.models import Website
website = Website.objects.get(name="Demo shop")
website.origins = [*website.origins, "{origin}"]
website.save()
"""


@pytest.fixture(scope="module")
def shop(console: Console) -> Iterator[Site]:
    with urllib.request.urlopen(f"{console.origin}/demo/") as answer:
        secure_code = re.search(r'data-secure-code="(\w+)"', answer.read().decode())[1]
    with Site(console.origin, secure_code) as shop:
        console.manage(ADD_ORIGIN.format(origin=shop.origin))
        with urllib.request.urlopen(f"{console.origin}/sw.js") as answer:
            worker = answer.read().decode()
        shop.add_script("/sw.js", worker)
        shop.files["/empty"] = ("text/html", "<!doctype html><title>No snippet</title>")
        # The same, reporting to the shop: for what a browser says while the console can't hear it.
        shop.add_script("/own.js", worker.replace(console.origin, shop.origin))
        yield shop


@pytest.fixture
def visitor(browser: Browser, shop: Site, desktop: Desktop) -> Iterator[Browser]:
    """A browser that may be asked, on the shop's page, with nothing remembered."""
    desktop.shown.clear()
    shop.reset()
    browser.permit(shop.origin)
    browser.open(f"{shop.origin}/empty")
    browser.js(FORGET)
    # A worker that was unregistered lives as long as its page.
    browser.open("about:blank")
    browser.open(f"{shop.origin}/empty")
    yield browser
    browser.open("about:blank")


FORGET = """(async () => {
  for (const one of await navigator.serviceWorker.getRegistrations()) {
    await (await one.pushManager.getSubscription())?.unsubscribe();
    await one.unregister();
  }
  for (const name of await caches.keys()) await caches.delete(name);
  localStorage.clear();
  document.cookie.split("; ").forEach(one => document.cookie = one.split("=")[0] + "=; Max-Age=0; Path=/");
})()"""


def visit(browser: Browser, shop: Site, path: str = "/") -> None:
    browser.open(shop.origin + path)
    browser.wait(READY)


def subscribe(browser: Browser, double: PushServiceDouble) -> dict[str, Any]:
    """Opts in, and returns the browser's subscription."""
    assert browser.js("et_signalize.subscribe()")
    if browser.name == "chromium":
        double.wait_for(lambda: double.chromium.devices, 20, "Chromium's push connection")
    return dict(browser.js(SUBSCRIPTIONS)[0])


SUBSCRIPTIONS = """(async () => {
  const all = [];
  for (const one of await navigator.serviceWorker.getRegistrations()) {
    const subscription = await one.pushManager.getSubscription();
    if (subscription) all.push({...subscription.toJSON(), scope: one.scope});
  }
  return all;
})()"""


def push(double: PushServiceDouble, subscription: dict[str, Any], **notification: Any) -> None:
    said = {"web_push": 8030, "notification": {"title": "Hello", "navigate": "/", **notification}}
    keys = subscription["keys"]
    body = encrypt(json.dumps(said).encode(), keys["p256dh"], keys["auth"])
    double.deliver(subscription["endpoint"], body)


def cookie(browser: Browser, name: str) -> str:
    return str(browser.js(f"(document.cookie.match(/(?:^|; ){name}=([^;]*)/) ?? [])[1] ?? ''"))


def state(browser: Browser) -> dict[str, Any]:
    """What the snippet left for the worker."""
    return dict(
        browser.js("caches.open('signalize').then(c => c.match('/signalize-state')).then(r => r.json())")
    )


def test_a_shop_elsewhere_sends_to_its_visitor(
    visitor: Browser, shop: Site, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    shop.before = (
        "window.et_signalize = [['setCustomerId', '4711'], () => window.called = 'queued']; window.ready = [];"
        "window._etrackerOnReady = [() => ready.push(1)]"
    )
    visit(visitor, shop)
    visitor.js("_etrackerOnReady.push(() => ready.push(2))")
    assert visitor.js("[called, ready, _etracker.getCoid() === et_signalize.getClientId()]") == [
        "queued",
        [1, 2],
        True,
    ]

    subscribe(visitor, double)

    client_id = visitor.js("et_signalize.getClientId()")
    assert (cookie(visitor, "_et_coid"), cookie(visitor, "et_oip")) == (client_id, "yes")
    _status, answer = console.send(client_id, title="For you", link=f"{shop.origin}/order")
    desktop.click(desktop.wait("For you"))
    double.wait_for(lambda: f"{shop.origin}/order" in visitor.pages(), 15, "the page was not opened")
    console.wait_for(answer["messageId"], shown=True, clicked=True)


def test_the_id_comes_back_when_cookies_and_storage_are_gone(
    visitor: Browser, shop: Site, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    visit(visitor, shop)
    subscribe(visitor, double)
    before = visitor.js("et_signalize.getClientId()")
    visitor.js(
        "(localStorage.clear(), caches.delete('signalize'), document.cookie = '_et_coid=; Max-Age=0; Path=/')"
    )

    visit(visitor, shop, "/again")

    assert visitor.js("et_signalize.getClientId()") == cookie(visitor, "_et_coid") == before
    console.send(before, title="Still you")
    desktop.wait("Still you")


FORM = '<form><input name="email"><input type="hidden" name="push" data-signalize="recipient-id"></form>'
FIELDS = "[...document.querySelectorAll('[name=push]')].map(one => one.value)"
WATCHED = """
window.values = [];
Object.defineProperty(document.forms[0].push, "value", { set: (value) => values.push(value), get: () => values.at(-1) });
"""
LATER = """(async () => {
  const dialog = document.createElement("dialog");
  dialog.innerHTML = window.form;
  document.body.append("A text", dialog);
  const alone = Object.assign(document.createElement("input"), { type: "hidden", name: "push" });
  alone.dataset.signalize = "recipient-id";
  document.forms[0].append(alone);
})()"""


def test_forms_take_the_recipient_id_along(visitor: Browser, shop: Site, double: PushServiceDouble) -> None:
    shop.before = f"window.form = {json.dumps(FORM)}; document.write(form)"
    visit(visitor, shop)
    client_id = visitor.js("et_signalize.getClientId()")
    assert visitor.js(FIELDS) == [client_id]

    visitor.js(LATER)
    assert visitor.js(FIELDS) == [client_id] * 3
    assert visitor.js("new FormData(document.forms[1]).get('push')") == client_id
    assert visitor.js("document.querySelector('[name=email]').value") == ""

    # The page has forgotten the id, and the server knows it: no field ever has another one.
    subscribe(visitor, double)
    visitor.js("(localStorage.clear(), document.cookie = '_et_coid=; Max-Age=0; Path=/')")
    visitor.js("caches.delete('signalize')")
    shop.before += f"; {WATCHED}"
    visit(visitor, shop, "/again")
    assert {*visitor.js("values")} == {client_id}


def test_with_cookies_blocked_the_id_lasts_from_opt_in(
    visitor: Browser, shop: Site, double: PushServiceDouble
) -> None:
    shop.attributes = 'data-block-cookies="true"'
    ids = []
    for path in ("/a", "/b"):
        visit(visitor, shop, path)
        ids.append(visitor.js("et_signalize.getClientId()"))
        assert cookie(visitor, "_et_coid") == ""
        assert visitor.js("localStorage.getItem('_et_coid')") is None
        assert not visitor.js("_etracker.areCookiesEnabled()")

    subscribe(visitor, double)

    visit(visitor, shop, "/c")
    assert len({*ids}) == 2
    assert visitor.js("et_signalize.getClientId()") == cookie(visitor, "_et_coid") == ids[1]


def test_do_not_track_is_obeyed(visitor: Browser, shop: Site) -> None:
    shop.before = "Object.defineProperty(navigator, 'doNotTrack', {value: '1'})"
    for attributes, there in (('data-respect-dnt="true"', False), ("", True)):
        shop.attributes = attributes
        visitor.open(f"{shop.origin}/{there}")
        assert visitor.js("'et_signalize' in window") == there
        if there:
            visitor.wait(READY)
        assert bool(cookie(visitor, "_et_coid")) == there


def test_a_blocked_permission_is_remembered(visitor: Browser, shop: Site) -> None:
    visitor.permit(shop.origin, "denied")
    visit(visitor, shop)
    visitor.js("void et_signalize.on('declined', how => window.how = how)")

    assert visitor.js("et_signalize.subscribe()") is False
    assert visitor.js("[et_signalize.permission, how]") == ["denied", "denied"]
    assert cookie(visitor, "et_oip") == "denied"
    days = visitor.js("(localStorage.getItem('et_oip').split('|')[1] - Date.now()) / 864e5")
    assert 29.9 < days <= 30


def test_who_unsubscribes_gets_nothing_and_may_come_back(
    visitor: Browser, shop: Site, console: Console, double: PushServiceDouble
) -> None:
    visit(visitor, shop)
    subscribe(visitor, double)
    client_id = visitor.js("et_signalize.getClientId()")

    visitor.js("et_signalize.unsubscribe()")
    assert not visitor.js("et_signalize.isSubscribed()")
    assert cookie(visitor, "et_oip") == "no"
    assert console.send(client_id)[1]["errorCode"] == "nobody_reachable"
    visit(visitor, shop, "/later")
    assert not visitor.js("et_signalize.isSubscribed()")


def test_a_lost_subscription_is_renewed_at_the_next_visit(
    visitor: Browser, shop: Site, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    visit(visitor, shop)
    subscribe(visitor, double)
    before = visitor.js("et_signalize.getClientId()")
    visitor.js(
        "navigator.serviceWorker.ready.then(w => w.pushManager.getSubscription()).then(s => s.unsubscribe())"
    )
    visitor.js("document.cookie = '_et_coid=; Max-Age=0; Path=/'")

    visit(visitor, shop, "/next")

    assert visitor.js("et_signalize.isSubscribed()")
    assert visitor.js("et_signalize.getClientId()") == before
    console.send(before, title="Found again")
    desktop.wait("Found again")


@pytest.mark.parametrize("browser", ["firefox"], indirect=True)
def test_the_worker_tells_of_a_subscription_that_the_browser_replaced(
    visitor: Browser, shop: Site, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    # Only Firefox does so by itself: when its push service has forgotten the subscription.
    visit(visitor, shop)
    old = subscribe(visitor, double)
    recipient = visitor.js("et_signalize.getClientId()")

    visitor.restart(double.firefox.channels.clear)

    double.wait_for(lambda: any(double.firefox.channels.values()), 20, "no new subscription")
    (new,) = [one for all_of_it in double.firefox.channels.values() for one in all_of_it]
    assert new.endpoint != old["endpoint"]

    def arrived() -> bool:
        console.send(recipient, title="To the new one")
        return any(push.endpoint == new.endpoint for push in list(double.received))

    double.wait_for(arrived, 20, "the console was not told")
    desktop.wait("To the new one")


FRAMES = "[...document.querySelectorAll('iframe')].map(one => one.contentWindow)"


def test_two_pages_at_once_agree(visitor: Browser, shop: Site) -> None:
    visitor.js(
        "document.body.append(...[1, 2, 3].map(n => Object.assign(document.createElement('iframe'), {src: `/tab${n}`})))"
    )
    visitor.wait(f"{FRAMES}.every(f => f.et_signalize)")
    visitor.js(f"Promise.all({FRAMES}.map(f => f.et_signalize.ready)).then(() => 1)")

    visit(visitor, shop, "/after")

    remembered = visitor.js("et_signalize.getClientId()")
    visitor.open(f"{shop.origin}/one-more")
    visitor.wait(READY)
    assert visitor.js("et_signalize.getClientId()") == remembered == cookie(visitor, "_et_coid")


SEEN = """
import time
from signalize_console.activity.models import Event
wanted = {wanted}
for _look in range(100):
    events = Event.objects.filter(recipient__client_id="{client_id}").order_by("id")
    seen = [(e.kind, e.name, e.properties.get("page"), e.properties.get("title")) for e in events]
    if all(one in seen for one in wanted):
        break
    time.sleep(0.1)
else:
    raise SystemExit(f"{{seen}}")
"""


def test_a_single_page_app_is_followed(
    visitor: Browser, shop: Site, console: Console, double: PushServiceDouble
) -> None:
    shop.before = "window.etCommercePrepareEvents = [['sendEvent', 'viewProduct', {id: '7'}]]"
    visit(visitor, shop, "/app")
    subscribe(visitor, double)

    visitor.js("(history.pushState({}, '', '/app/tulips'), document.title = 'Tulips', 1)")
    visitor.js(
        "(etCommerce.sendEvent('insertToBasket', {id: '7'}, 2), etCommerce.sendEvent('order', {orderPrice: '9.90', basket: {products: [{product: {id: '7'}}]}}), _etracker.sendEvent(new et_UserDefinedEvent('film', 'media', 'play', 'x')), 1)"
    )

    wanted = [
        ("page_view", "", "/app", "Page /app"), ("page_view", "", "/app/tulips", "Tulips"),
        ("event", "viewProduct", None, None), ("event", "insertToBasket", None, None), ("event", "order", None, None),
        ("event", "play", None, None),
    ]  # fmt: skip
    client_id = visitor.js("et_signalize.getClientId()")
    console.manage(SEEN.format(wanted=wanted, client_id=client_id))
    told = console.sql(
        "SELECT name, properties FROM activity_event WHERE kind = 'event' AND recipient_id = "
        "(SELECT id FROM recipients_recipient WHERE client_id = %(id)s)",
        id=client_id,
    )
    assert dict(told) == {
        "viewProduct": {"product": {"id": "7"}},
        "insertToBasket": {"product": {"id": "7"}, "quantity": 2},
        "order": {"orderPrice": "9.90", "basket": {"products": [{"product": {"id": "7"}}]}},
        "play": {"object": "film", "category": "media", "type": "x"},
    }


def test_it_lives_beside_another_service_worker(
    visitor: Browser, shop: Site, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    shop.add_script(
        "/theirs.js",
        "addEventListener('fetch', () => undefined); addEventListener('install', () => skipWaiting())",
    )
    # Chromium may wake the worker of the test before, and keeps it until theirs is installed.
    visitor.js("""(async () => {
        await navigator.serviceWorker.register('/theirs.js');
        const there = async () => (await navigator.serviceWorker.getRegistration('/'))?.active?.scriptURL;
        while (!(await there())?.endsWith('/theirs.js')) await new Promise((done) => setTimeout(done, 50));
    })()""")
    visit(visitor, shop)

    subscription = subscribe(visitor, double)

    assert subscription["scope"] == f"{shop.origin}/et-push/"
    assert (
        visitor.js("navigator.serviceWorker.getRegistration('/').then(r => r.active.scriptURL)")
        == f"{shop.origin}/theirs.js"
    )
    visit(visitor, shop, "/again")
    console.send(visitor.js("et_signalize.getClientId()"), title="Side by side")
    desktop.wait("Side by side")


def test_reports_wait_while_the_console_is_away(
    visitor: Browser, shop: Site, desktop: Desktop, double: PushServiceDouble
) -> None:
    shop.before = "window._etr = {signalizeServiceWorkerPath: '/own.js'}"
    visit(visitor, shop)
    subscription = subscribe(visitor, double)
    shop.is_down = True

    push(double, subscription, title="First", data={"token": "first"})
    desktop.dismiss(desktop.wait("First"))
    waiting = "caches.open('signalize').then(c => c.keys()).then(keys => keys.filter(k => k.url.includes('/signalize-report/first/')).length)"
    visitor.wait(f"{waiting}.then(count => count === 2)")
    shop.is_down = False
    push(double, subscription, title="Second", data={"token": "second", "spread": 1})
    desktop.wait("Second")

    wanted = {("first", "shown"), ("first", "closed"), ("second", "shown")}
    double.wait_for(lambda: wanted <= {(one["token"], one["event"]) for one in shop.posted}, 15, "no reports")
    visitor.wait(f"{waiting}.then(count => count === 0)")


def test_a_repeated_delivery_takes_the_place_of_its_twin(
    visitor: Browser, shop: Site, desktop: Desktop, double: PushServiceDouble
) -> None:
    shop.before = "window._etr = {signalizeServiceWorkerPath: '/own.js'}"
    visit(visitor, shop)
    subscription = subscribe(visitor, double)

    for title in ("Your order", "Your order!"):
        push(double, subscription, title=title, tag="t", data={"token": "same"})
        desktop.wait(title)

    shown = "navigator.serviceWorker.ready.then(w => w.getNotifications()).then(all => all.map(one => [one.title, one.silent]))"
    assert visitor.js(shown) == [["Your order!", True]]


def test_a_click_in_safari_is_reported_by_the_page(
    visitor: Browser, shop: Site, double: PushServiceDouble
) -> None:
    shop.before = "window._etr = {signalizeApiUrl: location.origin}"
    visitor.open(f"{shop.origin}/order?n=1#et_push=12.20261125.mac_-~button-2")
    visitor.wait("window.et_signalize")

    assert visitor.js("location.href") == f"{shop.origin}/order?n=1"
    said = {"token": "12.20261125.mac_-", "event": "clicked", "button": "button-2"}
    double.wait_for(lambda: said in shop.posted, 10, "no report")


@pytest.mark.parametrize(
    "link", ["javascript:document.title='owned'", "data:text/html,owned", "http://evil.example/", ""]
)
def test_s15_a_click_opens_only_pages_of_the_web(
    visitor: Browser, shop: Site, desktop: Desktop, double: PushServiceDouble, link: str
) -> None:
    shop.before = "window._etr = {signalizeServiceWorkerPath: '/own.js'}"
    visit(visitor, shop)
    subscription = subscribe(visitor, double)
    before = len(visitor.pages())
    push(double, subscription, title="Click", navigate=link, data={"token": f"{link[:4]}"})

    desktop.click(desktop.wait("Click"))

    if link:
        double.wait_for(lambda: any(one["event"] == "clicked" for one in shop.posted), 15, "no click")
        assert len(visitor.pages()) == before
    assert not any(page.startswith(("javascript:", "data:", "http://evil")) for page in visitor.pages())


def test_s16_the_worker_is_one_file_that_sees_no_request(
    visitor: Browser, shop: Site, double: PushServiceDouble
) -> None:
    visit(visitor, shop)
    subscribe(visitor, double)
    visitor.open("about:blank")
    visit(visitor, shop, "/watched")

    loaded = visitor.js("performance.getEntriesByType('resource').map(one => new URL(one.name).origin)")
    assert {*loaded} <= {shop.origin, shop.server}
    assert visitor.js("performance.getEntriesByType('navigation')[0].workerStart") == 0


def test_s17_two_workers_of_ours_become_one(
    visitor: Browser, shop: Site, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    visit(visitor, shop)
    key = visitor.js(
        "fetch(`${_etracker.getConfigValue('signalizeApiUrl')}/browser/"
        + shop.secure_code
        + "/website`).then(r => r.json())"
    )
    visitor.js(f"""(async () => {{
      const old = await navigator.serviceWorker.register("/sw.js", {{scope: "/et-push/"}});
      while (!old.active) await new Promise(done => setTimeout(done, 10));
      const raw = atob("{key["applicationServerKey"]}".replaceAll("-", "+").replaceAll("_", "/"));
      await old.pushManager.subscribe({{userVisibleOnly: true, applicationServerKey: Uint8Array.from(raw, c => c.charCodeAt(0))}});
    }})()""")
    visit(visitor, shop, "/again")
    subscribe(visitor, double)

    assert [one["scope"] for one in visitor.js(SUBSCRIPTIONS)] == [f"{shop.origin}/"]
    double.reset()
    console.send(visitor.js("et_signalize.getClientId()"), title="Only once")
    desktop.wait("Only once")
    assert len(double.received) == 1


def test_s19_the_next_person_does_not_see_the_text(
    visitor: Browser, shop: Site, console: Console, desktop: Desktop, double: PushServiceDouble
) -> None:
    visit(visitor, shop)
    subscription = subscribe(visitor, double)
    visitor.js("et_signalize.setCustomerId('alice')")
    alice = state(visitor)["person"]
    assert alice
    console.send(visitor.js("et_signalize.getClientId()"), title="Alice, your test results")
    desktop.dismiss(desktop.wait("Alice, your test results"))

    for somebody in ("bob", ""):
        visitor.js(f"et_signalize.setCustomerId('{somebody}')")
        push(double, subscription, title="Alice, more results", body="secret", data={"person": alice})
        desktop.dismiss(desktop.wait("You have news"))
    assert not any("Alice" in one["title"] for one in desktop.shown.values())
    visitor.js("et_signalize.setCustomerId('alice')")
    push(double, subscription, title="Alice again", data={"person": alice})
    desktop.wait("Alice again")
