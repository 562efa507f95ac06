"""A speed limit: how many deliveries there are at which time, whoever works, pauses or comes back."""

import itertools
import time
from collections.abc import Callable

import pytest
from django.db import connection

from signalize_console.audiences.models import Segment
from signalize_console.deliveries import expanding, housekeeping, invariants, outbox, progress
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import MessageState
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.makers import make_message, make_recipient, make_subscription, make_text

pytestmark = pytest.mark.django_db(transaction=True)
Work = Callable[[], None]
Subscribe = Callable[..., Subscription]
PASS = """
UPDATE messaging_pushmessage
SET due_at = due_at - make_interval(secs => %(s)s), expand_at = expand_at - make_interval(secs => %(s)s);
UPDATE deliveries_delivery SET due_at = due_at - make_interval(secs => %(s)s) WHERE state = 'pending'
"""


def let_pass(seconds: float) -> None:
    """As if so much time had passed."""
    with connection.cursor() as cursor:
        cursor.execute(PASS, {"s": seconds})


def advance() -> None:
    while progress.advance(transactional=False):
        pass


def send(website: Website, **fields: object) -> PushMessage:
    accepted = outbox.send(make_message(website, **fields), [make_text()])
    return PushMessage.objects.get(pk=accepted.message_id)


def made() -> int:
    return Delivery.objects.count()


def count_over(seconds: int, step: float = 1.0) -> list[int]:
    """The deliveries that there are after each second."""
    counts = []
    for _second in range(round(seconds / step)):
        began = time.monotonic()
        advance()
        counts.append(made())
        let_pass(max(0.0, step - (time.monotonic() - began)))
    return counts


def test_it_makes_no_more_deliveries_than_the_limit_allows(website: Website) -> None:
    for _ in range(40):
        make_subscription(website)
    message = send(website, per_minute=120)

    counts = count_over(10)

    # Two a second. Who looks again after more than a second may catch up with two of them.
    assert all(count <= 2 * second + 2 for second, count in enumerate(counts, start=1)), counts
    assert counts[-1] >= 18
    message.refresh_from_db()
    assert (message.state, message.total) == (MessageState.SENDING, counts[-1])
    assert message.due_at is not None


def test_many_workers_together_keep_to_it(website: Website) -> None:
    for _ in range(40):
        make_subscription(website)
    began = time.monotonic()
    send(website, per_minute=60)
    for _worker in range(20):
        advance()
    assert made() <= 3 + (time.monotonic() - began)


def test_a_limit_of_less_than_one_a_second(website: Website) -> None:
    for _ in range(5):
        make_subscription(website)
    send(website, per_minute=6)
    counts = count_over(40, step=2.0)
    assert counts[0] == 1
    assert counts[-1] == 4
    assert max(later - earlier for earlier, later in itertools.pairwise(counts)) == 1


def test_a_pause_is_not_caught_up_with(website: Website) -> None:
    for _ in range(200):
        make_subscription(website)
    message = send(website, per_minute=60)
    count_over(3)
    before = made()
    assert message.pause()
    let_pass(600)
    advance()
    assert made() == before

    assert message.resume()
    advance()

    assert before < made() <= before + 4


def test_nor_is_an_outage(website: Website) -> None:
    for _ in range(200):
        make_subscription(website)
    send(website, per_minute=60)
    advance()
    let_pass(600)
    advance()
    assert made() <= 5


def test_everybody_gets_it_in_the_end_and_once(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscriptions = [subscribe() for _ in range(12)]
    message = send(website, per_minute=300)
    for _second in range(5):
        work()
        let_pass(1)
    assert sorted(one.endpoint for one in double.received) == sorted(one.endpoint for one in subscriptions)
    message.refresh_from_db()
    assert (message.state, message.total, message.expand_at) == (MessageState.FINISHED, 12, None)
    assert [str(one) for one in invariants.violations()] == []


def test_of_a_segment_only_those_in_it_count(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expanding, "SEGMENT_CHUNK", 10)
    for number in range(60):
        language = "de" if number % 5 == 0 else "en"
        make_subscription(website, recipient=make_recipient(website, language=language))
    german = {"field": "language", "op": "equals", "value": "de"}
    segment = Segment.objects.create(website=website, name="Germans", definition=german)
    accepted = outbox.send(make_message(website, per_minute=60), [make_text()], segment=segment)

    counts = count_over(20)

    assert counts[0] <= 3
    assert counts[-1] == 12
    assert all(later - earlier <= 2 for earlier, later in itertools.pairwise(counts)), counts
    advance()
    languages = Delivery.objects.filter(push_message_id=accepted.message_id).values_list(
        "recipient__language"
    )
    assert {language for (language,) in languages} == {"de"}


def test_what_is_not_valid_any_more_comes_to_an_end(website: Website) -> None:
    for _ in range(20):
        make_subscription(website)
    message = send(website, per_minute=60)
    advance()
    PushMessage.objects.update(valid_until=message.created_at)
    advance()
    message.refresh_from_db()
    assert message.state == MessageState.FINISHED
    assert not Delivery.objects.filter(state="pending").exists()


def test_a_cancelled_one_makes_no_more(website: Website) -> None:
    for _ in range(20):
        make_subscription(website)
    message = send(website, per_minute=60)
    advance()
    assert message.cancel()
    before = made()
    let_pass(60)
    advance()
    assert made() == before
    assert [str(one) for one in invariants.violations()] == []


def test_what_was_paused_for_longer_than_it_is_valid_is_finished(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscribe()
    message = send(website)
    advance()
    assert message.pause()
    PushMessage.objects.update(valid_until=message.created_at)

    housekeeping.clean_up()
    work()

    message.refresh_from_db()
    assert (message.state, message.paused_because) == (MessageState.FINISHED, "")
    assert set(Delivery.objects.values_list("state", "reason")) == {("expired", "valid_until")}
    assert not double.received
    assert [str(one) for one in invariants.violations()] == []
