"""Each ready automation: a marketer takes it and switches it on, a visitor does what begins it in a real browser
(or the shop's server tells it), and all that it promises is shown. Appointments are made due, not waited for."""

import datetime
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from signalize_console.automations.recipes import RECIPES
from signalize_console.pushservice.double import PushServiceDouble
from tests.browsers.chromium import Chromium
from tests.browsers.console import Console
from tests.browsers.demo import visit_demo
from tests.browsers.desktop import Desktop
from tests.browsers.look import log_in
from tests.webhooks.receiver import HOST, Receiver, answer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
FEED = "<rss><channel><item><guid>{0}</guid><title>News {0}</title></item></channel></rss>"
SECONDS = 20
FIRST_FIELD = ".sentence > div:first-child"


@dataclass
class Life:
    """A visitor on the demo shop's page, with the rule that is on."""

    browser: Chromium
    console: Console
    shop_server: Receiver
    rule: int

    def one(self, statement: str, **values: object) -> tuple:
        """The only row, as soon as there is one."""
        end = time.monotonic() + SECONDS
        while not (rows := self.console.sql(statement, rule=self.rule, **values)):
            if time.monotonic() > end:
                raise TimeoutError(f"{statement} {self.console.sql('SELECT * FROM automations_run')}")
            time.sleep(0.05)
        return rows[0]

    def track(self, event: str, **properties: str) -> None:
        """As a page of the shop does, and its visitor leaves."""
        self.browser.js(f"et_signalize.track({json.dumps(event)}, {json.dumps(properties)}) ?? 1")
        self.browser.open("about:blank")

    def click(self, selector: str) -> None:
        self.browser.click(selector)
        self.browser.wait(f"!document.querySelector({json.dumps(selector)}).disabled")
        self.browser.open("about:blank")

    def subscribe_anew(self) -> None:
        self.browser.click("#unsubscribe")
        self.browser.wait("!document.querySelector('#subscribe').disabled")
        self.browser.click("#subscribe")
        self.browser.wait("!document.querySelector('#push').disabled", 30)

    def tell(self, event: str, **properties: str) -> None:
        """As the shop's server does."""
        body = {"events": [{"name": event, "properties": properties}]}
        status, said = self.console.call(f"/v3/recipients/{self.client_id}/events", body)
        assert status == 201, said

    def describe(self, **attributes: str) -> None:
        body = {"attributes": attributes}
        status, said = self.console.call(f"/v3/recipients/{self.client_id}", body, method="PATCH")
        assert status in {200, 201}, said

    @property
    def client_id(self) -> str:
        return str(self.browser.js("et_signalize.getClientId()"))

    def wait_for_schedule(self) -> None:
        """It has looked once, and has its next appointment."""
        self.one(
            "SELECT 1 FROM automations_schedule WHERE rule_id = %(rule)s AND moment IS NULL AND due_at > now()"
        )

    def move_schedule(self, changes: str) -> None:
        """Once it has looked as far as it should by now."""
        self.one(
            "UPDATE automations_schedule SET due_at = now(), "
            + changes
            + " WHERE rule_id = %(rule)s AND moment IS NULL RETURNING 1"
        )

    def appointment_comes(self) -> None:
        tomorrow = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=24, minutes=20)
        self.wait_for_schedule()
        self.describe(appointment=tomorrow.isoformat(timespec="seconds"))

    def birthday_comes(self) -> None:
        """It is tomorrow's date; the planner, which looks an hour ahead, comes to it tomorrow."""
        tomorrow = self.browser.js("new Date(Date.now() + 864e5).toLocaleDateString('sv')")
        self.browser.js(f"et_signalize.setAttributes({{birthday: '1990{tomorrow[4:]}'}}).then(() => 1)")
        self.one("SELECT 1 FROM recipients_recipient WHERE attributes ? 'birthday'")
        self.wait_for_schedule()
        self.move_schedule("moment = now() + interval '2 days', position = 0")

    def stays_away(self) -> None:
        """Has bought, and isn't seen for 60 days."""
        before = self.console.sql("SELECT count(*) FROM activity_event WHERE name = 'order'")[0][0]
        self.click("#push")
        self.one(
            "SELECT 1 WHERE (SELECT count(*) FROM activity_event WHERE name = 'order') > %(before)s",
            before=before,
        )
        self.wait_for_schedule()
        self.one("UPDATE recipients_recipient SET seen_at = now() - interval '60 days' RETURNING 1")
        self.move_schedule("moment = NULL")

    def monday_comes(self) -> None:
        self.move_schedule("since = now() - interval '10 minutes'")

    def news_comes(self) -> None:
        self.one("SELECT 1 FROM automations_schedule WHERE rule_id = %(rule)s AND seen <> '[]'")
        self.shop_server.behave("/feed.xml", answer(200, FEED.format(2).encode()))
        self.move_schedule("moment = NULL")


@dataclass(frozen=True)
class Journey:
    """What begins it, the titles and texts that are shown then, and how many appointments it waits for."""

    begin: Callable[[Life], None]
    shown: list[tuple[str, str]]
    appointments: int = 0


