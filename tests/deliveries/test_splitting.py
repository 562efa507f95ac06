"""Two variants of a text: who reads which, what is counted, and that the better one goes to the rest."""

import datetime
import json
import random
from collections import Counter
from datetime import UTC
from statistics import NormalDist

import pytest
from django.db import connection

from signalize_console.deliveries import (
    funnels,
    invariants,
    outbox,
    reports,
    rolling_up,
    splitting,
    statistics,
    tokens,
)
from signalize_console.deliveries.disclosing import received
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import Canary, PushMessage, PushMessageText
from signalize_console.messaging.states import MessageState
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.websites.models import Website
from tests.deliveries.test_pacing import Subscribe, Work, advance, let_pass
from tests.makers import make_message, make_recipient, make_subscription, make_text

MINUTES = 60
database = pytest.mark.django_db(transaction=True)


def both() -> list[PushMessageText]:
    return [make_text(title="First"), make_text(title="Second", variant="B")]


def send(website: Website, **fields: object) -> PushMessage:
    accepted = outbox.send(make_message(website, split_minutes=MINUTES, **fields), both())
    return PushMessage.objects.get(pk=accepted.message_id)


def titles(double: PushServiceDouble) -> dict[str, str]:
    """What each browser was sent, by its endpoint."""
    found = {one.endpoint: json.loads(one.plaintext)["notification"]["title"] for one in double.received}
    assert len(found) == len(double.received)
    return found


def click(message: PushMessage, variant: str, count: int) -> None:
    clicked = Delivery.objects.of(message).filter(variant=variant, state="accepted").order_by("pk")
    for one in clicked[:count]:
        assert reports.report(tokens.make(one.pk, one.day), "clicked")


@database
@pytest.mark.parametrize(
    ("clicks", "winner", "title"), [(("A", 2, "B", 9), "B", "Second"), ((), "A", "First")]
)
def test_the_better_one_goes_to_the_rest(
    double: PushServiceDouble,
    website: Website,
    subscribe: Subscribe,
    work: Work,
    clicks: tuple[str, int, str, int] | tuple[()],
    winner: str,
    title: str,
) -> None:
    subscriptions = [subscribe() for _ in range(100)]
    message = send(website, split_percent=50)
    work()
    message.refresh_from_db()
    assert (message.state, message.canary_phase, message.winner) == (MessageState.SENDING, Canary.WATCH, "")
    tried = titles(double)
    assert len(tried) == 50
    assert 10 < Counter(tried.values())["Second"] < 40
    if clicks:
        click(message, clicks[0], clicks[1])
        click(message, clicks[2], clicks[3])
    let_pass(60 * MINUTES - 1)
    work()
    assert len(double.received) == 50

    let_pass(61)
    work()

    message.refresh_from_db()
    assert (message.state, message.winner, message.total) == (MessageState.FINISHED, winner, 100)
    sent = titles(double)
    assert set(sent) == {one.endpoint for one in subscriptions}
    assert {sent[endpoint] for endpoint in sent if endpoint not in tried} == {title}
    assert Delivery.objects.filter(variant=None).count() == 50
    assert [str(one) for one in invariants.violations()] == []


