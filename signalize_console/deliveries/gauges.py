"""What there is to watch, read from the database in a few cheap statements: for ``/metrics``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from signalize_console.deliveries import health, installation

# Per class: how much is due, and for how long the oldest has been.
DUE = """
SELECT transactional, count(*), coalesce(extract(epoch FROM now() - min(due_at)), 0)::float
FROM messaging_pushmessage
WHERE due_at <= now() AND state IN ('scheduled', 'expanding', 'sending') GROUP BY transactional
"""
ON_THEIR_WAY = ("awaiting_approval", "scheduled", "expanding", "sending", "paused", "held")
STATES = f"SELECT state, count(*) FROM messaging_pushmessage WHERE state IN {ON_THEIR_WAY} GROUP BY state"  # noqa: S608 - our own words
# The last whole minute. Older ones don't change any more, this one isn't over.
ANSWERS = """
SELECT push_service, sum(accepted)::bigint, sum(gone)::bigint, sum(throttled)::bigint, sum(refused)::bigint,
    sum(unanswered)::bigint
FROM deliveries_tally WHERE minute = date_trunc('minute', now()) - interval '1 minute' GROUP BY push_service
"""
ALERTS = "SELECT kind, push_service, count(*) FROM deliveries_alert WHERE ended_at IS NULL GROUP BY 1, 2"
BEATS = f"""
SELECT kind, CASE kind WHEN 'engine' THEN split_part(name, '-', 1) ELSE '' END,
    count(*) FILTER (WHERE {health.LIVES}),
    extract(epoch FROM now() - max(beat_at))::float
FROM deliveries_heartbeat GROUP BY 1, 2
"""  # noqa: S608 - our own words
# Each has its series also where it never gave a sign of life: what isn't there wakes nobody.
NEVER = {(kind, ""): (0, math.inf) for kind in ("beat", "worker")} | {
    ("engine", queue): (0, math.inf) for queue in health.QUEUES
}
# What all must share: how many different keys of each kind are in use, and how many webs lack the newest
# picture.
SHARED = f"""
SELECT count(DISTINCT nullif(key_mark, '')), count(DISTINCT nullif(encryption_mark, '')),
    count(*) FILTER (WHERE missing_picture <> '')
FROM deliveries_heartbeat WHERE {health.LIVES}
"""  # noqa: S608 - our own words
SUBSCRIPTIONS = """
SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'recipients_subscription'::regclass
"""
CHECKED = "SELECT violations, extract(epoch FROM now() - checked_at)::float FROM deliveries_ledgercheck"
# Each goes on every few seconds, whether there is something to read or not.
READERS = "SELECT name, position FROM activity_cursor"
BACKED_UP = "SELECT extract(epoch FROM now() - made_at)::float FROM deliveries_backup"
OUTCOMES = ("accepted", "gone", "throttled", "refused", "unanswered")


@dataclass(frozen=True)
class Gauge:
    """``samples``: the values of ``labels``, and the number."""

    name: str
    help: str
    labels: tuple[str, ...]
    samples: Sequence[tuple[tuple[str, ...], float]]


def read() -> list[Gauge]:
    due = {bool(transactional): (count, age) for transactional, count, age in _rows(DUE)}
    classes = [("transactional", due.get(True, (0, 0.0))), ("marketing", due.get(False, (0, 0.0)))]
    states = dict(_rows(STATES))
    seen = _rows(BEATS, health.SILENT_SECONDS)
    beats = NEVER | {(kind, what): (count, age) for kind, what, count, age in seen}
    checked = _rows(CHECKED)
    [(keys, encryption_keys, missing)] = _rows(SHARED, health.SILENT_SECONDS)
    answers = [
        ((service, outcome), number)
        for service, *numbers in _rows(ANSWERS)
        for outcome, number in zip(OUTCOMES, numbers, strict=True)
    ]
    return [
        Gauge("messages_due", "Push messages that the engine must look at now.", ("class",),
              [((name,), count) for name, (count, _age) in classes]),
        Gauge("messages_due_seconds", "For how long the oldest of them has been due.", ("class",),
              [((name,), age) for name, (_count, age) in classes]),
        Gauge("messages", "Push messages on their way, by state.", ("state",),
              [((state,), states.get(state, 0)) for state in ON_THEIR_WAY]),
        Gauge("answers_per_minute", "What the push services answered in the last whole minute.",
              ("push_service", "outcome"), answers),
        Gauge("alerts_open", "Alerts that are open.", ("kind", "push_service"),
              [((kind, service), count) for kind, service, count in _rows(ALERTS)]),
        Gauge("heartbeat_seconds", "Since the last sign of life; +Inf: none for a day.", ("kind", "class"),
              [(who, age) for who, (_count, age) in beats.items()]),
        Gauge("processes", "Processes that showed a sign of life within 30 seconds.", ("kind", "class"),
              [(who, count) for who, (count, _age) in beats.items()]),
        Gauge("secret_keys", "Different SECRET_KEYs among these processes; all must have the same.", (),
              [((), keys)]),
        Gauge("encryption_keys", "Different key-encryption keys among them; all must have the same.", (),
              [((), encryption_keys)]),
        Gauge("pictures_missing", "Web processes that lack the newest picture.", (), [((), missing)]),
        Gauge("reader_position", "Up to which transaction each has read what happened.", ("reader",),
              [((name,), position) for name, position in _rows(READERS)]),
        Gauge("restored_copy", "1: the database was restored or copied, and nothing is sent from here.", (),
              [((), installation.is_elsewhere())]),
        Gauge("subscriptions", "Subscriptions, living or not; PostgreSQL's own estimate.", (),
              [((), _rows(SUBSCRIPTIONS)[0][0])]),
        Gauge("ledger_violations", "What verify_ledger found the last time, if it ever looked.", (),
              [((), violations) for violations, _age in checked]),
        Gauge("ledger_checked_seconds", "Since verify_ledger last looked.", (),
              [((), age) for _violations, age in checked]),
        Gauge("backup_seconds", "Since manage.py backup last made one, if it ever did.", (),
              [((), age) for (age,) in _rows(BACKED_UP)]),
    ]  # fmt: skip


def _rows(sql: str, *values: float) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall()
