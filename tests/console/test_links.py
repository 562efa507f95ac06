"""Whether the links of a message answer: asked of a real server over TLS, by the composer and by the review."""

import itertools
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse

from signalize_console.console import links
from signalize_console.messaging.models import Media, PushMessage
from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.makers import make_message, make_text, make_website
from tests.webhooks.receiver import HOST, Behaviour, Handler, Receiver, answer, flood, hang, slam

pytestmark = pytest.mark.django_db
SHOP = f"https://{HOST}"
users = itertools.count(int(time.time() * 1000))


@pytest.fixture
def shop(running_receiver: Receiver) -> Iterator[Receiver]:
    """The shop's own server, which the console finds at its public name."""
    running_receiver.reset()
    cache.clear()
    with override_settings(WEBHOOK_PLACES=running_receiver.place, WEBHOOK_CA=running_receiver.ca_file):
        yield running_receiver


@pytest.fixture
def website() -> Website:
    return make_website(origins=[SHOP])


def said(website: Website, *places: str, user: Any = None, **fields: Any) -> links.Said:
    texts = [make_text(link=link) for link in places]
    user = user or SimpleNamespace(pk=next(users))
    return links.remarks(make_message(website, **fields), texts, website, user)


def sentences(website: Website, *places: str, **fields: Any) -> list[str]:
    return [one.sentence for one in said(website, *places, **fields).remarks]


def by_method(**behaviours: Behaviour) -> Behaviour:
    return lambda handler: behaviours[handler.command](handler)


@pytest.mark.parametrize("status", [200, 204, 304, 401, 403, 429])
def test_what_answers_or_refuses_only_us_is_left_alone(shop: Receiver, website: Website, status: int) -> None:
    shop.behave("/", answer(status))
    assert said(website, f"{SHOP}/") == links.Said([], asked=1)


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        (answer(404), "leads to nothing (404)"),
        (answer(410), "leads to nothing (410)"),
        (answer(500), "answers with an error (500)"),
        (answer(503), "answers with an error (503)"),
        (slam, "doesn't reach this address"),
        (answer(302, Location="/"), "leads on and on"),
        (answer(301, Location="/missing"), "leads to nothing (404)"),
        (answer(302, Location="https://10.0.0.1/inside"), "private network"),
        (answer(302, Location="https://[fd00::1]/inside"), "private network"),
        (by_method(HEAD=answer(405), GET=answer(404)), "leads to nothing (404)"),
        (by_method(HEAD=answer(501), GET=answer(500)), "answers with an error (500)"),
    ],
)
def test_a_broken_link_is_said_at_its_field(
    shop: Receiver, website: Website, behaviour: Behaviour, sentence: str
) -> None:
    shop.behave("/", behaviour)
    (remark,) = said(website, f"{SHOP}/").remarks
    assert sentence in remark.sentence
    assert (remark.field, remark.text and remark.text.link) == ("link", f"{SHOP}/")


@pytest.mark.parametrize(
    "behaviour",
    [
        by_method(HEAD=answer(405), GET=answer(200)),
        by_method(HEAD=answer(404), GET=answer(200)),
        by_method(HEAD=answer(501), GET=flood),
        answer(302, Location="/fine"),
        answer(302, Location="/caf%C3%A9"),
        answer(302, Location="http://elsewhere.example/"),
        answer(302, Location=f"https://{HOST}:9443/"),
        answer(302, Location="https://[/"),
    ],
)
def test_what_a_browser_may_still_open_is_left_alone(
    shop: Receiver, website: Website, behaviour: Behaviour
) -> None:
    for path in ("/fine", "/caf%C3%A9"):
        shop.behave(path, answer(200))
    shop.behave("/", behaviour)
    assert sentences(website, f"{SHOP}/") == []


def test_a_look_ends_after_three_seconds_whatever_hangs(shop: Receiver, website: Website) -> None:
    shop.behave("/slow", hang(6))
    shop.behave("/fine", answer(200))
    shop.behave("/gone", answer(404))
    began = time.monotonic()
    found = said(website, f"{SHOP}/slow", f"{SHOP}/fine", f"{SHOP}/gone")
    assert time.monotonic() - began < 4
    assert [one.sentence.split()[-1] for one in found.remarks] == ["long.", "it."]
    assert found.asked == 3