@database
def test_all_get_one_or_the_other_where_nobody_is_to_wait(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    for _ in range(60):
        subscribe()
    message = send(website, split_percent=100)
    work()
    message.refresh_from_db()
    assert (message.state, message.winner) == (MessageState.FINISHED, "")
    told = Counter(titles(double).values())
    assert told.total() == 60
    assert 10 < told["Second"] < 50
    assert {"First": told["First"], "Second": told["Second"]} == {
        {"A": "First", "B": "Second"}[variant]: count
        for variant, count in Counter(Delivery.objects.values_list("variant", flat=True)).items()
    }


@database
def test_all_browsers_of_a_recipient_show_the_same(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    recipients = [make_recipient(website) for _ in range(20)]
    browsers = {one.pk: [subscribe(one).endpoint, subscribe(one).endpoint] for one in recipients}
    send(website, split_percent=100)
    work()
    told = titles(double)
    assert all(told[first] == told[second] for first, second in browsers.values())
    assert len(set(told.values())) == 2


@database
def test_while_nothing_is_known_a_person_decides(website: Website) -> None:
    for _ in range(100):
        make_subscription(website)
    message = send(website, split_percent=20)
    advance()
    let_pass(60 * MINUTES)
    advance()
    message.refresh_from_db()
    assert (message.state, message.paused_because) == (MessageState.PAUSED, "canary_unanswered")

    assert message.resume()
    advance()
    message.refresh_from_db()
    assert (message.total, message.winner) == (100, "")
    assert Delivery.objects.filter(variant=None).count() == 80


@database
def test_named_recipients_get_one_or_the_other(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    recipients = [subscribe().recipient for _ in range(40)]
    accepted = outbox.send(make_message(website), both(), recipients)
    work()
    told = Counter(titles(double).values())
    assert told.total() == 40
    assert 5 < told["Second"] < 35
    click(PushMessage.objects.get(pk=accepted.message_id), "B", 3)
    seen = splitting.count([accepted.message_id])
    assert seen == {"A": (told["First"], 0, 0), "B": (told["Second"], 0, 3)}


@database
def test_who_is_known_to_win_goes_to_all(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    recipients = [subscribe().recipient for _ in range(8)]
    outbox.send(make_message(website, winner="B"), both(), recipients)
    work()
    assert set(titles(double).values()) == {"Second"}
    assert [one["title"] for one in received(recipients[0], 10)] == ["Second"]


@database
def test_what_was_read_is_what_is_told(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    people = [subscribe() for _ in range(12)]
    send(website, split_percent=100)
    work()
    told = titles(double)
    for one in people:
        assert [row["title"] for row in received(one.recipient, 10)] == [told[one.endpoint]]


@database
@pytest.mark.parametrize(
    "fields",
    [{"canary": True}, {"in_local_time": True, "scheduled_at": datetime.datetime(2099, 1, 1, tzinfo=UTC)}],
    ids=["another test", "local times"],
)
def test_what_can_not_be_tried_together(website: Website, fields: dict[str, object]) -> None:
    with pytest.raises(outbox.NotAccepted, match="A or B"):
        send(website, **fields)
    assert not PushMessage.objects.exists()


@database
def test_each_variant_needs_its_values(website: Website) -> None:
    recipient = make_subscription(website).recipient
    texts = [make_text(), make_text(variant="B", title="{{ first_name }}")]
    with pytest.raises(outbox.ValuesMissing, match="first_name"):
        outbox.send(make_message(website), texts, [recipient])


@database
def test_each_variant_of_a_draft_needs_a_standard_text(website: Website) -> None:
    draft = make_message(website)
    draft.save()
    for text in (make_text(), make_text(variant="B", standard=False)):
        text.push_message = draft
        text.save()
    with pytest.raises(outbox.NotAccepted, match="standard"):
        outbox.send(draft)


@database
def test_reports_tell_the_variants_apart(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    for _ in range(100):
        subscribe()
    message = send(website, split_percent=50)
    work()
    click(message, "A", 1)
    click(message, "B", 6)
    let_pass(60 * MINUTES)
    work()
    message.refresh_from_db()
    counted = Counter(Delivery.objects.values_list("variant", flat=True))
    expected = {"A": (counted["A"], 1), "B": (counted["B"], 6), "": (50, 0)}

    def told() -> dict[str, tuple[int, int]]:
        by = funnels.report_of(message).by["variant"]
        return {variant: (funnel.accepted, funnel.clicked) for variant, funnel in by.items()}

    def told_by_api() -> dict[str, tuple[int, int]]:
        by = statistics.breakdown(message)["byVariant"]
        return {variant: (found["accepted"], found["clicked"]) for variant, found in by.items()}

    without_rest = {variant: counts for variant, counts in expected.items() if variant}
    assert told_by_api() == without_rest
    while rolling_up.roll_up():
        pass
    assert told() == expected
    assert told_by_api() == without_rest
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM deliveries_dailycount")
    rolling_up.rebuild()
    assert told() == expected


def test_chance_is_that_of_the_two_sided_test() -> None:
    # 200 of 1,000 against 250 of 1,000: z = 0.05 / sqrt(0.225 * 0.775 * 2 / 1000) = 2.6774
    expected = 2 * (1 - NormalDist().cdf(2.67738))
    assert splitting.chance((1000, 1000), (200, 250)) == pytest.approx(expected, rel=1e-4)
    assert splitting.chance((1000, 1000), (250, 200)) == splitting.chance((1000, 1000), (200, 250))
    assert splitting.chance((500, 1000), (50, 100)) == 1.0


@pytest.mark.parametrize(
    ("accepted", "clicked"),
    [
        ((0, 10), (0, 5)),
        ((1000, 1000), (4, 5)),
        ((10, 10), (10, 9)),
        ((1000, 10), (300, 3)),
        ((0, 0), (0, 0)),
    ],
)
def test_too_few_say_nothing(accepted: tuple[int, int], clicked: tuple[int, int]) -> None:
    assert splitting.chance(accepted, clicked) is None


def test_equally_good_texts_are_seldom_called_different() -> None:
    """2,000 trials of 400 recipients each at 10 %: about one in twenty seems different, as it must."""
    chosen = random.Random(5)

    def clicks() -> int:
        return sum(chosen.random() < 0.1 for _ in range(400))

    found = [splitting.chance((400, 400), (clicks(), clicks())) for _ in range(2000)]
    assert None not in found
    called = sum(one is not None and one < splitting.HARDLY for one in found)
    assert 60 < called < 140
