"""Counting a segment, sampling it, and asking who of some is in it."""

import datetime
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from signalize_console.activity.models import Event
from signalize_console.audiences import counting
from signalize_console.audiences.models import Segment
from signalize_console.audiences.tree import BadSegment
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.makers import make_message, make_recipient, make_subscription, make_website

pytestmark = pytest.mark.django_db
GERMAN = {"field": "language", "op": "equals", "value": "de"}


@pytest.fixture
def website() -> Website:
    return make_website()


def make_speaker(website: Website, language: str, **fields: object) -> Recipient:
    recipient = make_recipient(website, language=language)
    make_subscription(website, recipient=recipient, **fields)
    return recipient


def test_it_counts_active_subscriptions_of_its_website(website: Website) -> None:
    for language in ("de", "de-AT", "en"):
        make_speaker(website, language)
    make_speaker(website, "de", state="expired")
    make_speaker(make_website(name="Other"), "de")
    segment = Segment.objects.create(website=website, name="Germans", definition=GERMAN)

    now = timezone.now()
    assert segment.recount(now) == 2
    segment.refresh_from_db()
    assert (segment.count, segment.counted_at) == (2, now)


def test_a_sample_shows_each_recipient_once_the_newest_first(
    website: Website, django_assert_num_queries: Callable
) -> None:
    recipients = [make_speaker(website, "de") for _number in range(12)]
    make_subscription(website, recipient=recipients[-1])
    with django_assert_num_queries(5):  # with the savepoint and the time limit around it
        sample = counting.sample(website, GERMAN, timezone.now())
    assert sample == recipients[:2:-1]


def test_it_tells_who_of_some_is_in_it(website: Website) -> None:
    germans, english = [make_speaker(website, "de") for _number in range(3)], make_speaker(website, "en")
    asked = [germans[0].pk, germans[1].pk, english.pk]
    assert counting.among(website, GERMAN, timezone.now(), asked) == {germans[0].pk, germans[1].pk}


def test_what_takes_too_long_is_ended_and_the_limit_with_it(website: Website) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '77s'")
        with pytest.raises(counting.TooSlow, match="fewer"), counting.limited(0.05) as limited:
            limited.execute("SELECT pg_sleep(5)")
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("77s",)
        with counting.limited(5) as limited:
            limited.execute("SHOW statement_timeout")
            assert limited.fetchone() == ("5s",)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("77s",)


def test_visits_end_after_half_an_hour_without_a_page(website: Website) -> None:
    recipient, now = make_speaker(website, "de"), timezone.now()
    for minutes in (0, 29, 59, 90, 125):
        at = now - datetime.timedelta(minutes=minutes)
        Event.objects.create(
            day=at.date(), website=website, recipient=recipient, kind="page_view", occurred_at=at
        )
    for visits in (2, 3, 4):
        tree = {"field": "visits", "op": "equals", "value": visits}
        assert counting.count(website, tree, now) == (visits == 3)
    assert counting.count(website, {"field": "pageViews", "op": "equals", "value": 5}, now) == 1


def test_a_definition_is_checked_with_its_paths(website: Website) -> None:
    segment = Segment(website=website, name="Bad", definition={"all": [GERMAN, {**GERMAN, "op": "like"}]})
    with pytest.raises(ValidationError) as refused:
        segment.full_clean()
    assert refused.value.message_dict["definition"][0].startswith("$.all[1].op: ")
    with pytest.raises(BadSegment):
        segment.recount(timezone.now())


def test_a_segment_that_a_message_names_can_not_be_deleted(website: Website) -> None:
    segment = Segment.objects.create(website=website, name="Germans", definition=GERMAN)
    draft = make_message(website, segment=segment)
    draft.save()
    with pytest.raises(ProtectedError), transaction.atomic():
        segment.delete()
    draft.delete()
    segment.delete()


INJECTIONS = [
    "'", "''", '"', "\\", "\\'", "'; DROP TABLE recipients_recipient; --", "%", "%s", "%(website)s", "{}", "{0}",
    "') OR true --", "$$", "$1", "'::jsonb", "*/", "{a,b}", "(1,2)", "@.x", "$.**", "\u2028", "\x01", "NULL", "a" * 1000,
]  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_text_means_more_than_itself(website: Website, text: str) -> None:
    """Each finds exactly the recipient that carries it, wherever it stands."""
    now = timezone.now()
    carrier = make_recipient(
        website, attributes={text: text}, interests=[text[:64]], language=text[:35], customer_id=text[:128]
    )
    make_subscription(website, recipient=carrier)
    make_speaker(website, "xx")
    Event.objects.create(
        day=now.date(),
        website=website,
        recipient=carrier,
        kind="event",
        name="order",
        properties={"product": {"id": text}, text: [text]},
        occurred_at=now,
    )
    trees = [
        *(
            {"field": "attribute", "name": text, "type": "text", "op": op, "value": value}
            for op, value in (("equals", text), ("in", [text, "x"]), ("contains", text))
        ),
        {"field": "interest", "op": "in", "value": [text[:64]]},
        {"field": "language", "op": "equals", "value": text[:35]},
        {"field": "customerId", "op": "equals", "value": text[:128]},
        {"field": "purchase", "product": text},
        {"field": "event", "name": "order", "properties": [{"name": text, "op": "exists"}]},
    ]
    for tree in trees:
        assert counting.count(website, tree, now) == 1, tree
        assert counting.count(website, {"not": tree}, now) == 1, tree
