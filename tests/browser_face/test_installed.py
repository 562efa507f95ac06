"""What a website has at /sw.js, fetched from a real server over TLS."""

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from signalize_console.browser.installed import Installed, look
from tests.webhooks.receiver import HOST, Behaviour, Receiver, answer, hang

OURS = "https://push.example.com"
SITE = f"https://{HOST}"
SCRIPT = {"Content_Type": "text/javascript; charset=utf-8"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    receiver = Receiver(tmp_path_factory.mktemp("site"))
    yield receiver
    receiver.stop()


def served(server: str = OURS) -> str:
    with override_settings(ALLOWED_HOSTS=["*"]):
        answer = Client().get("/sw.js", secure=True, headers={"host": server.removeprefix("https://")})
    return answer.content.decode()


def at(site: Receiver, behaviour: Behaviour) -> Installed:
    site.behave("/sw.js", behaviour)
    with override_settings(WEBHOOK_PLACES=site.place, WEBHOOK_CA=site.ca_file):
        return look([SITE], OURS)[SITE][0]


def text(body: str, **headers: str) -> Behaviour:
    return answer(200, body.encode(), **{**SCRIPT, **headers})


def test_a_copy_of_today_and_one_of_yesterday(site: Receiver) -> None:
    assert at(site, text(served())) == Installed.CURRENT
    assert (
        at(site, text(f"// ours\n{served()}\nself.addEventListener('fetch', () => 1)")) == Installed.CURRENT
    )
    assert at(site, text(served().replace("You have news", "News"))) == Installed.OUTDATED
    assert at(site, text(served("https://old.example.com"))) == Installed.OTHER_SERVER


def test_the_line(site: Receiver) -> None:
    assert at(site, text(f'importScripts("{OURS}/sw.js");')) == Installed.BY_LINE
    assert at(site, text("importScripts('https://push.signalize.com/sw.js')")) == Installed.OTHER_SERVER


def test_what_browsers_would_not_run(site: Receiver) -> None:
    assert at(site, text(served(), Content_Type="text/html")) == Installed.NOT_A_SCRIPT
    assert at(site, answer(302, Location=f"{SITE}/other.js")) == Installed.REDIRECTED
    assert at(site, answer(404)) == Installed.MISSING
    assert at(site, text("self.addEventListener('push', () => 1)")) == Installed.FOREIGN
    assert at(site, text("x" * 2_000_000)) == Installed.FOREIGN


@override_settings(WEBHOOK_PLACES="", WEBHOOK_CA="")
def test_nothing_inside_is_looked_at(site: Receiver) -> None:
    inside = [f"https://127.0.0.1:{site.port}", f"https://localhost:{site.port}", "http://localhost:8000"]
    assert {one[0] for one in look(inside, OURS).values()} == {Installed.LOCAL}
    assert look(["http://localhost:8000"], "http://localhost:8000") == {
        "http://localhost:8000": (Installed.CURRENT, "")
    }
    private = "https://10.0.0.1"
    assert look([private], OURS)[private] == (Installed.UNREACHABLE, "address_refused")


def test_a_site_that_never_answers_costs_five_seconds(site: Receiver) -> None:
    assert at(site, hang(8)) == Installed.UNREACHABLE