def test_no_private_address_is_dialled_whatever_its_name_says(shop: Receiver, website: Website) -> None:
    """A name that leads inside is refused when it is dialled; the port of the test's own server isn't asked."""
    seen: list[str] = []
    shop.behave("/", lambda handler: seen.append(handler.path))
    with override_settings(WEBHOOK_PLACES=""):
        for inside in ("https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/"):
            assert "private network" in sentences(website, inside)[0]
        for local in (f"https://127.0.0.1:{shop.port}/", f"https://localhost:{shop.port}/"):
            assert said(website, local) == links.Said([])
    assert seen == []


@pytest.mark.parametrize(
    "link",
    [
        "",
        "javascript:alert(1)",
        "http://localhost:8000/demo/",
        "https://localhost/",
        f"https://{HOST}:8443/",
        f"https://user:secret@{HOST}/",
        "https://[/",
        "https://a:b/",
        f"{SHOP}/orders/{{{{ order }}}}",
    ],
)
def test_what_is_not_asked(shop: Receiver, website: Website, link: str) -> None:
    assert said(website, link) == links.Said([])


def test_an_own_origin_may_have_its_own_port(shop: Receiver) -> None:
    """It leads nowhere here, and is tried: that is all there is to see of it."""
    website = make_website(origins=[f"{SHOP}:8443"])
    with override_settings(WEBHOOK_PLACES=f"https://{HOST}:8443=127.0.0.1:{shop.port}"):
        shop.behave("/", answer(404))
        assert "(404)" in sentences(website, f"{SHOP}:8443/")[0]


def test_placeholders_are_asked_by_their_fallback_and_nobodys_value(shop: Receiver, website: Website) -> None:
    seen: list[str] = []

    def note(handler: Handler) -> None:
        seen.append(handler.path)
        handler.say(200)

    paths = ["/for/a%20friend%3F", "/%C3%BCber?q=1"]
    for path in paths:
        shop.behave(path, note)
    assert sentences(website, f'{SHOP}/for/{{{{ name | "a friend?" }}}}', f"{SHOP}/über?q=1#part") == []
    assert sorted(seen) == sorted(paths)


def test_an_address_is_asked_once_for_a_while_and_no_more_than_ten_at_once(
    shop: Receiver, website: Website
) -> None:
    seen: list[str] = []

    def note(handler: Handler) -> None:
        seen.append(f"{handler.command} {handler.path}")
        handler.say(404)

    for number in range(12):
        shop.behave(f"/{number}", note)
    assert len(sentences(website, f"{SHOP}/1", f"{SHOP}/1")) == 2
    assert len(sentences(website, f"{SHOP}/1")) == 1
    assert seen == ["HEAD /1", "GET /1"]
    assert said(website, *(f"{SHOP}/{number}" for number in range(12))).asked == 10


def test_somebody_who_asks_again_and_again_has_to_wait(shop: Receiver, website: Website) -> None:
    user = SimpleNamespace(pk=next(users))
    shop.behave("/known", answer(404))
    for number in range(links.BURST):
        assert said(website, f"{SHOP}/known", f"{SHOP}/{number}", user=user).wait == 0
    found = said(website, f"{SHOP}/known", f"{SHOP}/one-more", user=user)
    assert 0 < found.wait <= 60 / links.A_MINUTE
    # What is known is still said, and nobody else waits.
    assert ([one.text.link for one in found.remarks if one.text], found.asked) == ([f"{SHOP}/known"], 1)
    assert said(website, f"{SHOP}/one-more").asked == 1


def test_a_picture_from_elsewhere_is_weighed(shop: Receiver, website: Website) -> None:
    shop.behave("/heavy.jpg", answer(200, b"x" * 600_000))
    shop.behave("/light.jpg", answer(200, b"x" * 90_000))
    assert sentences(website, image=f"{SHOP}/light.jpg", icon=f"{SHOP}/light.jpg") == []
    found = said(website, image=f"{SHOP}/heavy.jpg", icon=f"{SHOP}/missing.png").remarks
    heavy, missing = sorted(found, key=lambda one: one.field, reverse=True)
    assert (heavy.field, missing.field) == ("image", "icon")
    assert "weighs 585.9" in heavy.sentence
    assert "at most 488.3" in heavy.sentence
    assert "(404)" in missing.sentence
    # A page may be as heavy as it likes.
    assert sentences(website, f"{SHOP}/heavy.jpg") == []


