"""Takes the pictures of docs/console.md: ``python -m tests.browsers.look docs/images/console [PAGE …]``.

Each page in light, in dark, and on a phone; of a garden shop with a season behind it (season.py).
"""

import base64
import json
import sys
from pathlib import Path

from django_otp.oath import totp
from PIL import Image

from signalize_console.pushservice.double import PushServiceDouble
from tests.browsers.chromium import Chromium
from tests.browsers.console import Console
from tests.browsers.desktop import Desktop
from tests.browsers.protocol import Browser

# The pages that docs/console.md shows, in its order; ``{…}`` is the id of a row that season.py made.
PAGES = {
    "login": "/admin/login/",
    "dashboard": "/admin/",
    "messages": "/admin/messaging/pushmessage/",
    "composer": "/admin/messaging/pushmessage/{draft}/change/",
    "review": "/admin/messaging/pushmessage/{draft}/review/",
    "approval": "/admin/messaging/pushmessage/{awaiting_approval}/change/",
    "scheduled": "/admin/messaging/pushmessage/{scheduled}/change/",
    "running": "/admin/messaging/pushmessage/{sending}/change/",
    "report": "/admin/reports/message/{finished}/",
    "reports": "/admin/reports/",
    "compare": "/admin/reports/compare/?message={finished}&message={before}",
    "automations": "/admin/automations/rule/",
    "automations-ready": "/admin/automations/rule/recipes/",
    "automation": "/admin/automations/rule/1/change/",
    "automation-runs": "/admin/automations/run/",
    "templates": "/admin/messaging/messagetemplate/",
    "template": "/admin/messaging/messagetemplate/1/change/",
    "media": "/admin/messaging/media/",
    "segments": "/admin/audiences/segment/",
    "segment": "/admin/audiences/segment/1/change/",
    "lists": "/admin/audiences/recipientlist/",
    "list": "/admin/audiences/recipientlist/add/",
    "recipients": "/admin/recipients/recipient/",
    "recipient": "/admin/recipients/recipient/{recipient}/change/",
    "why": "/admin/recipients/recipient/{recipient}/why/?message={finished}",
    "erase": "/admin/recipients/recipient/{recipient}/erase/",
    "subscriptions": "/admin/recipients/subscription/",
    "consent-log": "/admin/recipients/consent/",
    "consent-texts": "/admin/websites/consenttext/",
    "deliveries": "/admin/deliveries/delivery/",
    "delivery": "/admin/deliveries/delivery/{delivery}/change/",
    "events": "/admin/activity/event/",
    "alerts": "/admin/deliveries/alert/",
    "websites": "/admin/websites/website/",
    "website": "/admin/websites/website/1/change/",
    "keys": "/admin/websites/website/1/keys/",
    "export": "/admin/websites/website/1/export/",
    "opt-in": "/admin/websites/optin/1/change/",
    "imports": "/admin/recipients/import/",
    "import-new": "/admin/recipients/import/add/",
    "import": "/admin/recipients/import/1/change/",
    "api-keys": "/admin/api/apikey/",
    "api-key": "/admin/api/apikey/add/",
    "webhooks": "/admin/webhooks/webhookendpoint/",
    "webhook": "/admin/webhooks/webhookendpoint/1/change/",
    "webhook-deliveries": "/admin/webhooks/webhookdelivery/",
    "self-test": "/admin/self-test/",
    "processes": "/admin/deliveries/heartbeat/",
    "periodic-tasks": "/admin/django_celery_beat/periodictask/",
    "users": "/admin/auth/user/",
    "user": "/admin/auth/user/2/change/",
    "roles": "/admin/auth/group/",
    "account": "/admin/account/",
    "second-factor": "/admin/second-factor/setup/",
    "login-attempts": "/admin/axes/accessattempt/",
    "audit-log": "/admin/console/auditrecord/",
}
# Those of a copy: the same database, after it was restored elsewhere.
COPY = {"restored": "/admin/", "send-from-here": "/admin/send-from-here/"}
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
LOOKS = {"light": ("desk", False), "dark": ("desk", True), "phone": ("phone", True)}
HIGHEST = 1800
# Nobody is asked for a code there, as ``log_in_again`` was.
RESTORE = "UPDATE deliveries_installation SET identity = 'elsewhere'; DELETE FROM otp_totp_totpdevice"
SEASON = "from tests.browsers import season; import json; print(json.dumps(season.grow()))"


