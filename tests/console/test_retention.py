"""What the console and the API say of a message whose deliveries are no longer kept."""

import re

import pytest
from django.test import Client

from signalize_console.activity.models import EventKind
from signalize_console.api.models import ApiKey
from signalize_console.deliveries import retention
from signalize_console.deliveries.models import Delivery
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.deliveries.test_retention import OLD, months, send_then
from tests.deliveries.test_rolling_up import happen, make_audience, roll_up

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
        assert "The message is too large." in funnel
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
