"""Sending to a segment: frozen when the message is accepted, expanded by the engine chunk by chunk."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import ProtectedError
from django.utils import timezone

from signalize_console.activity.models import Event
from signalize_console.audiences.models import Segment
from signalize_console.deliveries import expanding, invariants, outbox, progress
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import Audience, PushMessage
from signalize_console.messaging.states import MessageState
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db(transaction=True)
Work = Callable[[], None]
Subscribe = Callable[..., Subscription]
GERMAN = {"field": "language", "op": "equals", "value": "de"}
ENGLISH = {"field": "language", "op": "equals", "value": "en"}


def speakers(website: Website, *languages: str) -> list[Subscription]:
    return [make_subscription(website, recipient=make_recipient(website, language=one)) for one in languages]


def advance() -> None:
    while progress.advance(transactional=False):
        pass


def reached(message_id: int) -> list[int]:
    return sorted(
        Delivery.objects.filter(push_message_id=message_id).values_list("subscription_id", flat=True)
    )


def send(website: Website, **fields: Any) -> PushMessage:
    segment = fields.pop("segment", None)
    accepted = outbox.send(make_message(website, **fields), [make_text()], segment=segment)
    return PushMessage.objects.get(pk=accepted.message_id)


def test_it_reaches_the_segment_and_nobody_else(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    germans = [subscribe(language=language) for language in ("de", "de-CH")]
    subscribe(language="en")
    segment = Segment.objects.create(website=website, name="Germans", definition=GERMAN)

    message = send(website, segment=segment)
    assert (message.audience, message.segment, message.state) == (Audience.SEGMENT, segment, "scheduled")
    work()

    assert sorted(one.endpoint for one in double.received) == sorted(one.endpoint for one in germans)
    message.refresh_from_db()
    assert (message.state, message.total) == (MessageState.FINISHED, 2)
    assert list(invariants.violations()) == []


def test_a_tree_needs_no_saved_segment(website: Website) -> None:
    german, _english = speakers(website, "de", "en")
    message = send(website, segment=GERMAN)
    advance()
    assert (message.segment, reached(message.pk)) == (None, [german.pk])


def test_a_draft_goes_to_the_segment_that_it_names(website: Website) -> None:
    german, _english = speakers(website, "de", "en")
    segment = Segment.objects.create(website=website, name="Germans", definition=GERMAN)
    message = send(website)
    draft = message.copy_as_draft()
    assert draft.segment is None
    draft.segment = segment
    draft.save()
    assert draft.copy_as_draft().segment == segment

    outbox.send(draft)
    advance()
    assert reached(draft.pk) == [german.pk]


def test_a_later_change_of_the_segment_changes_nothing(website: Website) -> None:
    german, _english = speakers(website, "de", "en")
    segment = Segment.objects.create(website=website, name="Germans", definition=GERMAN)
    message = send(website, segment=segment)

    Segment.objects.update(definition=ENGLISH)
    advance()

    assert reached(message.pk) == [german.pk]


def test_days_ago_count_from_the_time_of_sending(website: Website) -> None:
    """A message for the day after tomorrow to who wasn't seen for a week: seen six days ago is long enough then."""
    six, four = speakers(website, "de", "de")
    now = timezone.now()
    for subscription, days in ((six, 6), (four, 4)):
        Recipient.objects.filter(pk=subscription.recipient_id).update(
            seen_at=now - datetime.timedelta(days=days)
        )
    away = {"field": "lastVisit", "op": "before", "value": {"daysAgo": 7}}
    message = send(website, segment=away, scheduled_at=now + datetime.timedelta(days=2))
    PushMessage.objects.update(due_at=now, scheduled_at=now)

    advance()

    assert reached(message.pk) == [six.pk]