def main(directory: Path, wanted: list[str]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with PushServiceDouble() as double, Desktop() as desktop:
        places = {
            "SIGNALIZE_PUSH_SERVICES": double.push_services,
            "SIGNALIZE_PUSH_SERVICES_CA": str(double.ca_file),
            # The garden shop has no server anywhere.
            "SIGNALIZE_LINK_CHECK": "0",
        }
        with Console(**places) as console:
            browser = Chromium(desktop.address, double.chromium_switches)
            try:
                ids = json.loads(console.manage(SEASON).splitlines()[-1])
                if not wanted or "login" in wanted:
                    take(browser, directory, "login", console.origin + PAGES["login"])
                browser.look(*SIZES["desk"])
                lock_out(browser, console)
                if not wanted or "locked-out" in wanted:
                    take(browser, directory, "locked-out")
                    browser.look(*SIZES["desk"])
                log_in(browser, console)
                automate(browser, console)
                move_in(browser, console)
                for name, page in PAGES.items():
                    if name != "login" and (not wanted or name in wanted):
                        take(browser, directory, name, console.origin + page.format(**ids))
                for name, answer in ANSWERS.items():
                    browser.look(*SIZES["desk"])
                    answer(browser, console)
                    if not wanted or name in wanted:
                        take(browser, directory, name)
                console.sql(RESTORE)
                for name, page in COPY.items():
                    if not wanted or name in wanted:
                        take(browser, directory, name, console.origin + page)
            finally:
                browser.close()


def log_in(browser: Browser, console: Console, name: str = "admin", password: str = "") -> None:
    browser.open(f"{console.origin}/admin/login/?next=/admin/")
    browser.js(f"document.querySelector('#id_username').value = {json.dumps(name)}")
    browser.js(f"document.querySelector('#id_password').value = {json.dumps(password or console.password)}")
    browser.click("#login-form [type=submit]")
    browser.wait("location.pathname === '/admin/'")


def automate(browser: Chromium, console: Console) -> None:
    """Takes a ready automation, which then has a page to look at."""
    browser.open(f"{console.origin}/admin/automations/rule/recipes/")
    browser.click("button[value=basket]")
    browser.wait("location.pathname.endsWith('/change/') && !!document.querySelector('.sentence li')")
    console.manage("from tests.browsers import season; season.ran()")


def move_in(browser: Chromium, console: Console) -> None:
    """Somebody uploads a file, of which some rows are refused."""
    point = "BNJxw7sRwOTPNOEGZRAWzkS7Sxb0_0RKpAGkZrpBgJQbJmGh0K9mfZBbiZtVPmHTbz9_CFwAKBZKqUxFDUkBlbY"
    rows = ["endpoint,userPublicKey,userAuth", f"https://push.example.org/1,{point},AAAAAAAAAAAAAAAAAAAAAA"]
    rows += [f"https://fcm.googleapis.com/fcm/send/{number},{point[:-4]},short" for number in range(4)]
    browser.open(f"{console.origin}/admin/recipients/import/add/")
    choose_file(browser, rows, "subscribers.csv")
    browser.click(".submit-row [type=submit]")
    browser.wait(
        "/import\\/1\\/change/.test(location.pathname) && !document.querySelector('[data-running]')", 30
    )


def choose_file(browser: Chromium, rows: list[str], name: str) -> None:
    """As if it had been picked from a disk; for the only website."""
    browser.js(
        f"(() => {{ const files = new DataTransfer(); files.items.add(new File([{json.dumps(chr(10).join(rows))}], "
        f"{json.dumps(name)})); document.querySelector('#id_file').files = files.files;"
        " document.querySelector('#id_website').selectedIndex = 1; return 1 })()"
    )


def lock_out(browser: Chromium, console: Console) -> None:
    """Somebody guesses a password until they may no more."""
    for _attempt in range(5):
        browser.open(f"{console.origin}/admin/login/")
        browser.js(
            "(document.querySelector('#id_username').value = 'mara', document.querySelector('#id_password').value = 'sesame')"
        )
        browser.click("#login-form [type=submit]")
        browser.wait("!!document.querySelector('.errornote') || !document.querySelector('#login-form')")


def fill_list(browser: Chromium, console: Console) -> None:
    """A list from a CRM, which names some whom nobody knows."""
    rows = ["customerId", *(f"C-{41_000 + 3 * number}" for number in range(1, 240)), "C-9001", "C-9002"]
    browser.open(f"{console.origin}/admin/audiences/recipientlist/add/")
    choose_file(browser, rows, "winners.csv")
    browser.js(
        "(document.querySelector('#id_name').value = 'Winners of the autumn raffle', document.querySelector('#id_by').value = 'customer_id')"
    )
    browser.click(".submit-row [type=submit]")
    browser.wait("!!document.querySelector('.huge')", 30)


def set_up_second_factor(browser: Chromium, console: Console) -> None:
    browser.open(f"{console.origin}/admin/second-factor/setup/")
    secret = browser.js("document.querySelector('details code').textContent").replace(" ", "")
    code = f"{totp(base64.b32decode(secret + '=' * (-len(secret) % 8))):06d}"
    browser.js(f"document.querySelector('#id_code').value = {json.dumps(code)}")
    browser.click(".code-form [type=submit]")
    browser.wait("!!document.querySelector('.recovery-codes')")


def log_in_again(browser: Chromium, console: Console) -> None:
    """As far as the question for the code."""
    browser.js("document.querySelector('#logout-form').submit()")
    browser.wait("!document.querySelector('#logout-form')")
    browser.open(f"{console.origin}/admin/login/?next=/admin/")
    browser.js(
        f"(document.querySelector('#id_username').value = 'admin', document.querySelector('#id_password').value = {json.dumps(console.password)})"
    )
    browser.click("#login-form [type=submit]")
    browser.wait("location.pathname === '/admin/second-factor/'")


# Pages that answer something that somebody did, in the order in which it is done; see ``lock_out`` too.
ANSWERS = {"list-report": fill_list, "recovery-codes": set_up_second_factor, "code": log_in_again}


def take(browser: Chromium, directory: Path, name: str, url: str = "") -> None:
    """Of this address, or of the page that is there; as high as the page, so that what sticks to the
    window's edge is at the page's.
    """
    browser.call("Emulation.setScrollbarsHidden", {"hidden": True}, **browser.session)
    for look, (size, dark) in LOOKS.items():
        width, height = SIZES[size]
        browser.look(width, height, dark=dark)
        if url:
            browser.open("about:blank")
            browser.open(url)
        browser.js("new Promise(done => setTimeout(() => done(1), 600))")
        whole = int(browser.js("document.documentElement.scrollHeight"))
        browser.look(width, min(max(whole, height), HIGHEST), dark=dark)
        browser.js("new Promise(done => setTimeout(() => done(1), 300))")
        file = directory / f"{name}-{look}.png"
        browser.screenshot(file, whole=False)
        with Image.open(file) as picture:
            picture.convert("RGB").save(file.with_suffix(".webp"), quality=72, method=6)
        file.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
