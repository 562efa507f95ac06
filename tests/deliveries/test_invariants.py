"""``verify_ledger``: each invariant is broken once, and found by its name; a database at work breaks none."""

import datetime
import io
import json
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, connection, transaction
from django.utils import timezone

from signalize_console.activity.models import Event
from signalize_console.deliveries import expanding, invariants, ledger, outbox, progress
from signalize_console.deliveries.ledger import Claim
from signalize_console.deliveries.models import Alert, Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription, SubscriptionState
from signalize_console.websites.models import Website
from tests.makers import make_message, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db(transaction=True)

Work = Callable[[], None]
Subscribe = Callable[..., Subscription]

# What each statement breaks in a database of one push message that is being sent (1) and of one that is finished
# (2), with a pending delivery and one on its way of the first, and an accepted and a gone one of the second.
BREACHES = [
    ("total", "UPDATE messaging_pushmessage SET total = 3 WHERE state = 'sending'"),
    ("total", "DELETE FROM deliveries_delivery WHERE state = 'pending'"),
    ("no_appointment", "UPDATE messaging_pushmessage SET due_at = NULL WHERE state = 'sending'"),
    (
        "no_appointment",
        "UPDATE messaging_pushmessage SET state = 'cancelled', due_at = NULL WHERE state = 'sending'",
    ),
    (
        "no_appointment",
        "UPDATE messaging_pushmessage SET state = 'scheduled', due_at = NULL WHERE state = 'sending'",
    ),
    (
        "late_appointment",
        "UPDATE messaging_pushmessage SET due_at = now() + '1 hour' WHERE state = 'sending'",
    ),
    ("lease", "UPDATE deliveries_delivery SET lease_until = now() WHERE state = 'accepted'"),
    ("lease", "UPDATE deliveries_delivery SET lease_until = NULL WHERE state = 'sending'"),
    ("lease", "UPDATE deliveries_delivery SET attempts = 0 WHERE state = 'sending'"),
    (
        "orphan",
        "UPDATE deliveries_delivery SET lease_until = now() - interval '6 minutes' WHERE state = 'sending'",
    ),
    ("accepted_untried", "UPDATE deliveries_delivery SET attempts = 0 WHERE state = 'accepted'"),
    ("accepted_untried", "UPDATE deliveries_delivery SET answered_at = NULL WHERE state = 'accepted'"),
    (
        "accepted_too_late",
        "UPDATE messaging_pushmessage SET valid_until = now() - interval '1 minute' WHERE state = 'finished'",
    ),
    (
        "left_out",
        "UPDATE messaging_pushmessage SET expanded_to = 5, expand_until = 6 WHERE state = 'finished'",
    ),
    ("left_out", "UPDATE messaging_pushmessage SET canary_phase = 'watch' WHERE state = 'finished'"),
    ("badly_ended", "UPDATE messaging_pushmessage SET due_at = now() WHERE state = 'finished'"),
    ("badly_ended", "UPDATE messaging_pushmessage SET finished_at = NULL WHERE state = 'finished'"),
    (
        "gone_but_active",
        "UPDATE recipients_subscription SET state = 'active', ended_at = NULL WHERE state = 'quarantined'",
    ),
    (
        "ended_for_nothing",
        "UPDATE deliveries_delivery SET state = 'failed', reason = 'forbidden' WHERE state = 'gone'",
    ),
    ("idempotency_key", "UPDATE deliveries_idempotencykey SET answer = '{\"message_id\": 0}'"),
    (
        "idempotency_key",
        "INSERT INTO deliveries_idempotencykey (website_id, key, fingerprint, push_message_id, answer)"
        " SELECT website_id, 'other', fingerprint, push_message_id, answer FROM deliveries_idempotencykey",
    ),
    ("attempt", "UPDATE deliveries_attempt SET number = 2"),
    ("attempt", "UPDATE deliveries_attempt SET number = 0"),
    ("attempt", "UPDATE deliveries_attempt SET delivery_id = 0"),
    ("message_state", "UPDATE messaging_pushmessage SET state = 'lost' WHERE state = 'finished'"),
    (
        "delivery_state",
        "UPDATE deliveries_delivery SET state = 'lost', reason = 'x' WHERE state = 'accepted'",
    ),
    ("delivery_state", "UPDATE deliveries_delivery SET reason = '' WHERE state = 'gone'"),
    ("delivery_state", "UPDATE deliveries_delivery SET reason = 'Who knows?' WHERE state = 'gone'"),
    ("delivery_state", "UPDATE deliveries_delivery SET push_service = 'pigeon' WHERE state = 'accepted'"),
    (
        "report",
        "INSERT INTO activity_event (day, website_id, kind, delivery_id, properties)"
        " SELECT day + 1, website_id, kind, delivery_id, properties FROM activity_event",
    ),
]


@pytest.fixture
def website() -> Website:
    return make_website()