def test_the_cursor_passes_who_is_not_in_it(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expanding, "SEGMENT_CHUNK", 3)
    languages = ["en"] * 4 + ["de"] + ["en"] * 7 + ["de", "de"] + ["en"] * 3
    subscriptions = speakers(website, *languages)
    message = send(website, segment=GERMAN)

    assert progress.advance(transactional=False)
    message.refresh_from_db()
    assert (message.state, message.total) == (MessageState.EXPANDING, 0)
    assert message.expanded_to == subscriptions[2].pk
    advance()

    assert reached(message.pk) == [
        one.pk for one, language in zip(subscriptions, languages, strict=True) if language == "de"
    ]
    message.refresh_from_db()
    assert (message.total, message.expanded_to) == (3, message.expand_until)


def test_a_segment_without_anybody_finishes(website: Website) -> None:
    speakers(website, "en")
    message = send(website, segment=GERMAN)
    advance()
    message.refresh_from_db()
    assert (message.state, message.total) == (MessageState.FINISHED, 0)


def test_events_and_deliveries_choose_too(website: Website) -> None:
    buyer, other = speakers(website, "de", "de")
    first = send(website, segment=GERMAN)
    advance()
    now = timezone.now()
    Delivery.objects.filter(subscription=buyer).update(state="accepted", answered_at=now)
    Event.objects.create(
        day=now.date(),
        website=website,
        recipient=buyer.recipient,
        kind="event",
        name="order",
        occurred_at=now,
    )
    bought = send(website, segment={"field": "purchase"})
    got = send(website, segment={"field": "messageAccepted", "message": first.pk, "within": {"days": 1}})
    never = send(website, segment={"field": "messageAccepted", "op": "equals", "value": 0})
    advance()
    assert [reached(one.pk) for one in (bought, got, never)] == [[buyer.pk], [buyer.pk], [other.pk]]


def test_a_bad_segment_is_not_accepted(website: Website) -> None:
    with pytest.raises(outbox.NotAccepted, match=r"\$\.any\[0\]\.op"):
        send(website, segment={"any": [{**GERMAN, "op": "like"}]})
    other = Segment.objects.create(website=make_website(name="Other"), name="Germans", definition=GERMAN)
    with pytest.raises(outbox.NotAccepted, match="another website"):
        send(website, segment=other)
    assert not PushMessage.objects.exists()


@pytest.mark.parametrize(
    "broken", [{}, {"tree": {"field": "aura"}, "at": "2026-05-01T00:00:00Z"}, {"tree": GERMAN, "at": ""}]
)
def test_what_can_not_be_expanded_pauses_and_holds_up_nobody(website: Website, broken: Any) -> None:
    """Say, a definition that only a newer version knew."""
    german, english = speakers(website, "de", "en")
    message = send(website, segment=GERMAN)
    PushMessage.objects.update(frozen_segment=broken or {"none": 1})
    next_one = send(website)
    advance()

    message.refresh_from_db()
    assert (message.state, message.paused_because) == (MessageState.PAUSED, "segment_broken")
    assert reached(message.pk) == []
    assert reached(next_one.pk) == [german.pk, english.pk]