JOURNEYS = {
    "registration": Journey(
        lambda life: life.track("registration"), [("Welcome, and thank you", "Your account is ready.")]
    ),
    "order": Journey(
        lambda life: life.click("#push"), [("Thank you for your order", r"Order [0-9]{6}: we are packing it.")]
    ),
    "dispatch": Journey(
        lambda life: life.tell("dispatched", arrival="on Friday"),
        [("Your parcel is on its way", "It arrives on Friday.")],
    ),
    "appointment": Journey(
        Life.appointment_comes, [("See you tomorrow", "Your appointment is in 24 hours.")], 1
    ),
    "error": Journey(
        lambda life: life.track("paymentFailed"),
        [
            ("Your payment didn't go through", "Please check your details"),
            ("Your order still waits", "One click, and it is paid."),
        ],
        1,
    ),
    "delay": Journey(
        lambda life: life.tell("delayed", arrival="at 12:40"),
        [("It takes a little longer", "Now expected: at 12:40.")],
    ),
    "birthday": Journey(
        Life.birthday_comes, [("Happy birthday, friend!", "There is a present for you.")], 1
    ),
    "follow_up": Journey(lambda life: life.click("#push"), [("What goes well with it", "A choice for you")], 2),
    "basket": Journey(
        lambda life: life.click("#basket"),
        [
            ("Still in your basket", "A pot of flowers is waiting for you."),
            ("We keep it a little longer", "Your basket is as you left it."),
        ],
        2,
    ),
    "welcome": Journey(
        Life.subscribe_anew,
        [
            ("Good to have you here", "From now on you hear from us first."),
            ("Have you seen this?", "What others like best."),
        ],
        3,
    ),
    "win_back": Journey(Life.stays_away, [("We have missed you", "Look what is new since your last visit.")], 1),
    "weekly": Journey(Life.monday_comes, [("This week's offer", "New every Monday.")]),
    "news": Journey(Life.news_comes, [("News 2", "Read it here.")]),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def nobody_else(console: Console) -> None:
    console.forget_visitors()


@pytest.fixture(scope="module")
def marketer(chromium: Chromium, console: Console, double: PushServiceDouble) -> Chromium:
    """The same browser, logged in to the console, and subscribed at the shop."""
    log_in(chromium, console)
    visit_demo(chromium, console, double)
    return chromium


def switch_on(browser: Chromium, console: Console, key: str) -> int:
    """Takes the ready automation, puts in what is the website's own, and switches it on: its number."""
    browser.open(f"{console.origin}/admin/automations/rule/recipes/")
    browser.click(f"button[value={key}]")
    browser.wait("location.pathname.endsWith('/change/') && !!document.querySelector('.sentence li')")
    changes = {
        "news": ("url", f"https://{HOST}/feed.xml"),
        "weekly": ("time", f"{datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=2):%H:%M}"),
    }
    if key in changes:
        kind, value = changes[key]
        field = f"document.querySelector('{FIRST_FIELD} input[type={kind}]')"
        browser.js(f"({field}.value = '{value}', {field}.dispatchEvent(new Event('input')))")
        browser.js(
            f"document.querySelectorAll('{FIRST_FIELD} input:not(:checked)[type=checkbox]').forEach(b => b.click()) ?? 1"
        )
        browser.js("(window.isOld = true)")
        browser.click("[name=_save]")
        browser.wait(
            "!window.isOld && document.readyState === 'complete' && !!document.querySelector('.messagelist')"
        )
    browser.js("(window.isOld = true)")
    browser.click("form[action$='/switch/'] button[name=on]")
    browser.wait(
        "!window.isOld && document.readyState === 'complete' && !!document.querySelector('button[name=off]')"
    )
    return int(browser.js("location.pathname.match(/rule\\/(\\d+)/)[1]"))


def go_on(life: Life, messages: int) -> int:
    """Makes its next appointment due, as long as it has sent so many messages: how many that were."""
    return len(
        life.console.sql(
            "UPDATE automations_run SET due_at = now() WHERE rule_id = %(rule)s AND state = 'waiting'"
            " AND due_at > now() + interval '5 seconds' AND cardinality(messages) = %(messages)s RETURNING id",
            rule=life.rule, messages=messages,
        )
    )  # fmt: skip


def test_every_ready_one_has_its_journey() -> None:
    assert [*JOURNEYS] == [*RECIPES]


@pytest.mark.parametrize("key", JOURNEYS)
def test_a_ready_automation_from_the_browser_to_what_is_shown(
    key: str,
    marketer: Chromium,
    console: Console,
    desktop: Desktop,
    double: PushServiceDouble,
    shop_server: Receiver,
) -> None:
    shop_server.behave("/feed.xml", answer(200, FEED.format(1).encode()))
    desktop.history.clear()
    life = Life(marketer, console, shop_server, switch_on(marketer, console, key))
    visit_demo(marketer, console, double)
    journey, appointments = JOURNEYS[key], 0

    journey.begin(life)
    for number, (title, text) in enumerate(journey.shown):
        end = time.monotonic() + SECONDS
        while not any(one == title and re.search(text, said) for one, said in desktop.history):
            appointments += go_on(life, number)
            assert time.monotonic() < end, (desktop.history, console.sql("SELECT * FROM automations_run"))
            time.sleep(0.05)

    life.one("SELECT 1 FROM automations_run WHERE rule_id = %(rule)s AND state = 'finished'")
    assert console.sql("SELECT count(*) FROM automations_run WHERE rule_id = %(rule)s", rule=life.rule) == [
        (1,)
    ]
    assert appointments == journey.appointments
    console.sql("UPDATE automations_rule SET is_on = false")
