"""A message that repeats: each run is a push message of its own, and exactly one."""

import datetime
import threading

import pytest
from django.db import connection
from django.utils import timezone

from signalize_console.deliveries import invariants, outbox, repeating
from signalize_console.deliveries.models import Delivery, IdempotencyKey
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import MessageState
from signalize_console.messaging.timing import Repeat
from signalize_console.websites.models import Website
from tests.deliveries.test_pacing import advance
from tests.makers import make_message, make_subscription, make_text

pytestmark = pytest.mark.django_db(transaction=True)
DAY, MINUTE = datetime.timedelta(days=1), datetime.timedelta(minutes=1)


def make_series(website: Website, **fields: object) -> PushMessage:
    """It has its first run tomorrow at this time."""
    soon = timezone.now().replace(second=0, microsecond=0) + DAY
    values = {"scheduled_at": soon, "repeat": Repeat.DAY, "sent_by": "anna", "per_minute": 600, **fields}
    series = make_message(website, **values)
    series.save()
    text = make_text()
    text.push_message = series
    text.save()
    repeating.start(series)
    series.refresh_from_db()
    return series


def make_due(series: PushMessage, ago: datetime.timedelta = MINUTE) -> None:
    """Its next run was due so long ago."""
    at = timezone.now().replace(second=0, microsecond=0) - ago
    PushMessage.objects.filter(pk=series.pk).update(scheduled_at=at, due_at=at)


def runs(series: PushMessage) -> list[PushMessage]:
    return list(series.runs.order_by("pk"))


def test_each_day_sends_a_copy(website: Website) -> None:
    make_subscription(website)
    series = make_series(website)
    assert series.state == MessageState.REPEATING
    assert series.due_at == series.scheduled_at

    make_due(series)
    advance()

    (run,) = runs(series)
    assert (run.state, run.sent_by, run.per_minute, run.repeat) == (MessageState.SENDING, "anna", 600, "")
    assert run.title == "Hello"
    assert Delivery.objects.of(run).count() == 1
    series.refresh_from_db()
    assert (series.state, series.due_at) == (MessageState.REPEATING, run.scheduled_at + DAY)
    assert not Delivery.objects.of(series).exists()
    assert [str(one) for one in invariants.violations()] == []


@pytest.mark.parametrize(
    ("reviewed", "approve_above", "approved_by", "is_sent"),
    [
        (None, None, "", True),
        (4, None, "", True),
        (3, None, "", False),
        (6, 6, "", False),
        (6, 6, "ben", True),
        (3, 6, "ben", False),
    ],
)
def test_a_run_that_has_outgrown_its_review_waits_for_another(
    website: Website, reviewed: int | None, approve_above: int | None, approved_by: str, is_sent: bool
) -> None:
    Website.objects.update(confirm_above=5, approve_above=approve_above)
    for _ in range(7):
        make_subscription(website)
    make_due(series := make_series(website, expected=reviewed, approved_by=approved_by, per_minute=None))
    advance()
    series.refresh_from_db()
    assert (len(runs(series)), Delivery.objects.count()) == ((1, 7) if is_sent else (0, 0))
    assert series.state == MessageState.REPEATING
    assert series.paused_because == ("" if is_sent else "run_outgrown")
    assert series.due_at is not None
    assert series.due_at > timezone.now()
    # Reviewed anew, it starts without that reason.
    series.withdraw_to_draft()
    repeating.start(series)
    series.refresh_from_db()
    assert (series.state, series.paused_because) == (MessageState.REPEATING, "")


def test_a_run_to_a_few_needs_no_other_review(website: Website) -> None:
    Website.objects.update(confirm_above=5)
    for _ in range(5):
        make_subscription(website)
    make_due(series := make_series(website, expected=1))
    advance()
    assert len(runs(series)) == 1
    # Unless one person alone may not even send to so many.
    Website.objects.update(approve_above=4)
    make_due(series)
    advance()
    assert len(runs(series)) == 1
    series.refresh_from_db()
    assert series.paused_because == "run_outgrown"


def test_two_engines_at_once_make_one_run(website: Website) -> None:
    series = make_series(website)
    make_due(series)

    def work() -> None:
        repeating.run_due(False)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(runs(series)) == 1


def test_a_run_that_was_made_is_never_made_again(website: Website) -> None:
    """Even where the appointment was lost, as after the restore of a part."""
    series = make_series(website)
    make_due(series)
    due_at = PushMessage.objects.get(pk=series.pk).due_at
    advance()
    PushMessage.objects.filter(pk=series.pk).update(due_at=due_at)
    advance()
    assert len(runs(series)) == 1
    assert IdempotencyKey.objects.filter(key__startswith=f"run-{series.pk}-").count() == 1


def test_of_missed_runs_only_the_last_waits_for_a_person(website: Website) -> None:
    series = make_series(website)
    make_due(series, 3 * DAY + 60 * MINUTE)
    advance()
    (run,) = runs(series)
    assert run.state == MessageState.HELD
    assert timezone.now() - run.scheduled_at < DAY
    series.refresh_from_db()
    assert timezone.now() < series.due_at <= timezone.now() + DAY


def test_cancelling_ends_it_and_leaves_its_runs(website: Website) -> None:
    make_subscription(website)
    series = make_series(website)
    make_due(series)
    advance()
    assert series.cancel()
    advance()
    make_due(series)
    advance()
    (run,) = runs(series)
    assert run.state == MessageState.SENDING
    assert [str(one) for one in invariants.violations()] == []


def test_it_can_be_taken_back_to_draft_and_started_anew(website: Website) -> None:
    series = make_series(website)
    assert series.withdraw_to_draft()
    make_due(series)
    advance()
    assert runs(series) == []
    series.refresh_from_db()
    repeating.start(series)
    assert series.state == MessageState.REPEATING


def test_valid_until_ends_it(website: Website) -> None:
    series = make_series(website, valid_until=timezone.now() + 3 * DAY)
    make_due(series)
    PushMessage.objects.filter(pk=series.pk).update(valid_until=timezone.now() + MINUTE)
    advance()
    series.refresh_from_db()
    assert (series.state, series.due_at) == (MessageState.FINISHED, None)
    assert len(runs(series)) == 1


def test_one_that_can_not_be_sent_says_so_and_tries_the_next(website: Website) -> None:
    series = make_series(website)
    series.texts.update(message="漢" * 1000)
    make_due(series)
    advance()
    series.refresh_from_db()
    assert (series.paused_because, series.state) == ("run_not_accepted", MessageState.REPEATING)
    assert series.due_at > timezone.now()
    assert PushMessage.objects.count() == 1

    series.texts.update(message="Short")
    make_due(series)
    advance()
    series.refresh_from_db()
    assert series.paused_because == ""
    assert len(runs(series)) == 1


@pytest.mark.parametrize(
    ("fields", "said"), [({"scheduled_at": None}, "first run"), ({"valid_until": timezone.now()}, "before")]
)
def test_what_it_needs(website: Website, fields: dict[str, object], said: str) -> None:
    with pytest.raises(outbox.NotAccepted, match=said):
        make_series(website, **fields)
