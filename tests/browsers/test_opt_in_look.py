"""How the opt-in looks and behaves for everybody, in Chromium: every kind in light, dark and at phone width."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.browsers.chromium import Chromium
from tests.browsers.console import Console
from tests.browsers.look import SIZES, log_in
from tests.browsers.opt_in import BELL, DIALOG, button, complaints, set_up, visit, visit_first, wait_for_title

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
QUESTION = "May we tell you when there is news?"
BUTTON = "document.querySelector('[data-signalize=button]')"
LIGHT, DARK = ("#ffffff", "#1f6f5c"), ("#1b2421", "#4cc3a2")
LOOKS = [(size, dark) for size in SIZES for dark in (False, True)]
DAY = 86_400


@pytest.fixture(scope="module", autouse=True)
def opt_in(console: Console) -> Any:
    yield
    set_up(console, is_on=False)


def pixel(browser: Chromium, directory: Path, x: float, y: float) -> str:
    """The colour that a screenshot has there."""
    picture = directory / "screen.png"
    browser.screenshot(picture, whole=False)
    data = base64.b64encode(picture.read_bytes()).decode()
    return str(
        browser.js(
            f"""(async () => {{
              const image = Object.assign(new Image(), {{src: "data:image/png;base64,{data}"}});
              await image.decode();
              const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
              canvas.drawImage(image, 0, 0);
              const rgb = [...canvas.getImageData({x}, {y}, 1, 1).data].slice(0, 3);
              return "#" + rgb.map((one) => one.toString(16).padStart(2, "0")).join("");
            }})()"""
        )
    )


def box(browser: Chromium, element: str) -> list[float]:
    sides = "{left, top, right, bottom}"
    return list(browser.js(f"(({sides}) => [left, top, right, bottom])({element}.getBoundingClientRect())"))


def is_inside(browser: Chromium, element: str) -> bool:
    left, top, right, bottom = box(browser, element)
    width, height = browser.js("[innerWidth, innerHeight]")
    return bool(left >= 0 and top >= 0 and right <= width and bottom <= height and right > left)


@pytest.mark.parametrize(
    ("position", "size", "dark"),
    [
        *(("top", *look) for look in LOOKS),
        *((one, "phone", False) for one in ("centre", "bottom", "start", "end")),
    ],
)
def test_the_dialog(
    chromium: Chromium, console: Console, tmp_path: Path, position: str, size: str, dark: bool
) -> None:
    if (size, dark) == LOOKS[0] or position != "top":
        set_up(console, position=position)
    chromium.look(*SIZES[size], dark=dark)
    visit_first(chromium, console)
    wait_for_title(chromium, QUESTION)
    dialog = f"{DIALOG}.shadowRoot.querySelector('dialog')"
    chromium.js(f"Promise.all({dialog}.getAnimations().map(one => one.finished)).then(() => 1)")

    assert is_inside(chromium, dialog)
    assert chromium.js(f"{dialog}.scrollWidth <= {dialog}.clientWidth")
    for text in ("Yes, please", "Not now"):
        left, top, right, bottom = box(chromium, button(text))
        assert bottom - top >= 44
        assert right - left >= 44
    paper, accent = DARK if dark else LIGHT
    left, top, _right, _bottom = box(chromium, dialog)
    assert pixel(chromium, tmp_path, left + 12, top + 40) == paper
    left, top, right, _bottom = box(chromium, button("Yes, please"))
    assert pixel(chromium, tmp_path, (left + right) / 2, top + 4) == accent
    assert complaints(chromium, "[data-signalize-dialog]") == []


@pytest.mark.parametrize(("size", "dark"), LOOKS)
def test_the_bell(chromium: Chromium, console: Console, tmp_path: Path, size: str, dark: bool) -> None:
    if (size, dark) == LOOKS[0]:
        set_up(console, kind="bell", position="end")
    chromium.look(*SIZES[size], dark=dark)
    visit_first(chromium, console)
    chromium.wait(f"!!{BELL}")
    bell = f"{BELL}.shadowRoot.querySelector('button')"

    assert is_inside(chromium, bell)
    left, top, right, _bottom = box(chromium, bell)
    assert pixel(chromium, tmp_path, (left + right) / 2, top + 4) == (DARK if dark else LIGHT)[1]
    assert complaints(chromium, "[data-signalize-bell]") == []
    assert chromium.js(f"{bell}.getAttribute('aria-label')") == "Get notified"
    chromium.tap(bell)
    wait_for_title(chromium, QUESTION)
    chromium.press("Escape", 27)
    chromium.wait(f"!{DIALOG}")
    assert chromium.js(f"{BELL}.shadowRoot.activeElement === {bell}")


@pytest.mark.parametrize(("size", "dark"), LOOKS)
def test_the_button(chromium: Chromium, console: Console, tmp_path: Path, size: str, dark: bool) -> None:
    if (size, dark) == LOOKS[0]:
        set_up(console, kind="link")
    chromium.look(*SIZES[size], dark=dark)
    visit_first(chromium, console)
    chromium.js(
        "(document.querySelector('#help').insertAdjacentHTML('afterend', '<span data-signalize=button></span>'), 1)"
    )
    chromium.js("et_signalize.openOptIn('button').then(() => 1)")
    inner = f"{BUTTON}.shadowRoot.querySelector('button')"

    chromium.wait(f"{inner}?.textContent === 'Get notified'")
    chromium.js(f"({inner}.scrollIntoView({{block: 'center'}}), 1)")
    left, top, right, _bottom = box(chromium, inner)
    assert pixel(chromium, tmp_path, (left + right) / 2, top + 4) == (DARK if dark else LIGHT)[1]
    assert complaints(chromium, "[data-signalize=button]") == []
    chromium.tap(inner)
    wait_for_title(chromium, QUESTION)


def test_two_clicks_ask_once(chromium: Chromium, console: Console) -> None:
    set_up(console, kind="link")
    visit_first(chromium, console)
    chromium.js("Promise.all([et_signalize.openOptIn(), et_signalize.openOptIn()]).then(() => 1)")
    assert chromium.js("document.querySelectorAll('[data-signalize-dialog]').length") == 1


def test_a_link_of_the_page_asks(chromium: Chromium, console: Console) -> None:
    set_up(console, kind="link")
    visit_first(chromium, console)
    assert not chromium.js(f"!!{DIALOG} || !!{BELL}")
    chromium.js(
        "(document.querySelector('#help').insertAdjacentHTML('afterend', '<a href=/ data-signalize=opt-in>News</a>'), 1)"
    )

    chromium.click("[data-signalize=opt-in]")

    wait_for_title(chromium, QUESTION)
    assert chromium.js("location.pathname") == "/demo/"


@pytest.mark.parametrize(("size", "dark"), LOOKS)
def test_the_preference_page(chromium: Chromium, console: Console, size: str, dark: bool) -> None:
    if (size, dark) == LOOKS[0]:
        set_up(console)
    chromium.look(*SIZES[size], dark=dark)
    visit_first(chromium, console)
    wait_for_title(chromium, QUESTION)
    chromium.tap(button("Yes, please"))
    wait_for_title(chromium, "Thank you")
    assert complaints(chromium, "[data-signalize-dialog]") == []
    chromium.tap(button("Settings"))
    wait_for_title(chromium, "Your notifications")
    dialog = f"{DIALOG}.shadowRoot.querySelector('dialog')"
    chromium.js(f"({dialog}.querySelectorAll('details').forEach(one => (one.open = true)), 1)")
    chromium.tap(button("Erase me"))

    assert is_inside(chromium, dialog)
    assert chromium.js(f"{dialog}.scrollWidth <= {dialog}.clientWidth")
    assert complaints(chromium, "[data-signalize-dialog]") == []


def test_the_keyboard_stays_in_the_dialog_and_escape_leaves_it(chromium: Chromium, console: Console) -> None:
    set_up(console)
    chromium.look(*SIZES["desk"])
    visit_first(chromium, console)
    wait_for_title(chromium, QUESTION)
    assert chromium.js(f"{DIALOG}.shadowRoot.activeElement.tagName") == "H2"
    reached = set()
    for _step in range(12):
        chromium.press("Tab", 9)
        where = chromium.js(
            f"[document.activeElement === {DIALOG}, {DIALOG}.shadowRoot.activeElement?.textContent ?? '', document.activeElement.tagName]"
        )
        assert where[0] or where[2] == "BODY", where
        reached.add(where[1])
    assert {"Yes, please", "Not now", "×"} <= reached

    chromium.press("Escape", 27)

    chromium.wait(f"!{DIALOG}")
    assert abs(_oip(chromium)["expires"] - _now(chromium) - DAY) < 60


def _oip(chromium: Chromium) -> dict[str, Any]:
    cookies = chromium.call("Network.getCookies", {}, **chromium.session)["cookies"]
    return next(one for one in cookies if one["name"] == "et_oip")


def _now(chromium: Chromium) -> float:
    return float(chromium.js("performance.timeOrigin / 1000 + performance.now() / 1000"))


def test_it_asks_again_after_thirty_days(chromium: Chromium, console: Console) -> None:
    set_up(console)
    visit_first(chromium, console)
    wait_for_title(chromium, QUESTION)
    chromium.tap(button("Not now"))
    chromium.wait(f"!{DIALOG}")
    cookie = _oip(chromium)
    assert (cookie["value"], cookie["sameSite"]) == ("no", "Lax")
    assert abs(cookie["expires"] - _now(chromium) - 30 * DAY) < 60

    for days, is_asked in ((29, False), (31, True)):
        # The page's clock; the browser's own would have dropped the cookie on the 30th day.
        moved = (
            f"(() => {{ const now = Date.now.bind(Date); Date.now = () => now() + {days * DAY * 1000} }})()"
        )
        script = chromium.call("Page.addScriptToEvaluateOnNewDocument", {"source": moved}, **chromium.session)
        if cookie["expires"] < _now(chromium) + days * DAY:
            chromium.call(
                "Network.deleteCookies", {"name": "et_oip", "url": console.origin}, **chromium.session
            )
        visit(chromium, console)
        if is_asked:
            wait_for_title(chromium, QUESTION)
        chromium.js("new Promise(done => setTimeout(() => done(1), 500))")
        assert bool(chromium.js(f"!!{DIALOG}")) is is_asked
        chromium.call("Page.removeScriptToEvaluateOnNewDocument", script, **chromium.session)


@pytest.mark.parametrize(
    ("rules", "before", "act"),
    [
        ({"trigger": "seconds", "after": 1}, "1", "1"),
        ({"trigger": "pages", "after": 3}, "history.pushState({}, '', '/demo/?a')", "(sessionStorage.setItem('et_pages', 2), history.pushState({}, '', '/demo/more'), 1)"),
        ({"trigger": "scroll", "after": 50}, "(document.body.style.height = '5000px', scrollTo(0, 500), 1)", "(scrollTo(0, 4000), 1)"),
        ({"trigger": "exit"}, "document.documentElement.dispatchEvent(new MouseEvent('mouseleave', {clientY: 300}))",
         "document.documentElement.dispatchEvent(new MouseEvent('mouseleave', {clientY: -1}))"),
        ({"paths": ["/elsewhere/*"]}, "1", "history.pushState({}, '', '/elsewhere/now')"),
    ],
    ids=["seconds", "pages", "scroll", "exit", "paths"],
)  # fmt: skip
def test_when_it_asks(
    chromium: Chromium, console: Console, rules: dict[str, Any], before: str, act: str
) -> None:
    set_up(console, **rules)
    chromium.look(*SIZES["desk"])
    visit_first(chromium, console)
    chromium.js(f"({before}, 1)")
    chromium.js("new Promise(done => setTimeout(() => done(1), 400))")
    assert not chromium.js(f"!!{DIALOG}")

    chromium.js(f"({act}, 1)")

    wait_for_title(chromium, QUESTION)


def test_it_speaks_arabic_from_right_to_left(chromium: Chromium, console: Console) -> None:
    words = {
        "title": "هل نخبرك بالجديد؟",
        "message": "إشعار قصير في متصفحك.",
        "yes": "نعم",
        "no": "ليس الآن",
        "label": "الإشعارات",
    }
    set_up(console, {"ar": words})
    visit_first(chromium, console)
    wait_for_title(chromium, QUESTION)
    chromium.press("Escape", 27)
    chromium.wait(f"!{DIALOG}")
    arabic = """new MutationObserver((_changes, self) => {
      if (!document.documentElement) return;
      document.documentElement.lang = "ar";
      if (document.body) self.disconnect();
    }).observe(document, {childList: true, subtree: true})"""
    script = chromium.call("Page.addScriptToEvaluateOnNewDocument", {"source": arabic}, **chromium.session)
    visit(chromium, console)
    chromium.call("Page.removeScriptToEvaluateOnNewDocument", script, **chromium.session)
    chromium.js("et_signalize.openOptIn().then(() => 1)")

    wait_for_title(chromium, words["title"])

    assert chromium.js(f"[{DIALOG}.lang, {DIALOG}.dir]") == ["ar", "rtl"]
    no, yes = box(chromium, button(words["no"])), box(chromium, button(words["yes"]))
    assert yes[2] <= no[0], "in a right-to-left language the main button stands left"
    assert complaints(chromium, "[data-signalize-dialog]") == []


def test_a_page_with_a_strict_policy_and_wild_styles_changes_nothing(
    chromium: Chromium, console: Console
) -> None:
    set_up(console)
    chromium.look(*SIZES["desk"])
    visit_first(chromium, console)
    wait_for_title(chromium, QUESTION)
    policy = chromium.js("fetch('/demo/').then(one => one.headers.get('Content-Security-Policy'))")
    assert "unsafe-inline" not in policy
    yes = button("Yes, please")
    look = f"(({{width, height}}, {{fontSize, color}}) => [width, height, fontSize, color])({yes}.getBoundingClientRect(), getComputedStyle({yes}))"
    before = chromium.js(look)
    wild = "* { font-size: 40px !important; color: red !important; padding: 30px !important; width: 10px }"
    chromium.js(
        f"(() => {{ const wild = new CSSStyleSheet(); wild.replaceSync({json.dumps(wild)});"
        " document.adoptedStyleSheets = [wild]; return 1 })()"
    )

    assert chromium.js("getComputedStyle(document.querySelector('h1')).fontSize") == "40px"
    assert chromium.js(look) == before


def test_an_iphone_learns_of_the_home_screen(chromium: Chromium, console: Console) -> None:
    set_up(console)
    chromium.look(*SIZES["phone"])
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
    visit_first(chromium, console)
    chromium.call("Emulation.setUserAgentOverride", {"userAgent": agent}, **chromium.session)
    missing = "delete window.PushManager; delete window.Notification"
    script = chromium.call("Page.addScriptToEvaluateOnNewDocument", {"source": missing}, **chromium.session)
    visit(chromium, console)
    try:
        wait_for_title(chromium, "First add this page to the Home Screen")
        assert complaints(chromium, "[data-signalize-dialog]") == []
        chromium.tap(button("Close"))
        assert abs(_oip(chromium)["expires"] - _now(chromium) - 30 * DAY) < 60
    finally:
        chromium.call("Page.removeScriptToEvaluateOnNewDocument", script, **chromium.session)
        chromium.call("Emulation.setUserAgentOverride", {"userAgent": ""}, **chromium.session)


def test_the_console_previews_the_dialog_itself(chromium: Chromium, console: Console) -> None:
    set_up(console, is_on=False)
    chromium.look(*SIZES["desk"])
    log_in(chromium, console)
    chromium.open(f"{console.origin}/admin/websites/optin/")
    place = chromium.js("document.querySelector('#result_list tbody th a').getAttribute('href')")
    chromium.open(console.origin + place)
    inside = "document.querySelector('.preview iframe').contentDocument"
    shown = f"{inside}.querySelector('[data-signalize-dialog]')?.shadowRoot"
    chromium.wait(f"{shown}?.querySelector('h2')?.textContent === {json.dumps(QUESTION)}")

    type_in = "(([id, value]) => { const one = document.getElementById(id); one.value = value; one.focus(); one.dispatchEvent(new Event('input', {bubbles: true})); return 1 })"
    chromium.js(f"{type_in}({json.dumps(['id_texts-0-title', 'Tulips first?'])})")
    chromium.wait(f"{shown}?.querySelector('h2')?.textContent === 'Tulips first?'")
    assert chromium.js("document.activeElement.id") == "id_texts-0-title"
    chromium.js(f"{type_in}({json.dumps(['id_ink', '#888888'])})")
    chromium.wait(
        "document.querySelector('.warnings').textContent.includes('hard to read in the light look')"
    )
    for step, said in (("blocked", "blocked here"), ("homeScreen", "Home Screen"), ("thanks", "Thank you")):
        chromium.click(f"[data-to={step}]")
        chromium.wait(f"{shown}?.querySelector('h2')?.textContent.includes({json.dumps(said)})")
    assert complaints(chromium, ".preview") == []

    chromium.js(f"{type_in}({json.dumps(['id_ink', '#222222'])})")
    chromium.click("[name=_on]")
    chromium.wait("document.querySelector('.messagelist')?.textContent.includes('from now on')")
    visit_first(chromium, console)
    chromium.wait("!!window.et_signalize")
    set_up(console, {"en": {"title": QUESTION}}, is_on=False)
