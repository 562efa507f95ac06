"""One key, one deed: what was done under an idempotency key is done once, and answered alike for 30 days.

Key and deed commit together. Twins in flight wait for each other, two seconds at most.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg.errors
from django.db import OperationalError, connection, transaction

from signalize_console.deliveries.models import IdempotencyKey

# One way to and fro: whoever holds the lock is the only one who may act under this key.
LOCK_AND_LOOK = """
SET LOCAL lock_timeout = '2s';
SELECT pg_advisory_xact_lock(%s, hashtext(%s));
SET LOCAL lock_timeout TO DEFAULT;
SELECT fingerprint, answer FROM deliveries_idempotencykey WHERE website_id = %s AND key = %s
"""

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
    with transaction.atomic():
        if not key:
            return Done(act(), replayed=False)
        digest = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).digest()
        if (earlier := _earlier(website_id, key, digest)) is not None:
            return Done(earlier, replayed=True)
        answer = act()
        IdempotencyKey.objects.create(
            website_id=website_id,
            key=key,
            fingerprint=digest,
            push_message_id=answer.get("message_id"),
            answer=answer,
        )
    return Done(answer, replayed=False)


def _earlier(website_id: int, key: str, digest: bytes) -> Answer | None:
    with connection.cursor() as cursor:
        try:
            cursor.execute(LOCK_AND_LOOK, [website_id % 2**31, key, website_id, key])
        except OperationalError as error:
            if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise InFlight("A request with this idempotency key is under way. Repeat it.") from error
            raise
        while cursor.nextset():
            pass
        known = cursor.fetchone()
    if known is None:
        return None
    fingerprint, answer = known
    if bytes(fingerprint) != digest:
        raise KeyReused("This idempotency key was used before with another content. Use a new key.")
    return dict(json.loads(answer))
