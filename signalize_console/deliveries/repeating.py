"""Push messages that repeat: when a run is due, a copy is sent, and the next run gets its appointment.

Both stand in one transaction, and each run has an idempotency key of its own: however often and wherever this
is done, one run is one push message.
"""

import datetime
import logging
from contextlib import suppress

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from signalize_console.audiences import counting
from signalize_console.audiences.tree import BadSegment
from signalize_console.deliveries import outbox
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import MessageState
from signalize_console.recipients.models import Subscription

log = logging.getLogger(__name__)
# A run to more than so many times the number that was reviewed waits for another review, if it is large.
GROWTH = 2
OUTGROWN = "run_outgrown"
MOMENT = datetime.timedelta(microseconds=1)


def start(message: PushMessage) -> None:
    """From now on it repeats; its first run is the next one to come. Raises NotAccepted."""
    if message.scheduled_at is None:
        raise outbox.NotAccepted(_("A message that repeats needs the time of its first run. Give one."))
    _run_for, starts_at = message.next_run(timezone.now())
    if message.valid_until is not None and message.valid_until <= starts_at:
        raise outbox.NotAccepted(_("“Valid until” lies before the first run. Give a later one."))
    reviewed = {name: getattr(message, name) for name in ("sent_by", "approved_by", "expected")}
    if not message.move_to(MessageState.REPEATING, due_at=starts_at, paused_because="", **reviewed):
        raise outbox.NotAccepted(_("This push message was sent or withdrawn already."))


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
    problem = OUTGROWN if _has_outgrown(series) else ""
    try:
        if not problem:
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


def _has_outgrown(series: PushMessage) -> bool:
    """Whether far more would get it than somebody reviewed, or so many that a second person must be asked."""
    website = series.website
    if series.expected is None:
        return False
    reach, limit = _reach(series), website.approve_above
    if limit is not None and reach > limit and not series.approved_by:
        return True
    return reach > max(website.confirm_above, GROWTH * series.expected)


def _reach(series: PushMessage) -> int:
    """How many get it now; at most so many, where it takes too long to find out."""
    tree = series.audience_tree
    if tree is not None:
        with suppress(BadSegment, counting.TooSlow):
            return counting.count(series.website, tree, timezone.now())
    return Subscription.objects.active().filter(website=series.website).count()


def _send_copy(series: PushMessage, run_for: datetime.datetime) -> None:
    run, texts = series.copy()
    run.repeats, run.sent_by, run.approved_by = series, series.sent_by, series.approved_by
    run.scheduled_at, run.time_zone, run.in_local_time = run_for, series.time_zone, series.in_local_time
    run.valid_until = series.valid_until
    excluded = list(series.excluded_segments.all())
    outbox.send(run, texts, excluded=excluded, idempotency_key=f"run-{series.pk}-{run_for:%Y%m%dT%H%MZ}")
