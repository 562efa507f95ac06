"""Takes pictures of the console's pages: ``python -m tests.browsers.look DIRECTORY [PAGE …]``.

Each page in light and dark, and as wide as a desk and as narrow as a phone.
"""

import json
import sys
from pathlib import Path

from signalize_console.pushservice.double import PushServiceDouble
from tests.browsers.chromium import Chromium
from tests.browsers.console import Console
from tests.browsers.desktop import Desktop
from tests.browsers.protocol import Browser

PAGES = {
    "login": "/admin/login/",
    "dashboard": "/admin/",
    "composer": "/admin/messaging/pushmessage/add/",
    "messages": "/admin/messaging/pushmessage/",
    "media": "/admin/messaging/media/",
    "template": "/admin/messaging/messagetemplate/1/change/",
    "message": "/admin/messaging/pushmessage/1/change/",
    "segments": "/admin/audiences/segment/",
    "segment": "/admin/audiences/segment/1/change/",
    "list": "/admin/audiences/recipientlist/add/",
    "deliveries": "/admin/deliveries/delivery/",
    "delivery": "/admin/deliveries/delivery/1/change/",
    "reports": "/admin/reports/",
    "report": "/admin/reports/message/1/",
    "recipients": "/admin/recipients/recipient/",
    "recipient": "/admin/recipients/recipient/1/change/",
    "why": "/admin/recipients/recipient/1/why/",
    "erase": "/admin/recipients/recipient/1/erase/",
    "self-test": "/admin/self-test/",
    "websites": "/admin/websites/website/1/change/",
    "keys": "/admin/websites/website/1/keys/",
    "export": "/admin/websites/website/1/export/",
    "imports": "/admin/recipients/import/",
    "import-new": "/admin/recipients/import/add/",
    "import": "/admin/recipients/import/1/change/",
    "opt-ins": "/admin/websites/optin/",
    "opt-in": "/admin/websites/optin/1/change/",
    "automations": "/admin/automations/rule/",
    "automations-ready": "/admin/automations/rule/recipes/",
    "automation": "/admin/automations/rule/1/change/",
    "apikeys": "/admin/api/apikey/",
    "account": "/admin/account/",
    "second-factor": "/admin/second-factor/setup/",
    "users": "/admin/auth/user/",
    "user": "/admin/auth/user/1/change/",
    "audit-log": "/admin/console/auditrecord/",
    "docs": "/v3/docs",
    "demo": "/demo/",
}
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
FILL = {
    "id_texts-0-language": "en",
    "id_texts-0-title": "Autumn sale: 20 % off all bulbs",
    "id_texts-0-message": "Only until Sunday. Plant them now, and your garden is in bloom in March.",
    "id_texts-0-link": "https://shop.example.com/sale",
    "id_texts-0-first_button": "Show me",
    "id_texts-0-second_button": "Remind me",
}
SEGMENT = """
from signalize_console.audiences.models import Segment
from signalize_console.websites.models import Website
definition = {"all": [
    {"field": "language", "op": "equals", "value": "en"},
    {"any": [
        {"field": "purchase", "op": "atLeast", "value": 1, "within": {"days": 30}},
        {"field": "attribute", "name": "age", "type": "number", "op": "atLeast", "value": 18},
    ]},
    {"not": {"field": "lastMessage", "op": "after", "value": {"hoursAgo": 3}}},
]}
website = Website.objects.get(name="Demo shop")
Segment.objects.create(pk=1, website=website, name="Buyers who had a rest", definition=definition)
"""


def main(directory: Path, wanted: list[str]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with PushServiceDouble() as double, Desktop() as desktop:
        places = {
            "SIGNALIZE_PUSH_SERVICES": double.push_services,
            "SIGNALIZE_PUSH_SERVICES_CA": str(double.ca_file),
        }
        with Console(**places) as console:
            browser = Chromium(desktop.address, double.chromium_switches)
            try:
                visit(browser, console, double, desktop)
                console.manage(SEGMENT)
                if not wanted or "login" in wanted:
                    take(browser, console, directory, "login")
                browser.look(*SIZES["desk"])
                log_in(browser, console)
                automate(browser, console)
                move_in(browser, console)
                for name in wanted or PAGES:
                    if name != "login":
                        take(browser, console, directory, name)
            finally:
                browser.close()


def visit(browser: Chromium, console: Console, double: PushServiceDouble, desktop: Desktop) -> None:
    """A visitor opts in, orders, and clicks what they are sent."""
    browser.permit(console.origin)
    browser.open(f"{console.origin}/demo/")
    browser.wait("!!window.et_signalize && !document.querySelector('#subscribe').disabled")
    browser.click("#subscribe")
    browser.wait("!document.querySelector('#push').disabled", 30)
    double.wait_for(lambda: double.chromium.devices, 20)
    browser.click("#push")
    desktop.click(desktop.wait("Thank you for your order"))
    browser.wait("!!document.querySelector('[data-step=clicked].done')")


def log_in(browser: Browser, console: Console) -> None:
    browser.open(f"{console.origin}/admin/login/?next=/admin/")
    browser.js("document.querySelector('#id_username').value = 'admin'")
    browser.js(f"document.querySelector('#id_password').value = {json.dumps(console.password)}")
    browser.click("#login-form [type=submit]")
    browser.wait("location.pathname === '/admin/'")


def automate(browser: Chromium, console: Console) -> None:
    """Takes a ready automation, which then has a page to look at."""
    browser.open(f"{console.origin}/admin/automations/rule/recipes/")
    browser.click("button[value=basket]")
    browser.wait("location.pathname.endsWith('/change/') && !!document.querySelector('.sentence li')")


def move_in(browser: Chromium, console: Console) -> None:
    """Somebody uploads a file, of which some rows are refused."""
    point = "BNJxw7sRwOTPNOEGZRAWzkS7Sxb0_0RKpAGkZrpBgJQbJmGh0K9mfZBbiZtVPmHTbz9_CFwAKBZKqUxFDUkBlbY"
    rows = ["endpoint,userPublicKey,userAuth", f"https://push.example.org/1,{point},AAAAAAAAAAAAAAAAAAAAAA"]
    rows += [f"https://fcm.googleapis.com/fcm/send/{number},{point[:-4]},short" for number in range(4)]
    browser.open(f"{console.origin}/admin/recipients/import/add/")
    browser.js(
        f"(() => {{ const files = new DataTransfer(); files.items.add(new File([{json.dumps(chr(10).join(rows))}], "
        "'subscribers.csv')); document.querySelector('#id_file').files = files.files;"
        " document.querySelector('#id_website').selectedIndex = 1; return 1 })()"
    )
    browser.click(".submit-row [type=submit]")
    browser.wait(
        "/import\\/1\\/change/.test(location.pathname) && !document.querySelector('[data-running]')", 30
    )


def take(browser: Chromium, console: Console, directory: Path, name: str) -> None:
    for size, (width, height) in SIZES.items():
        for dark in (False, True):
            browser.look(width, height, dark=dark)
            browser.open("about:blank")
            browser.open(console.origin + PAGES[name])
            if name == "composer":
                browser.js(
                    f"(Object.entries({json.dumps(FILL)}).forEach(([id, value]) => {{"
                    " document.getElementById(id).value = value;"
                    " document.getElementById(id).dispatchEvent(new Event('input', {bubbles: true})) }), 1)"
                )
            browser.js("new Promise(done => setTimeout(() => done(1), 400))")
            browser.screenshot(
                directory / f"{name}-{size}-{'dark' if dark else 'light'}.png", whole=size == "desk"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
