"""Segments in the console: made with a checked definition, counted, shown, and sent to."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from signalize_console.audiences.models import Segment
from signalize_console.messaging.models import PushMessage
from signalize_console.websites.models import Website
from tests.console.test_console import ADD, compose, form_for, log_in, step
from tests.makers import make_recipient, make_subscription, make_website

pytestmark = pytest.mark.django_db
SEGMENTS = "/admin/audiences/segment/"
GERMAN = '{"field": "language", "op": "equals", "value": "de"}'


@pytest.fixture
def website() -> Website:
    website = make_website()
    for language in ("de", "de", "en"):
        make_subscription(website, recipient=make_recipient(website, language=language))
    return website


@pytest.fixture
def boss() -> Client:
    return log_in(superuser=True)


def make_segment(client: Client, website: Website, definition: str = GERMAN) -> Any:
    values = {"website": website.pk, "name": "Germans", "definition": definition}
    return client.post(f"{SEGMENTS}add/", values, follow=True)


def test_a_segment_is_counted_when_it_is_saved_and_shows_a_sample(boss: Client, website: Website) -> None:
    assert "Germans reaches 2 subscriptions." in make_segment(boss, website).content.decode()
    segment = Segment.objects.get()
    assert segment.count == 2
    page = boss.get(f"{SEGMENTS}{segment.pk}/change/").content.decode()
    recipients = segment.sample(segment.counted_at)
    assert len(recipients) == 2
    assert all(one.client_id in page for one in recipients)


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ('{"all": [{"field": "language", "op": "like", "value": "de"}]}', "$.all[0].op: "),
        ("{", "valid JSON"),
        ("null", "required"),
    ],
)
def test_a_wrong_definition_is_explained(boss: Client, website: Website, definition: str, said: str) -> None:
    assert said in make_segment(boss, website, definition).content.decode()
    assert not Segment.objects.exists()


def test_a_message_is_composed_for_a_segment_and_reviewed_with_its_count(
    boss: Client, website: Website
) -> None:
    make_segment(boss, website)
    segment = Segment.objects.get()
    message = compose(boss, website, segment=segment.pk)
    review = step(boss, "review", message, "get").content.decode()
    assert "<strong>2</strong>" in review
    assert "Germans" in review
    step(boss, "send", message)
    message.refresh_from_db()
    assert (message.audience, message.segment) == ("segment", segment)
    page = boss.get(reverse("admin:messaging_pushmessage_change", args=[message.pk])).content.decode()
    assert "<dd>Germans</dd>" in page


def test_a_segment_of_another_website_is_refused(boss: Client, website: Website) -> None:
    make_segment(boss, website)
    other = make_website(name="Other")
    answer = boss.post(ADD, {**form_for(other, segment=Segment.objects.get().pk), "_review": "1"})
    assert "another website" in answer.content.decode()
    assert not PushMessage.objects.exists()


def test_who_may_only_look_changes_no_segment(website: Website) -> None:
    assert make_segment(log_in("view_segment"), website).status_code == 403
    assert not Segment.objects.exists()
