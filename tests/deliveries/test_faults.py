"""What goes wrong around a worker: killed, stopped, cut off from its database, too late."""

import datetime
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from signalize_console.deliveries import caps, dispatch, ledger, outbox, sending
from signalize_console.deliveries.alerts import Alert
from signalize_console.deliveries.dispatch import Dispatch
from signalize_console.deliveries.ledger import MOST_LOSSES, Claim, Claimed
from signalize_console.deliveries.models import Attempt, Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription
from signalize_console.webpush.transport import Transport
from signalize_console.websites.models import Website
from tests.deliveries.test_engine import make_due, send_to
from tests.makers import make_message, make_text

Work = Callable[[], None]
Subscribe = Callable[..., Subscription]


def lose(claim: Claim) -> list[Claimed]:
    """A worker claims, and is never heard of again."""
    (claimed,) = ledger.record_and_claim(True, [], [claim])
    make_due()
    ledger.reclaim(True)
    make_due()
    return claimed


def test_what_was_lost_twice_is_sent_alone(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    subscriptions = [subscribe() for _ in range(5)]
    outbox.send(
        make_message(website, transactional=True), [make_text()], [one.recipient for one in subscriptions]
    )
    lose(Claim(5))
    lose(Claim(5))
    assert ledger.record_and_claim(True, [], [Claim(5)]) == [[]]
    together: list[int] = []

    class Watched(Dispatch):
        def _hand_over(self, claimed: Sequence[Claimed], claimed_at: float) -> None:
            together.extend([len(claimed)] if claimed else [])
            super()._hand_over(claimed, claimed_at)

    Watched(transactional=True).run(seconds=5)

    assert together == [1] * 5
    assert Delivery.objects.filter(state=DeliveryState.ACCEPTED).count() == 5


def test_what_ends_its_worker_again_and_again_is_given_up(website: Website, subscribe: Subscribe) -> None:
    poison, other = send_to(subscribe(), website), send_to(subscribe(), website)
    lose(Claim(1))
    lose(Claim(1))
    for _ in range(MOST_LOSSES - 2):
        assert [one.push_message_id for one in lose(Claim(1, suspect=True))] == [poison.pk]

    delivery = Delivery.objects.of(poison).get()
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, "poison")
    assert Delivery.objects.of(other).get().state == DeliveryState.PENDING


