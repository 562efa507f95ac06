"""Push messages that repeat: when a run is due, a copy is sent, and the next run gets its appointment.

Both stand in one transaction, and each run has an idempotency key of its own: however often and wherever this
is done, one run is one push message.
"""

import datetime
import logging

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from signalize_console.deliveries import outbox
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import MessageState

log = logging.getLogger(__name__)
MOMENT = datetime.timedelta(microseconds=1)


def start(message: PushMessage) -> None:
    """From now on it repeats; its first run is the next one to come. Raises NotAccepted."""
    if message.scheduled_at is None:
        raise outbox.NotAccepted("A message that repeats needs the time of its first run. Give one.")
    _run_for, starts_at = message.next_run(timezone.now())
    if message.valid_until is not None and message.valid_until <= starts_at:
        raise outbox.NotAccepted("validUntil lies before the first run. Give a later one.")
    by, approved_by = message.sent_by, message.approved_by
    if not message.move_to(MessageState.REPEATING, due_at=starts_at, sent_by=by, approved_by=approved_by):
        raise outbox.NotAccepted("This push message was sent or withdrawn already.")


def run_due(transactional: bool) -> bool:
    """Sends one run whose time has come. True: there may be more."""
    due = PushMessage.objects.filter(
        state=MessageState.REPEATING, transactional=transactional, due_at__lte=Now()
    ).order_by("due_at")
    if not due.values_list("pk").first():
        return False
    with transaction.atomic():
        series = due.select_for_update(skip_locked=True).first()
        if series is None or series.due_at is None:
            return False
        _send_run(series, series.due_at)
    return True


def _send_run(series: PushMessage, due_at: datetime.datetime) -> None:
    """Of the runs that were missed only the last one is sent: held for a person, if it is late."""
    now = timezone.now()
    run_for, starts_at = series.next_run(due_at - MOMENT)
    while (following := series.next_run(starts_at))[1] <= now:
        run_for, starts_at = following
    problem = ""
    try:
        with transaction.atomic():
            _send_copy(series, run_for)
    except outbox.NotAccepted as error:
        ids = {"push_message_id": series.pk}
        log.warning("A run of push message %s was not accepted: %s", series.pk, error, extra=ids)
        problem = "run_not_accepted"
    is_over = series.valid_until is not None and series.valid_until <= following[1]
    if is_over:
        series.move_to(MessageState.FINISHED, due_at=None, finished_at=Now(), paused_because=problem)
    else:
        PushMessage.objects.filter(pk=series.pk).update(due_at=following[1], paused_because=problem)


def _send_copy(series: PushMessage, run_for: datetime.datetime) -> None:
    run, texts = series.copy()
    run.repeats, run.sent_by, run.approved_by = series, series.sent_by, series.approved_by
    run.scheduled_at, run.time_zone, run.in_local_time = run_for, series.time_zone, series.in_local_time
    run.valid_until = series.valid_until
    excluded = list(series.excluded_segments.all())
    outbox.send(run, texts, excluded=excluded, idempotency_key=f"run-{series.pk}-{run_for:%Y%m%dT%H%MZ}")
