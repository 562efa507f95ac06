"""Every page of the console in Chromium: hostile texts don't run, axe-core has nothing to say, the Tab key gets everywhere."""

import json
from collections.abc import Iterator

import pytest

from tests.browsers.chromium import Chromium
from tests.browsers.console import Console
from tests.browsers.look import SIZES, lock_out, log_in
from tests.browsers.opt_in import complaints

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

# One of each thing, and who may see them all; ``said`` stands wherever people may write.
FURNISH = """
from tests.console.world import addresses, furnish, furnish_operations
from tests.makers import make_message, make_text, make_website
from datetime import timedelta
from django.utils import timezone
from signalize_console.messaging.models import PushMessage
import json
website = make_website(name={said!r}[:100], origins=["https://furnished.example"])
furnish(website, {said!r})
furnish_operations({said!r})
if {hostile!r}:
    from tests.console.test_xss import poison
    poison({said!r})
# What is under way is due later: nobody moves it meanwhile.
later = timezone.now() + timedelta(hours=3)
watched = {{"total": 40, "expected": 4_000, "expand_at": later, "canary": True, "canary_phase": "watch"}}
more = {{
    "expanding": {{"due_at": later, "expected": 4_000, "total": 40}},
    "sending": {{"due_at": later, **watched}},
    "repeating": {{"due_at": later, "scheduled_at": later, "repeat": "week"}},
    "scheduled": {{"due_at": later, "scheduled_at": later, "in_local_time": True, "per_minute": 600}},
}}
for state in ("awaiting_approval", "paused", "held", "cancelled", "finished", *more):
    (message := make_message(website, state=state, **more.get(state, {{}}))).save()
    text = make_text(title={said!r}[:90], message={said!r})
    text.push_message = message
    text.save()
skipped = {{"logout", "login", "jsi18n", "autocomplete", "second_factor", "<url>", "view_on_site"}}
paths = {{address.path() for address in addresses() if address.name not in skipped}}
messages = PushMessage.objects.order_by("pk").values_list("pk", flat=True)
paths |= {{f"/admin/messaging/pushmessage/{{pk}}/change/" for pk in messages}}
paths |= {{f"/admin/messaging/pushmessage/{{pk}}/review/" for pk in messages.filter(state="draft")}}
paths |= {{f"/admin/reports/compare/?message={{messages[0]}}&message={{messages[1]}}", "/admin/auth/user/?q=nobody"}}
print(json.dumps(sorted(paths)))
"""
HOSTILE = (
    "\"'></textarea></title></style></script><script>document.documentElement.dataset.ran='1'</script>"
    "<img src=x onerror=\"document.documentElement.dataset.ran='2'\">"
    "<svg onload=\"document.documentElement.dataset.ran='3'\">"
)
LOOKS = {"light": ("desk", False), "dark-phone": ("phone", True)}
# What a person can do something with, and sees.
REACHABLE = """[...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter((one) => {
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  return !one.disabled && one.type !== 'hidden' && style.visibility === 'visible' && box.width > 0 && box.height > 0
    && !one.closest('[inert], [hidden]') && (one.checkVisibility?.({contentVisibilityAuto: true}) ?? true);
})"""


# Of these addresses, those that show a page; others are for a POST, lead elsewhere, or give a part of a page.
PAGES = """Promise.all(PATHS.map((path) => fetch(path, {redirect: 'manual'}).then(async (answer) =>
  answer.status === 200 && (await answer.text()).slice(0, 100).trim().toLowerCase().startsWith('<!doctype html') ? [path] : []
))).then((found) => found.flat())"""


@pytest.fixture(scope="module")
def furnished() -> Iterator[Console]:
    with Console() as console:
        yield console


@pytest.fixture(scope="module")
def inside(chromium: Chromium, furnished: Console) -> Chromium:
    log_in(chromium, furnished)
    return chromium


def furnish(browser: Chromium, console: Console, said: str, *, hostile: bool = False) -> list[str]:
    """The addresses of all pages, as somebody who may see everything."""
    paths = json.loads(console.manage(FURNISH.format(said=said, hostile=hostile)).splitlines()[-1])
    browser.open(f"{console.origin}/admin/")
    pages = list(browser.js(PAGES.replace("PATHS", json.dumps(paths))))
    assert len(pages) > 100
    return pages


@pytest.fixture(scope="module")
def pages(inside: Chromium, furnished: Console) -> list[str]:
    return furnish(inside, furnished, "Autumn sale")


def one_of_each(pages: list[str]) -> list[str]:
    """Without those that are Django's own and alike for every class, but for the first."""
    alike = {
        name: [path for path in pages if path.endswith(f"/{name}/")][1:] for name in ("history", "delete")
    }
    return [path for path in pages if path not in {*alike["history"], *alike["delete"]}]


