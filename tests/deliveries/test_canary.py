"""A test: a share of the audience first. The rest follows by itself, or a person has to say so."""

import pytest
from django.test import Client
from django.utils import timezone

from signalize_console.activity.models import Event
from signalize_console.deliveries import invariants, outbox
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import Canary, PushMessage
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.deliveries.test_engine import make_old
from tests.deliveries.test_pacing import Subscribe, Work, advance, let_pass
from tests.makers import ORIGIN, make_message, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db(transaction=True)
MINUTES = 10


@pytest.fixture
def website() -> Website:
    return make_website(canary_percent=10, canary_minutes=MINUTES, canary_limit=20)


def send(website: Website, **fields: object) -> PushMessage:
    accepted = outbox.send(make_message(website, canary=True, **fields), [make_text()])
    return PushMessage.objects.get(pk=accepted.message_id)


def answer(**counts: int) -> None:
    """What became of the test's deliveries: so many accepted, gone, failed."""
    ids = list(Delivery.objects.filter(state="pending").order_by("pk").values_list("pk", flat=True))
    for state, count in counts.items():
        some, ids = ids[:count], ids[count:]
        Delivery.objects.filter(pk__in=some).update(
            state=state, attempts=1, reason="x", answered_at=timezone.now()
        )
    assert not ids


def test_the_rest_follows_when_all_went_well(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscriptions = [subscribe() for _ in range(100)]
    message = send(website)
    work()
    message.refresh_from_db()
    assert (message.state, message.canary_phase) == (MessageState.SENDING, Canary.WATCH)
    assert len(double.received) == 10

    let_pass(60 * (MINUTES - 1))
    work()
    assert len(double.received) == 10

    let_pass(61)
    work()
    assert sorted(one.endpoint for one in double.received) == sorted(one.endpoint for one in subscriptions)
    message.refresh_from_db()
    assert (message.state, message.total) == (MessageState.FINISHED, 100)
    assert [str(one) for one in invariants.violations()] == []


def test_it_stops_by_itself_when_many_are_gone_and_goes_on_when_a_person_says_so(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscriptions = [subscribe() for _ in range(100)]
    make_old(*subscriptions)
    message = send(website)
    sample = [one for one in subscriptions if (one.pk + message.pk) % 100 < 10]
    for one in sample[:4]:
        double.expire(one.endpoint)
    work()
    let_pass(60 * MINUTES)
    work()
    message.refresh_from_db()
    assert (message.state, message.paused_because) == (MessageState.PAUSED, "canary_gone")
    assert len(double.received) == 6
    let_pass(3600)
    work()
    assert len(double.received) == 6

    assert message.resume()
    work()

    assert len(double.received) == 96
    message.refresh_from_db()
    assert (message.state, message.canary_phase) == (MessageState.FINISHED, Canary.OVER)
    assert Delivery.objects.of(message).by_state() == {DeliveryState.ACCEPTED: 96, DeliveryState.GONE: 4}


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"accepted": 10}, ""),
        ({"accepted": 8, "gone": 2}, ""),
        ({"accepted": 7, "gone": 3}, "canary_gone"),
        ({"accepted": 7, "failed": 3}, "canary_refused"),
        ({"accepted": 6, "failed": 2, "gone": 2}, "canary_lost"),
        ({"failed": 10}, "canary_refused"),
        ({"pending": 10}, "canary_refused"),
        ({"cancelled": 10}, ""),
    ],
)
def test_what_stops_it(website: Website, counts: dict[str, int], reason: str) -> None:
    for _ in range(100):
        make_subscription(website)
    message = send(website)
    advance()
    answer(**counts)
    let_pass(60 * MINUTES)
    advance()
    message.refresh_from_db()
    assert message.paused_because == reason
    assert message.total == (10 if reason else 100)


