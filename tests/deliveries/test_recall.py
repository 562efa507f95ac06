"""Taking back a cancelled message: what a browser that was away then finds at its push service."""

import json
from collections.abc import Callable

import pytest

from signalize_console.deliveries import outbox, recall, reports, tokens
from signalize_console.deliveries.invariants import violations
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import MessageState
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.deliveries.test_engine import make_due
from tests.makers import make_message, make_text

Work = Callable[[], None]
Subscribe = Callable[..., Subscription]


@pytest.fixture
def cancel(work: Work) -> Callable[[PushMessage], None]:
    def run(message: PushMessage) -> None:
        message.refresh_from_db()
        assert message.cancel()
        work()

    return run


def send_to_all(website: Website, work: Work, **fields: object) -> PushMessage:
    accepted = outbox.send(make_message(website, **fields), [make_text()])
    work()
    return PushMessage.objects.get(pk=accepted.message_id)


def recalls() -> dict[int, str]:
    return dict(Delivery.objects.values_list("subscription_id", "recall"))


def test_it_is_deleted_where_it_waits_for_its_browser(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work, cancel: Callable[..., None]
) -> None:
    away, there = subscribe(), subscribe()
    double.leave(away.endpoint)
    message = send_to_all(website, work)

    cancel(message)

    assert double.come_back(away.endpoint) == []
    assert recalls() == {away.pk: "withdrawn", there.pk: "too_late"}
    message.refresh_from_db()
    assert (message.state, message.due_at) == (MessageState.CANCELLED, None)
    assert list(violations()) == []


@pytest.mark.parametrize("service", ["fcm", "apple", "wns"])
def test_elsewhere_a_short_notification_takes_its_place(
    double: PushServiceDouble,
    website: Website,
    subscribe: Subscribe,
    work: Work,
    cancel: Callable[..., None],
    service: str,
) -> None:
    away = subscribe(service=service)
    double.leave(away.endpoint)
    message = send_to_all(website, work)

    cancel(message)

    (found,) = double.come_back(away.endpoint)
    original, replacement = double.received
    assert found is replacement
    assert found.headers["topic"] == original.headers["topic"]
    assert int(found.headers["ttl"]) == 60
    said, before = (json.loads(one.plaintext)["notification"] for one in (replacement, original))
    assert said["tag"] == before["tag"]
    assert said["title"] == "This message was withdrawn"
    assert said["silent"] is True
    assert recalls() == {away.pk: "withdrawn"}


def test_what_was_shown_is_left_alone(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work, cancel: Callable[..., None]
) -> None:
    subscribe()
    message = send_to_all(website, work)
    delivery = Delivery.objects.get()
    reports.report(tokens.make(delivery.pk, delivery.day), "shown")

    cancel(message)

    assert Delivery.objects.get().recall == "too_late"
    assert not double.deletions


def test_a_transactional_one_without_topic_can_only_be_deleted(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work, cancel: Callable[..., None]
) -> None:
    mozilla, google = subscribe(), subscribe(service="fcm")
    double.leave(mozilla.endpoint)
    message = send_to_all(website, work, transactional=True)

    cancel(message)

    assert recalls() == {mozilla.pk: "withdrawn", google.pk: "too_late"}
    assert len(double.received) == 2


def test_it_is_asked_again_when_the_push_service_is_busy(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work, cancel: Callable[..., None]
) -> None:
    away = subscribe()
    double.leave(away.endpoint)
    message = send_to_all(website, work)
    double.answer_next(503, {"Retry-After": "120"})

    cancel(message)

    message.refresh_from_db()
    assert recalls() == {away.pk: "asked"}
    assert message.due_at == Delivery.objects.get().due_at
    assert list(violations()) == []
    make_due()
    work()
    assert recalls() == {away.pk: "withdrawn"}


def test_a_worker_that_dies_in_between_costs_nothing(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    away = subscribe()
    double.leave(away.endpoint)
    message = send_to_all(website, work)
    assert message.cancel()
    assert recall.ask(False)
    dead = recall.Recalls(False, None)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        dead.turn(True, [])  # it has claimed, and reaches nobody
    work()
    assert recalls() == {away.pk: "asked"}

    make_due()
    work()

    assert recalls() == {away.pk: "withdrawn"}


def test_many_are_taken_back_chunk_by_chunk(
    double: PushServiceDouble,
    website: Website,
    subscribe: Subscribe,
    work: Work,
    cancel: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recall, "CHUNK", 15)
    subscriptions = [subscribe() for _ in range(60)]
    for one in subscriptions:
        double.leave(one.endpoint)
    message = send_to_all(website, work)

    cancel(message)

    assert set(recalls().values()) == {"withdrawn"}
    assert len(double.deletions) == 60


def test_nothing_is_asked_when_nothing_was_sent(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work, cancel: Callable[..., None]
) -> None:
    subscribe()
    accepted = outbox.send(make_message(website), [make_text()])

    cancel(PushMessage.objects.get(pk=accepted.message_id))

    message = PushMessage.objects.get()
    assert (message.state, message.due_at, message.recall_cursor) == (MessageState.CANCELLED, None, None)
    assert not double.received
    assert not double.deletions