def test_it_finishes_what_is_under_way_when_it_is_told_to_stop(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    for _ in range(200):
        subscribe()
    double.latency = 0.3
    outbox.send(make_message(website), [make_text()])
    stop = threading.Event()

    class Stopped(Dispatch):
        def _hand_over(self, claimed: Sequence[Claimed], claimed_at: float) -> None:
            super()._hand_over(claimed, claimed_at)
            if claimed:
                stop.set()

    Stopped(transactional=False, stop=stop.is_set).run(seconds=10)

    states = Delivery.objects.all().by_state()
    assert set(states) == {DeliveryState.ACCEPTED, DeliveryState.PENDING}
    assert states[DeliveryState.ACCEPTED] == len(double.received) <= 64


@pytest.mark.parametrize(("transactional", "state"), [(False, "unknown"), (True, "pending")])
def test_it_does_not_wait_for_ever_when_it_is_told_to_stop(
    double: PushServiceDouble,
    website: Website,
    subscribe: Subscribe,
    monkeypatch: pytest.MonkeyPatch,
    transactional: bool,
    state: str,
) -> None:
    monkeypatch.setattr(dispatch, "GRACE", 0.3)
    double.fail_next("hang")
    send_to(subscribe(), website, transactional=transactional)
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    started = time.monotonic()

    Dispatch(transactional, stop=stop.is_set).run(seconds=20)

    assert time.monotonic() - started < 3
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == (state, "stopped_after_sending")


def test_an_answer_survives_the_loss_of_the_database(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    for _ in range(30):
        subscribe()
    outbox.send(make_message(website), [make_text()])

    class CutOff(Dispatch):
        cuts = 3

        def _hand_over(self, claimed: Sequence[Claimed], claimed_at: float) -> None:
            super()._hand_over(claimed, claimed_at)
            if claimed and self.cuts:
                self.cuts -= 1
                end_our_connection()

    CutOff(transactional=False).run(seconds=10)

    assert Delivery.objects.all().by_state() == {DeliveryState.ACCEPTED: 30}
    assert len(double.received) == 30


def test_answers_are_read_while_the_database_is_away(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    """For longer than a request may take: none of them counts as unanswered, and nobody is called silent."""
    for _ in range(30):
        subscribe()
    double.latency = 1.0
    outbox.send(make_message(website), [make_text()])
    away = []

    class CutOff(Dispatch):
        def _hand_over(self, claimed: Sequence[Claimed], claimed_at: float) -> None:
            super()._hand_over(claimed, claimed_at)
            if claimed and not away:
                away.append(close_database(4.0))

    run = CutOff(transactional=False)
    run.wire = Transport(sending.push_services(), ca_file=settings.PUSH_SERVICES_CA, timeout=2.0)
    try:
        run.run(seconds=10)
    finally:
        away[0].join()

    assert Delivery.objects.all().by_state() == {DeliveryState.ACCEPTED: 30}
    assert not Alert.objects.exists()


def close_database(seconds: float) -> threading.Thread:
    """To everyone. Returns who opens it again."""
    name = connection.settings_dict["NAME"]

    def allow(allowed: bool) -> None:
        with psycopg.connect(**{**our_server(), "dbname": "postgres"}, autocommit=True) as other:
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}')
            if not allowed:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
                )

    allow(False)
    opener = threading.Timer(seconds, allow, [True])
    opener.start()
    return opener


def our_server() -> dict[str, Any]:
    values = connection.get_connection_params()
    return {name: values[name] for name in ("host", "port", "user", "password", "dbname") if name in values}


def end_our_connection() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with psycopg.connect(**our_server()) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_a_request_that_is_not_on_its_way_is_put_back_when_its_message_is_cancelled(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    message = send_to(subscribe(), website)

    class Cancelled(Dispatch):
        def _hand_over(self, claimed: Sequence[Claimed], claimed_at: float) -> None:
            super()._hand_over(claimed, claimed_at)
            if claimed:
                assert message.cancel()
                self._put_back_stopped()

    Cancelled(transactional=True).run(seconds=5)

    assert not double.received
    assert Delivery.objects.get().state == DeliveryState.CANCELLED


def test_nothing_is_begun_after_valid_until(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    send_to(subscribe(), website, valid_until=timezone.now() + datetime.timedelta(seconds=0.5))

    class Late(Dispatch):
        def _hand_over(self, claimed: Sequence[Claimed], claimed_at: float) -> None:
            super()._hand_over(claimed, claimed_at)
            if claimed:
                time.sleep(0.7)

    Late(transactional=True).run(seconds=5)

    assert not double.received
    assert Delivery.objects.get().state in {DeliveryState.EXPIRED, DeliveryState.PENDING}
    assert Attempt.objects.get().reason == "too_late"


def test_nothing_is_claimed_after_valid_until(website: Website, subscribe: Subscribe) -> None:
    message = send_to(subscribe(), website)
    PushMessage.objects.filter(pk=message.pk).update(valid_until=timezone.now())

    assert ledger.record_and_claim(True, [], [Claim(1)]) == [[]]
    assert Delivery.objects.get().attempts == 0


def test_what_was_claimed_too_long_ago_is_not_posted(
    double: PushServiceDouble, website: Website, subscribe: Subscribe
) -> None:
    send_to(subscribe(), website)

    class Stopped(Dispatch):
        def _hand_over(self, claimed: Sequence[Claimed], claimed_at: float) -> None:
            super()._hand_over(claimed, claimed_at - sending.HAND_OVER_SECONDS - 0.1)

    Stopped(transactional=True).run(seconds=2)

    assert not double.requests
    assert Attempt.objects.first().reason == "too_late"


def test_a_late_marketing_message_waits_for_a_person(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscribe()
    hour = datetime.timedelta(hours=1)
    late = PushMessage.objects.get(pk=outbox.send(
        make_message(website, scheduled_at=timezone.now() + hour), [make_text()]
    ).message_id)  # fmt: skip
    PushMessage.objects.update(
        scheduled_at=timezone.now() - datetime.timedelta(minutes=31), due_at=timezone.now() - hour
    )

    work()

    late.refresh_from_db()
    assert (late.state, late.due_at) == (MessageState.HELD, None)
    assert not double.received


def test_a_message_that_is_a_little_late_is_sent(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscribe()
    outbox.send(
        make_message(website, scheduled_at=timezone.now() + datetime.timedelta(hours=1)), [make_text()]
    )
    late = timezone.now() - datetime.timedelta(minutes=29)
    PushMessage.objects.update(scheduled_at=late, due_at=late)

    work()

    assert len(double.received) == 1


@pytest.fixture
def rule() -> Iterator[list[caps.Rule]]:
    before = list(caps.RULES)
    yield caps.RULES
    caps.RULES[:] = before


def test_what_a_rule_suppresses_is_not_sent_and_says_why(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work, rule: list[caps.Rule]
) -> None:
    subscriptions = [subscribe() for _ in range(4)]
    tired = {subscriptions[0].recipient_id, subscriptions[2].recipient_id}

    def enough(deliveries: Sequence[Claimed]) -> Mapping[int, str]:
        return {one.id: "frequency_cap" for one in deliveries if one.recipient_id in tired}

    rule.append(enough)
    accepted = outbox.send(make_message(website), [make_text()])
    work()

    deliveries = Delivery.objects.filter(push_message_id=accepted.message_id)
    assert {
        one.recipient_id for one in deliveries.filter(state="suppressed", reason="frequency_cap")
    } == tired
    assert deliveries.filter(state=DeliveryState.ACCEPTED).count() == 2
    assert len(double.received) == 2


def test_the_topic_on_the_wire(double: PushServiceDouble, website: Website, subscribe: Subscribe) -> None:
    marketing, order = make_message(website), make_message(website, transactional=True)
    marketing.pk = order.pk = 4711

    topic = sending.topic_of(marketing)

    assert topic
    assert len(topic) == 32
    assert sending.topic_of(order) is None
    order.topic = "order-1"
    assert sending.topic_of(order) == "order-1"
    assert settings.PUSH_SERVICES


def test_the_address_of_an_accepted_message_is_kept_where_it_can_be_deleted(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    mozilla, google = subscribe(service="mozilla"), subscribe(service="fcm")
    outbox.send(make_message(website), [make_text()])

    work()

    urls = dict(Delivery.objects.values_list("subscription_id", "message_url"))
    assert urls[mozilla.pk].startswith("https://updates.push.services.mozilla.com/m/")
    assert urls[google.pk] == ""


def test_total_counts_the_deliveries(website: Website, subscribe: Subscribe, work: Work) -> None:
    subscriptions = [subscribe() for _ in range(3)]
    named = outbox.send(make_message(website), [make_text()], [subscriptions[0].recipient])
    everyone = outbox.send(make_message(website), [make_text()])

    work()

    totals = dict(PushMessage.objects.values_list("pk", "total"))
    assert totals == {named.message_id: 1, everyone.message_id: 3}