def open_page(browser: Chromium, console: Console, path: str) -> None:
    browser.open("about:blank")
    browser.open(console.origin + path)


def test_axe_has_nothing_to_say_of_the_login(chromium: Chromium, furnished: Console) -> None:
    chromium.open(f"{furnished.origin}/admin/login/")
    for size, dark in LOOKS.values():
        chromium.look(*SIZES[size], dark=dark)
        assert complaints(chromium, "html") == []


def test_axe_has_nothing_to_say_of_who_is_locked_out(chromium: Chromium, furnished: Console) -> None:
    lock_out(chromium, furnished)
    assert chromium.js("document.querySelector('.locked-out strong').textContent")
    for size, dark in LOOKS.values():
        chromium.look(*SIZES[size], dark=dark)
        assert complaints(chromium, "html") == []


def test_axe_has_nothing_to_say(inside: Chromium, furnished: Console, pages: list[str]) -> None:
    found: dict[str, str] = {}
    for path in one_of_each(pages):
        open_page(inside, furnished, path)
        for look, (size, dark) in LOOKS.items():
            inside.look(*SIZES[size], dark=dark)
            for said in complaints(inside, "html"):
                found.setdefault(said, f"{path}, {look}")
    assert not found, "\n".join(f"{path}: {said}" for said, path in found.items())


def test_the_tab_key_gets_everywhere(inside: Chromium, furnished: Console, pages: list[str]) -> None:
    inside.look(*SIZES["desk"])
    missed = {}
    for path in pages:
        open_page(inside, furnished, path)
        inside.js(
            f"({REACHABLE}.forEach((one, index) => (one.dataset.place = index)), document.activeElement.blur(), 1)"
        )
        wanted = set(
            inside.js(f"{REACHABLE}.filter((one) => one.type !== 'radio').map((one) => one.dataset.place)")
        )
        reached: set[str] = set()
        for _press in range(len(wanted) * 2 + 20):
            inside.press("Tab", 9)
            place = inside.js("document.activeElement?.dataset?.place ?? null")
            reached.add(place)
            if wanted <= reached:
                break
        left = inside.js(
            f"{json.dumps(sorted(wanted - reached))}.map((place) => document.querySelector(`[data-place='${{place}}']`)?.outerHTML.slice(0, 150))"
        )
        # A page that keeps itself up to date may have replaced some meanwhile.
        if still := [one for one in left if one]:
            missed[path] = still
    assert not missed, "\n".join(f"{path}: {what}" for path, what in missed.items())


def test_a_page_says_when_its_numbers_are_no_longer_live(
    inside: Chromium, furnished: Console, pages: list[str]
) -> None:
    scheduled = furnished.sql("SELECT max(id) FROM messaging_pushmessage WHERE state = 'scheduled'")
    open_page(inside, furnished, f"/admin/messaging/pushmessage/{scheduled[0][0]}/change/")
    said = "document.querySelector('#content > [role=status]').textContent"
    assert inside.js(said) == ""
    line = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    inside.call("Network.enable", {}, **inside.session)
    inside.call("Network.emulateNetworkConditions", {**line, "offline": True}, **inside.session)
    inside.wait(f"{said}.includes('could not be reached')", 30)
    inside.call("Network.emulateNetworkConditions", {**line, "offline": False}, **inside.session)
    inside.wait(f"{said} === ''", 30)


def test_what_is_to_be_copied_is_copied_by_the_space_bar(
    inside: Chromium, furnished: Console, pages: list[str]
) -> None:
    number = furnished.sql("SELECT min(id) FROM websites_website")[0][0]
    open_page(inside, furnished, f"/admin/websites/website/{number}/change/")
    inside.js("(document.querySelector('code.copyable').focus(), 1)")
    before = inside.js("window.scrollY")
    inside.press(" ", 32)
    inside.wait("!!document.querySelector('code.copyable.copied')")
    assert inside.js("window.scrollY") == before


def test_nothing_that_people_wrote_runs(inside: Chromium, furnished: Console) -> None:
    inside.open("about:blank")
    seen = 0
    for path in furnish(inside, furnished, HOSTILE, hostile=True):
        open_page(inside, furnished, path)
        assert inside.js("document.documentElement.dataset.ran ?? null") is None, path
        seen += bool(
            inside.js(
                "document.documentElement.textContent.includes('dataset.ran') || document.documentElement.outerHTML.includes('dataset.ran')"
            )
        )
    assert seen > 25, "the texts were not on the pages"
    # The same text, let loose: the test would see it, were it not for escaping and the policy.
    inside.open("about:blank")
    inside.js(
        f"(document.body.innerHTML = {json.dumps(HOSTILE)}, new Promise((done) => setTimeout(() => done(1), 300)))"
    )
    assert inside.js("document.documentElement.dataset.ran") in {"2", "3"}
