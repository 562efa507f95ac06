"""What the console and the API say of a message whose deliveries are no longer kept."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from signalize_console.activity.models import EventKind
from signalize_console.api.models import ApiKey
from signalize_console.console.models import WebsiteLimit
from signalize_console.deliveries import retention
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.deliveries.test_retention import OLD, months, send_then
from tests.deliveries.test_rolling_up import happen, make_audience, roll_up
from tests.makers import make_website

__all__ = ["months"]
pytestmark = pytest.mark.django_db(transaction=True)


def read(client: Client, address: str, language: str = "en") -> str:
    answer = client.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200
    text = re.sub(r"<[^>]+>", " ", answer.content.decode().partition('<div id="content"')[2])
    return re.sub(r"\s+", " ", text)


def test_numbers_stay_and_words_say_what_is_gone(boss: Client, website: Website) -> None:
    audience = make_audience(website, 4)
    message = send_then(OLD, website, audience)
    person, newcomer = audience[1].recipient, audience[2].recipient
    Recipient.objects.filter(pk=person.pk).update(created_at=message.created_at)
    happen(person, EventKind.PAGE_VIEW)
    roll_up()
    _key, secret = ApiKey.issue(website, "shop")
    page = f"/admin/messaging/pushmessage/{message.pk}/change/"
    of_person = f"/admin/recipients/recipient/{person.pk}"

    def numbers() -> tuple[str, dict[str, int]]:
        """The console's funnel and what went wrong, and the API's numbers."""
        text = read(boss, page)
        answer = Client().get(f"/v3/pushmessages/{message.pk}", headers={"X-API-Key": secret})
        funnel = text.partition("4 of 4 deliveries are done.")[2].partition("Duplicate")[0]
        assert "1 The message is too large. Shorten texts and links. (Google 1)" in funnel
        return funnel.replace("Its deliveries", "").strip(), answer.json()["statistics"]

    before = numbers()
    assert (before[1]["targeted"], before[1]["accepted"], before[1]["shown"]) == (4, 3, 3)
    assert "Its deliveries" in read(boss, page)
    assert "no longer kept" not in read(boss, page) + read(boss, f"{of_person}/change/")

    retention.let_go()

    assert not Delivery.objects.exists()
    assert numbers() == before
    assert "what became of each recipient is no longer kept. These are the sums." in read(boss, page)
    assert "Dies sind die Summen." in read(boss, page, "de")
    assert "Its deliveries" not in read(boss, page)
    timeline = read(boss, f"{of_person}/change/")
    assert "Messages that were sent before July 1, 2024 are no longer kept." in timeline
    assert "Visits and events from before July 1, 2024 are no longer kept." in timeline
    assert "Nachrichten, die vor dem 1. Juli 2024 gesendet wurden, werden nicht mehr aufbewahrt." in read(
        boss, f"{of_person}/change/", "de"
    )
    assert "no longer kept" not in read(boss, f"/admin/recipients/recipient/{newcomer.pk}/change/")
    why = f"{of_person}/why/?message={message.pk}"
    assert "be said any more: it is too long ago" in read(boss, why)
    assert "Es ist zu lange her" in read(boss, why, "de")


def test_the_dashboard_names_the_message_that_keeps_an_old_month(boss: Client, website: Website) -> None:
    message = send_then(OLD, website, make_audience(website, 4))
    roll_up()
    link = f'href="/admin/messaging/pushmessage/{message.pk}/change/">What happened in March 2024 should be'
    held = {"state": "held", "finished_at": None}
    of_others = log_in("view_pushmessage", name="ida")
    limit = WebsiteLimit.objects.create(user=User.objects.get(username="ida"))
    limit.websites.add(make_website(name="Another"))

    def said(client: Client = boss, language: str = "en") -> str:
        return client.get("/admin/", headers={"Accept-Language": language}).content.decode()

    assert "March 2024" not in said()  # it may go, within the hour
    PushMessage.objects.filter(pk=message.pk).update(**held)
    retention.let_go()

    assert Delivery.objects.exists()
    assert said().count(link) == 1
    assert f"“{message.title}” of that month has not ended. Finish or cancel it" in said()
    assert "Was im März 2024 geschah" in said(language="de")
    assert "March 2024" not in said(of_others)

    PushMessage.objects.filter(pk=message.pk).update(state="cancelled", finished_at=timezone.now())
    assert "March 2024" not in said()  # nobody has anything to do