def test_many_who_close_it_stop_it(website: Website) -> None:
    for _ in range(100):
        make_subscription(website)
    message = send(website)
    advance()
    answer(accepted=10)
    for number, delivery in enumerate(Delivery.objects.all()):
        for kind in ["shown", "closed"] if number < 9 else ["shown"]:
            Event.objects.create(
                day=delivery.day,
                website=website,
                kind=kind,
                push_message_id=message.pk,
                delivery_id=delivery.pk,
            )
    let_pass(60 * MINUTES)
    advance()
    message.refresh_from_db()
    assert message.paused_because == "canary_closed"


def leave(client: Client, subscription: Subscription) -> None:
    """As its browser does it."""
    proof = {"endpoint": subscription.endpoint, "auth": subscription.auth}
    path = f"/browser/{subscription.website.secure_code}/unsubscribe"
    said = client.post(path, proof, content_type="application/json", headers={"Origin": ORIGIN})
    assert said.status_code == 204


@pytest.mark.parametrize(("count", "reason"), [(2, ""), (3, "canary_unsubscribed")])
def test_it_stops_by_itself_when_many_unsubscribe(
    client: Client,
    double: PushServiceDouble,
    website: Website,
    subscribe: Subscribe,
    work: Work,
    count: int,
    reason: str,
) -> None:
    subscriptions = [subscribe() for _ in range(100)]
    message = send(website)
    work()
    sample = [one for one in subscriptions if (one.pk + message.pk) % 100 < 10]
    for one in sample[:count]:
        leave(client, one)
    others = [one for one in subscriptions if one not in sample]
    for one in others[:5]:
        leave(client, one)
    let_pass(60 * MINUTES)
    work()
    message.refresh_from_db()
    assert message.paused_because == reason
    assert len(double.received) == (10 if reason else 95)


def test_who_leaves_after_another_message_is_not_charged_to_the_test(
    client: Client, double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscriptions = [subscribe() for _ in range(100)]
    message = send(website)
    work()
    sample = [one for one in subscriptions if (one.pk + message.pk) % 100 < 10]
    outbox.send(make_message(website), [make_text()], [one.recipient for one in sample])
    work()
    for one in sample:
        leave(client, one)
    let_pass(60 * MINUTES)
    work()
    message.refresh_from_db()
    assert (message.state, message.paused_because) == (MessageState.FINISHED, "")


def test_a_test_that_nobody_sent_proves_nothing(website: Website) -> None:
    for _ in range(100):
        make_subscription(website)
    message = send(website)
    advance()
    let_pass(60 * MINUTES)
    advance()
    message.refresh_from_db()
    assert (message.state, message.paused_because) == (MessageState.PAUSED, "canary_unanswered")


def test_an_audience_too_small_for_a_share_gets_it_at_once(website: Website) -> None:
    message = make_message(website, canary=True)
    outbox.send(message, [make_text()])
    while (make_subscription(website).pk + message.pk) % 100 < 10:
        Delivery.objects.all().delete()
    advance()
    assert Delivery.objects.count() >= 1
    message.refresh_from_db()
    assert message.state in {MessageState.SENDING, MessageState.EXPANDING}


def test_the_test_of_another_message_has_other_people(website: Website) -> None:
    for _ in range(100):
        make_subscription(website)
    first, second = send(website), send(website)
    advance()
    chosen = [
        set(Delivery.objects.of(one).values_list("subscription_id", flat=True)) for one in (first, second)
    ]
    assert len(chosen[0]) == len(chosen[1]) == 10
    assert chosen[0] != chosen[1]


def test_a_pause_in_the_middle_of_the_watch_keeps_the_watch(website: Website) -> None:
    for _ in range(100):
        make_subscription(website)
    message = send(website)
    advance()
    assert message.pause()
    assert message.resume()
    advance()
    assert Delivery.objects.count() == 10


def test_with_a_speed_limit_too(website: Website) -> None:
    for _ in range(100):
        make_subscription(website)
    message = send(website, per_minute=120)
    for _second in range(8):
        advance()
        let_pass(1)
    message.refresh_from_db()
    assert (message.total, message.canary_phase) == (10, Canary.WATCH)
    answer(accepted=10)
    let_pass(60 * MINUTES)
    advance()
    assert 10 < Delivery.objects.count() <= 16