@pytest.fixture
def busy(website: Website) -> Website:
    """A database as the engine leaves it in the middle of its work."""
    accepted, gone = make_subscription(website), make_subscription(website)
    finished = send(website, accepted, gone, idempotency_key="order-1")
    first, second = claim(2)
    ledger.record_and_claim(
        False,
        [
            ledger.Result(first, DeliveryState.ACCEPTED, "accepted", status=201),
            ledger.Result(second, DeliveryState.GONE, "gone", "expired", status=410),
        ],
        [],
    )
    progress.advance(False, [finished.pk])
    Event.objects.create(day=first.day, website=website, kind="shown", delivery_id=first.id)
    send(website, make_subscription(website), make_subscription(website))
    claim(1)
    assert [violation.check.name for violation in invariants.violations()] == []
    return website


def send(website: Website, *subscriptions: Subscription, **options: str) -> PushMessage:
    recipients = [subscription.recipient for subscription in subscriptions]
    accepted = outbox.send(make_message(website), [make_text()], recipients, **options)
    return PushMessage.objects.get(pk=accepted.message_id)


def claim(count: int) -> list[ledger.Claimed]:
    (claimed,) = ledger.record_and_claim(False, [], [Claim(count)])
    assert len(claimed) == count
    return claimed


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def found() -> set[str]:
    return {violation.check.name for violation in invariants.violations()}


@pytest.mark.parametrize(("name", "breach"), BREACHES)
@pytest.mark.usefixtures("busy")
def test_it_finds_what_breaks_an_invariant(name: str, breach: str) -> None:
    execute(breach)
    assert found() == {name}


@pytest.mark.usefixtures("busy")
def test_it_finds_deliveries_that_are_open_though_their_message_has_ended() -> None:
    execute("UPDATE messaging_pushmessage SET state = 'finished', due_at = NULL, finished_at = now()")
    assert found() == {"open_after_end"}


def test_it_finds_deliveries_of_no_message(website: Website) -> None:
    message = send(website, make_subscription(website))
    message.texts.all().delete()
    PushMessage.objects.all().delete()
    assert found() == {"no_message"}


def test_it_finds_deliveries_of_another_day_than_their_messages(website: Website) -> None:
    send(website, make_subscription(website))
    execute("UPDATE deliveries_delivery SET day = day + 1")
    assert found() == {"no_message", "total"}


@pytest.mark.parametrize(
    "state",
    [
        *(MessageState.DRAFT, MessageState.AWAITING_APPROVAL),
        *(MessageState.REPEATING, MessageState.SCHEDULED),
    ],
)
def test_it_finds_deliveries_made_before_their_message_started(website: Website, state: MessageState) -> None:
    message = send(website, make_subscription(website))
    PushMessage.objects.filter(pk=message.pk).update(state=state, audience="everyone")
    assert found() == {"too_early"}


def test_deliveries_of_named_recipients_may_wait_with_their_scheduled_message(website: Website) -> None:
    tomorrow = timezone.now() + datetime.timedelta(days=1)
    message = make_message(website, scheduled_at=tomorrow)
    outbox.send(message, [make_text()], [make_subscription(website).recipient])
    assert message.state == MessageState.SCHEDULED
    assert found() == set()


def test_it_finds_a_transactional_delivery_that_was_given_up(website: Website) -> None:
    message = send(website, make_subscription(website))
    Delivery.objects.update(state=DeliveryState.UNKNOWN, reason="worker_lost")
    progress.advance(False, [message.pk])
    assert found() == set()
    PushMessage.objects.update(transactional=True)
    assert found() == {"unknown_transactional"}


def test_an_appointment_may_wait_for_a_push_service_that_is_stopped(busy: Website) -> None:
    execute("UPDATE messaging_pushmessage SET due_at = now() + interval '20 seconds' WHERE state = 'sending'")
    assert found() == {"late_appointment"}

    alert = Alert.objects.create(kind="outage", push_service="mozilla", probe_at=timezone.now())
    assert found() == {"late_appointment"}
    Alert.objects.filter(pk=alert.pk).update(push_service="fcm", website=make_website(name="Other"))
    assert found() == {"late_appointment"}
    Alert.objects.filter(pk=alert.pk).update(website=busy)
    assert found() == set()
    Alert.objects.filter(pk=alert.pk).update(ended_at=timezone.now())
    assert found() == {"late_appointment"}


@pytest.mark.usefixtures("busy")
def test_a_subscription_that_came_back_is_not_gone() -> None:
    execute("UPDATE recipients_subscription SET state = 'active', ended_at = NULL, seen_at = now()")
    assert found() == set()


@pytest.mark.usefixtures("busy")
def test_a_mass_expiry_may_be_undone() -> None:
    execute("UPDATE recipients_subscription SET state = 'active', ended_at = NULL")
    Alert.objects.create(kind="mass_expiry", push_service="fcm", ended_at=timezone.now())
    assert found() == set()


