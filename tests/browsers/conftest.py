"""Real Firefox and Chromium, a desktop that clicks, the push service double, and the whole console."""

from collections.abc import Iterator

import pytest

from signalize_console.pushservice.double import PushServiceDouble
from tests.browsers.chromium import Chromium
from tests.browsers.console import Console
from tests.browsers.desktop import Desktop
from tests.browsers.firefox import Firefox
from tests.browsers.protocol import Browser
from tests.programs import require
from tests.webhooks.receiver import Receiver

NEEDED = {"firefox": ["firefox-esr", "dbus-daemon"], "chromium": ["chromium", "dbus-daemon"]}


@pytest.fixture(scope="session")
def double() -> Iterator[PushServiceDouble]:
    with PushServiceDouble() as double:
        yield double


@pytest.fixture(scope="session")
def desktop() -> Iterator[Desktop]:
    require("dbus-daemon")
    with Desktop() as desktop:
        yield desktop


@pytest.fixture(scope="session")
def shop_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Another server of the shop's, at https://push.example.net for the console."""
    server = Receiver(tmp_path_factory.mktemp("shop"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def console(double: PushServiceDouble, shop_server: Receiver) -> Iterator[Console]:
    places = {
        "SIGNALIZE_WEBHOOK_PLACES": shop_server.place,
        "SIGNALIZE_WEBHOOK_CA": shop_server.ca_file,
        "SIGNALIZE_PUSH_SERVICES": double.push_services,
        "SIGNALIZE_PUSH_SERVICES_CA": str(double.ca_file),
    }
    with Console(**places) as console:
        yield console


@pytest.fixture(scope="module", params=["firefox", "chromium"])
def browser(request: pytest.FixtureRequest, double: PushServiceDouble, desktop: Desktop) -> Iterator[Browser]:
    require(*NEEDED[request.param])
    browser: Browser
    if request.param == "firefox":
        browser = Firefox(desktop.address, double.firefox_preferences)
    else:
        browser = Chromium(desktop.address, double.chromium_switches)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def chromium(double: PushServiceDouble, desktop: Desktop) -> Iterator[Chromium]:
    """For what one browser is enough."""
    require(*NEEDED["chromium"])
    browser = Chromium(desktop.address, double.chromium_switches)
    yield browser
    browser.close()
