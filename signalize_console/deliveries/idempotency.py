"""One key, one deed: what was done under an idempotency key is done once, and answered alike for 30 days.

Key and deed commit together. Twins in flight wait for each other, two seconds at most.
"""

import hashlib
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg.errors
from django.db import OperationalError, connection, transaction

from signalize_console.deliveries.models import IdempotencyKey

# One way to and fro. Who holds the lock may act under this key; the others look what came of it.
LOOK = """
SELECT pg_try_advisory_xact_lock(%(website)s, hashtext(%(key)s));
SELECT fingerprint, answer FROM deliveries_idempotencykey WHERE website_id = %(website_id)s AND key = %(key)s
"""
# Shared: when the one who acts has ended, all who wait go on at once.
WAIT = """
SELECT set_config('lock_timeout', %(milliseconds)s, true);
SELECT pg_advisory_xact_lock_shared(%(website)s, hashtext(%(key)s))
"""
LONGEST_WAIT = 2.0

Answer = dict[str, Any]


class NotAccepted(ValueError):
    """It can't be done as it is asked for; nothing was stored. ``str()`` says why and what to do."""


class KeyReused(NotAccepted):
    """The idempotency key was used before, for something else."""


class InFlight(NotAccepted):
    """A request with this key has been under way for longer than we wait."""


@dataclass(frozen=True)
class Done:
    answer: Answer
    replayed: bool


def once(website_id: int, key: str, fingerprint: object, act: Callable[[], Answer]) -> Done:
    """Acts, in one transaction, unless this key was used before: then it answers as it did then.

    ``fingerprint`` is anything that JSON can say of the request: a repeat with another one raises KeyReused.
    ``act`` gives a JSON object; its ``message_id``, where it has one, is the push message that was made.
    Without a key it just acts.
    """
    if not key:
        with transaction.atomic():
            return Done(act(), replayed=False)
    digest = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).digest()
    end = time.monotonic() + LONGEST_WAIT
    while True:
        with transaction.atomic():
            is_ours, earlier = _look(website_id, key, digest)
            if earlier is not None:
                return Done(earlier, replayed=True)
            if is_ours:
                answer = act()
                IdempotencyKey.objects.create(
                    website_id=website_id,
                    key=key,
                    fingerprint=digest,
                    push_message_id=answer.get("message_id"),
                    answer=answer,
                )
                return Done(answer, replayed=False)
            _wait(website_id, key, end - time.monotonic())
        # Those who waited in vain, because the one who acted failed, don't all try again at one moment.
        time.sleep(random.uniform(0.0, 0.02))  # noqa: S311 - no secret


def _look(website_id: int, key: str, digest: bytes) -> tuple[bool, Answer | None]:
    """Whether it is on us to act, and the earlier answer, if there is one."""
    values: dict[str, int | str] = {"website": website_id % 2**31, "website_id": website_id, "key": key}
    with connection.cursor() as cursor:
        cursor.execute(LOOK, values)
        (is_ours,) = cursor.fetchone()
        cursor.nextset()
        known = cursor.fetchone()
    if known is None:
        return is_ours, None
    fingerprint, answer = known
    if bytes(fingerprint) != digest:
        raise KeyReused("This idempotency key was used before with another content. Use a new key.")
    return is_ours, dict(json.loads(answer))


def _wait(website_id: int, key: str, seconds: float) -> None:
    """Until the one who acts under this key has ended; raises InFlight."""
    limit = str(max(1, int(seconds * 1000)))
    try:
        with connection.cursor() as cursor:
            cursor.execute(WAIT, {"website": website_id % 2**31, "key": key, "milliseconds": limit})
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise InFlight("A request with this idempotency key is under way. Repeat it.") from error
        raise
    if seconds <= 0:
        raise InFlight("A request with this idempotency key is under way. Repeat it.")