@pytest.mark.usefixtures("busy")
def test_it_names_the_partition_that_is_missing() -> None:
    today = timezone.now().astimezone(datetime.UTC).date()
    following = (today.replace(day=1) + datetime.timedelta(days=31)).replace(day=1)
    name = f"deliveries_attempt_{following:%Y_%m}"
    execute(f"ALTER TABLE {name} RENAME TO put_aside")
    try:
        assert [str(one) for one in invariants.violations()] == [
            f"The partition {name} is missing: its rows go to the default one."
        ]
    finally:
        execute(f"ALTER TABLE put_aside RENAME TO {name}")


def test_a_database_at_work_breaks_none(
    double: PushServiceDouble,
    website: Website,
    subscribe: Subscribe,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(expanding, "CHUNK", 5)
    subscriptions = [subscribe() for _ in range(12)]
    Subscription.objects.update(created_at=timezone.now() - datetime.timedelta(hours=1))
    double.expire(subscriptions[0].endpoint)
    Subscription.objects.filter(pk=subscriptions[1].pk).end(SubscriptionState.UNSUBSCRIBED, "visitor")
    double.answer_next(429, headers={"Retry-After": "60"}, endpoint=subscriptions[2].endpoint)
    double.answer_next(503, endpoint=subscriptions[3].endpoint)
    outbox.send(make_message(website), [make_text()])
    assert send(website, *subscriptions[4:8]).cancel()
    assert send(website, *subscriptions[4:8]).pause()
    PushMessage.objects.create(website=website)
    assert found() == set()

    work()
    send(website, *subscriptions[4:])
    claim(3)
    double.fail_next("reset")
    work()

    states = set(Delivery.objects.values_list("state", flat=True))
    assert states == {"pending", "sending", "accepted", "gone", "cancelled", "unknown"}
    assert found() == set()


@pytest.mark.usefixtures("busy")
def test_it_looks_only_at_what_was_accepted_since() -> None:
    execute("UPDATE deliveries_delivery SET attempts = 0 WHERE state = 'accepted'")
    today = timezone.now().astimezone(datetime.UTC).date()
    assert [one.check.name for one in invariants.violations(today)] == ["accepted_untried"]
    assert not list(invariants.violations(today + datetime.timedelta(days=1)))


def test_it_stops_counting_at_a_thousand_of_a_kind(website: Website) -> None:
    execute(
        "INSERT INTO deliveries_delivery (day, push_message_id, subscription_id, recipient_id, push_service, state)"
        " SELECT current_date, 1, number, number, 'fcm', 'pending' FROM generate_series(1, 1001) AS number"
    )
    assert sum(one.check.name == "no_message" for one in invariants.violations()) == 1_000


@pytest.mark.usefixtures("busy")
def test_it_refuses_to_look_from_within_a_transaction() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        list(invariants.violations())


@pytest.mark.usefixtures("busy")
def test_it_can_write_nothing() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(invariants.SNAPSHOT)
        with pytest.raises(InternalError, match="read-only"):
            cursor.execute("DELETE FROM deliveries_attempt")


def run(*options: str) -> str:
    out = io.StringIO()
    call_command("verify_ledger", *options, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("busy")
def test_the_command_says_that_all_is_well() -> None:
    count = len(invariants.CHECKS)
    assert run() == f"All {count} invariants hold.\n"
    assert json.loads(run("--json")) == {"checks": count, "violations": []}


@pytest.mark.usefixtures("busy")
def test_the_command_names_each_violation_and_fails() -> None:
    delivery = Delivery.objects.get(state=DeliveryState.ACCEPTED)
    Delivery.objects.filter(pk=delivery.pk).update(attempts=0)
    out = io.StringIO()
    with pytest.raises(SystemExit) as exit_code:
        call_command("verify_ledger", stdout=out)
    assert exit_code.value.code == 1
    text = f"Delivery {delivery.pk} was accepted, but there was no attempt or no answer."
    assert out.getvalue() == f"accepted_untried: {text}\n"

    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_ledger", "--json", "--since", "1", stdout=out)
    (violation,) = json.loads(out.getvalue())["violations"]
    assert violation == {"check": "accepted_untried", "text": text, "facts": {"delivery": delivery.pk}}


@pytest.mark.parametrize("days", ["-1", "soon", "999999"])
def test_the_command_wants_a_number_of_days(days: str) -> None:
    with pytest.raises(CommandError, match="number of days"):
        run(f"--since={days}")


def test_the_command_tells_a_database_that_it_can_not_read_from_a_broken_one() -> None:
    execute("ALTER TABLE deliveries_attempt RENAME TO put_aside")
    try:
        with pytest.raises(CommandError, match="can't be checked") as error:
            run()
        assert error.value.returncode == 2
    finally:
        execute("ALTER TABLE put_aside RENAME TO deliveries_attempt")