def test_pictures_of_the_library_are_not_asked(shop: Receiver, website: Website) -> None:
    name = f"{'a' * 40}.jpg"
    Media.objects.create(website=website, kind="image", name="a", file_name=name, width=2, height=1, weight=1)
    assert said(website, image=f"{SHOP}/media/{name}").asked == 0
    assert said(website, image=f"{SHOP}/media/{'b' * 40}.jpg").asked == 1


def url(name: str, *args: int) -> str:
    return reverse(f"admin:messaging_pushmessage_{name}", args=args)


def form_for(website: Website, *places: str) -> dict[str, Any]:
    texts = {f"texts-{number}-link": link for number, link in enumerate(places)}
    titles = {f"texts-{number}-title": "Hello" for number in range(len(places))}
    languages = {f"texts-{number}-language": ("en", "de")[number] for number in range(len(places))}
    return {"website": website.pk, **titles, **texts, **languages}


def test_the_composer_asks_apart_from_saving(boss: Client, shop: Receiver, website: Website) -> None:
    seen: list[str] = []

    def gone(handler: Handler) -> None:
        seen.append(handler.path)
        handler.say(404)

    shop.behave("/gone", gone)
    form = form_for(website, f"{SHOP}/", f"{SHOP}/gone")
    shop.behave("/", answer(200))
    boss.post(url("remarks"), form)
    boss.post(
        url("save"),
        {
            **form,
            "ttl": 3600,
            "urgency": "normal",
            "texts-TOTAL_FORMS": 2,
            "texts-INITIAL_FORMS": 0,
            "texts-0-standard": "on",
        },
    )
    assert (PushMessage.objects.count(), seen) == (1, [])

    found = boss.post(url("links"), form).json()
    assert found["wait"] == 0
    (remark,) = found["remarks"]
    assert (remark["field"], remark["language"], remark["serious"]) == ("texts-1-link", "de", True)
    assert "(404)" in remark["sentence"]
    assert boss.post(url("links"), {"website": "²", "texts-0-title": "x"}).json() == {
        "remarks": [],
        "wait": 0,
    }


def draft_to(website: Website, link: str) -> PushMessage:
    draft = make_message(website)
    draft.save()
    text = make_text(link=link)
    text.push_message = draft
    text.save()
    return draft


def test_the_review_says_it_late_and_not_in_its_own_time(
    boss: Client, shop: Receiver, website: Website
) -> None:
    seen: list[str] = []

    def gone(handler: Handler) -> None:
        seen.append(handler.path)
        handler.say(410)

    shop.behave("/gone", gone)
    draft = draft_to(website, f"{SHOP}/gone")
    review = boss.get(url("review", draft.pk)).content.decode()
    assert f'data-later="{url("links_of", draft.pk)}"' in review
    assert seen == []
    late = boss.get(url("links_of", draft.pk)).content.decode()
    assert '<p class="warning">This address leads to nothing (410).' in late
    shop.behave("/fine", answer(200))
    fine = draft_to(website, f"{SHOP}/fine")
    assert "The links were tried, and answer." in boss.get(url("links_of", fine.pk)).content.decode()


def test_who_only_looks_has_nothing_asked(shop: Receiver, website: Website) -> None:
    draft = draft_to(website, f"{SHOP}/")
    viewer = log_in("view_pushmessage", "view_website")
    assert viewer.post(url("links"), form_for(website, f"{SHOP}/")).status_code == 403
    assert viewer.get(url("links_of", draft.pk)).status_code == 403
    approver = log_in("view_pushmessage", "approve_pushmessage", name="approver")
    assert approver.get(url("links_of", draft.pk)).status_code == 200


@override_settings(LINK_CHECK=False)
def test_an_installation_without_a_way_out_asks_nothing(
    boss: Client, shop: Receiver, website: Website
) -> None:
    draft = draft_to(website, f"{SHOP}/")
    assert "data-later" not in boss.get(url("review", draft.pk)).content.decode()
    told = boss.get(url("change", draft.pk)).content.decode().split('id="composer-data"')[1].split(">")[1]
    assert json.loads(told.split("<")[0])["urls"]["links"] == ""
    assert boss.post(url("links"), form_for(website, f"{SHOP}/")).status_code == 403
    assert boss.get(url("links_of", draft.pk)).status_code == 403