def test_what_takes_too_long_pauses_and_goes_on_when_it_is_told(
    website: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    german, _english = speakers(website, "de", "en")
    message = send(website, segment=GERMAN)
    monkeypatch.setattr(expanding, "CHOSEN", expanding.CHOSEN + "pg_sleep(0.2) IS NOT NULL AND ")
    monkeypatch.setattr(expanding, "SEGMENT_SECONDS", 0.1)
    advance()
    message.refresh_from_db()
    assert (message.state, message.paused_because) == (MessageState.PAUSED, "segment_too_slow")

    monkeypatch.setattr(expanding, "SEGMENT_SECONDS", 10.0)
    assert message.resume()
    advance()
    message.refresh_from_db()
    assert (message.state, reached(message.pk)) == (MessageState.SENDING, [german.pk])


def test_a_message_that_was_paused_while_it_expanded_expands_on(
    website: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expanding, "CHUNK", 2)
    subscriptions = speakers(website, *["de"] * 5)
    message = send(website)
    progress.advance(transactional=False)
    assert message.pause()
    assert message.resume()
    assert message.state == MessageState.EXPANDING
    advance()
    assert reached(message.pk) == [one.pk for one in subscriptions]
    message.refresh_from_db()
    assert message.pause()
    assert message.resume()
    assert message.state == MessageState.SENDING


def test_only_a_saved_segment_can_go_back_to_the_drafts(website: Website) -> None:
    """Without it the draft would be for everyone."""
    later = timezone.now() + datetime.timedelta(days=1)
    segment = Segment.objects.create(website=website, name="Germans", definition=GERMAN)
    assert not send(website, segment=GERMAN, scheduled_at=later).withdraw_to_draft()
    message = send(website, segment=segment, scheduled_at=later)
    assert message.withdraw_to_draft()
    message.refresh_from_db()
    assert (message.segment, message.frozen_segment) == (segment, None)


def test_who_is_left_out_gets_nothing(website: Website) -> None:
    """A draft that names the segments, and a call that gives them; of a segment, and of everyone."""
    german, _swiss, _english, french = speakers(website, "de", "de-CH", "en", "fr")
    segments = {
        name: Segment.objects.create(website=website, name=name, definition={**GERMAN, "value": name})
        for name in ("de", "de-CH", "en")
    }
    draft = send(website).copy_as_draft()
    draft.segment = segments["de"]
    draft.save()
    draft.excluded_segments.set([segments["de-CH"], segments["en"]])
    outbox.send(draft)
    to_all = outbox.send(
        make_message(website), [make_text()], excluded=[segments["de"], segments["en"]]
    ).message_id
    Segment.objects.update(definition={"field": "visits"})
    advance()
    assert reached(draft.pk) == [german.pk]
    assert reached(to_all) == [french.pk]

    message = PushMessage.objects.get(pk=to_all)
    assert (message.audience, set(message.excluded_segments.all())) == (
        Audience.EVERYONE,
        {segments["de"], segments["en"]},
    )
    with pytest.raises(ProtectedError):
        segments["en"].delete()
    other = Segment.objects.create(website=make_website(name="Other"), name="x", definition=GERMAN)
    with pytest.raises(outbox.NotAccepted, match="another website"):
        outbox.send(make_message(website), [make_text()], excluded=[other])


def test_who_got_a_message_a_short_time_ago_is_left_out(website: Website) -> None:
    rested, tired = speakers(website, "de", "de")
    send(website)
    advance()
    now = timezone.now()
    for subscription, hours in ((rested, 25), (tired, 23)):
        Delivery.objects.filter(subscription=subscription).update(
            state="accepted", answered_at=now - datetime.timedelta(hours=hours)
        )
    message = send(website, rest_hours=24)
    in_segment = send(website, rest_hours=24, segment=GERMAN)
    advance()
    assert reached(message.pk) == reached(in_segment.pk) == [rested.pk]


def test_a_draft_again_and_a_copy_leave_out_the_same(website: Website) -> None:
    later = timezone.now() + datetime.timedelta(days=1)
    english = Segment.objects.create(website=website, name="English", definition=ENGLISH)
    sent = outbox.send(
        make_message(website, rest_hours=48, scheduled_at=later), [make_text()], excluded=[english]
    )
    message = PushMessage.objects.get(pk=sent.message_id)
    copy = message.copy_as_draft()
    assert message.withdraw_to_draft()
    for draft in (copy, message):
        draft.refresh_from_db()
        assert (draft.frozen_segment, draft.rest_hours) == (None, 48)
        assert list(draft.excluded_segments.all()) == [english]
        assert draft.audience_tree == {
            "not": {"any": [ENGLISH, {"field": "messageAccepted", "within": {"hours": 48}}]}
        }
    plain = send(website).copy_as_draft()
    assert plain.audience_tree is None
