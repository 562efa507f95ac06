"""Long lists turn over by key: each row comes once, in the same order, whatever the address says."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from signalize_console.activity.cursors import CurrentTransaction
from signalize_console.console import page_by_key
from signalize_console.deliveries import outbox
from signalize_console.deliveries.models import Delivery
from signalize_console.websites.models import Website
from tests.makers import make_message, make_recipient, make_subscription, make_text

pytestmark = pytest.mark.django_db
DELIVERIES = "/admin/deliveries/delivery/"
MESSAGES = "/admin/messaging/pushmessage/"


@pytest.fixture
def deliveries(website: Website) -> list[Delivery]:
    """120 of one message, all accepted but the first, which failed."""
    recipients = [make_subscription(website).recipient for _number in range(120)]
    outbox.send(make_message(website), [make_text()], recipients)
    rows = Delivery.objects.order_by("pk")
    rows.update(state="accepted", ended_in=CurrentTransaction())
    first = rows[0]
    Delivery.objects.filter(pk=first.pk).update(state="failed", reason="too_large")
    return list(rows)


def link(page: str, words: str) -> str | None:
    found = re.search(rf'<a href="([^"]*)"[^>]*>{words}</a>', page)
    return unescape(found[1]) if found else None


def walk(client: Client, address: str, path: str = DELIVERIES) -> list[int]:
    """The rows of all pages, by following the links."""
    rows: list[int] = []
    following: str | None = address
    while following:
        page = client.get(path + following).content.decode()
        rows += map(int, re.findall(rf'href="{path}([0-9]+)/change/', page))
        following = link(page, "Older") or link(page, "Look further back")
    return rows


@pytest.mark.parametrize("query", ["?", "?o=5.1", "?p=3", "?state__exact=accepted"])
def test_each_row_comes_once_and_in_order(boss: Client, deliveries: list[Delivery], query: str) -> None:
    wanted = [one.pk for one in reversed(deliveries) if "state" not in query or one.state == "accepted"]
    assert walk(boss, query) == wanted


def test_the_deliveries_of_one_message_come_by_subscription(
    boss: Client, website: Website, deliveries: list[Delivery]
) -> None:
    outbox.send(make_message(website), [make_text()], [make_subscription(website).recipient])
    message = deliveries[0].push_message_id
    rows = walk(boss, f"?push_message_id={message}")
    assert sorted(rows) == [one.pk for one in deliveries]
    assert len(walk(boss, f"?push_message_id={message}&state__exact=failed")) == 1


def test_those_at_one_push_service_are_looked_for_part_by_part(
    boss: Client, deliveries: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of this message: others have many more, and later ones."""
    monkeypatch.setattr(page_by_key, "LOOKED_AT", 30)
    for _later in range(40):
        make_subscription(deliveries[0].push_message.website)
    wanted = [deliveries[110], deliveries[3]]
    Delivery.objects.filter(pk__in=[one.pk for one in wanted]).update(push_service="apple")
    of_message = f"?push_message_id={deliveries[0].push_message_id}"
    assert walk(boss, f"{of_message}&push_service=apple") == [one.pk for one in wanted]
    page = boss.get(f"{DELIVERIES}{of_message}&push_service=apple").content.decode()
    assert link(page, "Look further back")


def test_a_rare_row_is_found_further_back(
    boss: Client, deliveries: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_by_key, "LOOKED_AT", 30)
    page = boss.get(f"{DELIVERIES}?state__exact=failed").content.decode()
    assert "No more among the latest" in page
    assert walk(boss, "?state__exact=failed") == [deliveries[0].pk]
    assert len(walk(boss, "?state__exact=accepted")) == 119


def test_how_many_there_are_is_said_as_far_as_it_is_known(boss: Client, deliveries: list[Delivery]) -> None:
    assert ">120 deliveries<" in boss.get(DELIVERIES).content.decode()
    assert "1 delivery" in boss.get(f"{DELIVERIES}?state__exact=failed").content.decode()
    page = boss.get(f"{DELIVERIES}?before={deliveries[50].pk}").content.decode()
    assert link(page, "Newest") == "?"


@pytest.mark.parametrize("before", ["x", "²", "-1", "9" * 30, "1'"])
def test_a_strange_key_is_none(boss: Client, deliveries: list[Delivery], before: Any) -> None:
    assert ">120 deliveries<" in boss.get(DELIVERIES, {"before": before}).content.decode()


def test_recipients_turn_over_too(boss: Client, website: Website) -> None:
    made = [make_recipient(website).pk for _number in range(60)]
    assert walk(boss, "?", "/admin/recipients/recipient/") == sorted(made, reverse=True)


def test_messages_turn_over_too_and_those_to_many_are_found_among_them(
    boss: Client, website: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipients = [make_subscription(website).recipient]
    to_all = outbox.send(make_message(website), [make_text()]).message_id
    named = [
        outbox.send(make_message(website), [make_text()], recipients).message_id for _number in range(60)
    ]
    assert walk(boss, "?", MESSAGES) == [*reversed(named), to_all]
    assert ">61 push messages<" in boss.get(f"{MESSAGES}?o=3").content.decode()
    monkeypatch.setattr(page_by_key, "LOOKED_AT", 30)
    page = boss.get(f"{MESSAGES}?for=many").content.decode()
    assert f"{MESSAGES}{to_all}/change/" in page
    assert not link(page, "Look further back")
    assert walk(boss, "?for=named", MESSAGES) == [*reversed(named)]
    assert walk(boss, f"?website__id__exact={website.pk}", MESSAGES) == [*reversed(named), to_all]
    assert walk(boss, "?transactional__exact=0&for=many&state__exact=finished", MESSAGES) == []
