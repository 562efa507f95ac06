"""From a claimed delivery to a request, and from a push service's answer to a result."""

import functools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from signalize_console.deliveries import tokens
from signalize_console.deliveries.ledger import LEASE_SECONDS, Claimed, Result
from signalize_console.messaging import rendering
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import SubscriptionState
from signalize_console.webpush.encryption import BadSubscriptionKeys, PayloadTooLarge, encrypt
from signalize_console.webpush.outcomes import Outcome, outcome_of
from signalize_console.webpush.push_services import EndpointRefused, PushServices
from signalize_console.webpush.transport import Answer, PushRequest, Transport
from signalize_console.webpush.vapid import Signer
from signalize_console.websites.models import VapidKey

REQUEST_SECONDS = 15
# A request handed over later than this could still be under way when the lease ends.
HAND_OVER_SECONDS = LEASE_SECONDS - REQUEST_SECONDS - 1
MIN_TTL = 60
FIRST_BACKOFF, LONGEST_BACKOFF = 2.0, 900.0
CONFIGURATION_DELAY, MISMATCH_DELAY = 60.0, 6 * 3600.0


@functools.cache
def push_services() -> PushServices:
    return PushServices.from_text(settings.PUSH_SERVICES)


def make_transport() -> Transport:
    return Transport(push_services(), ca_file=settings.PUSH_SERVICES_CA or None, timeout=REQUEST_SECONDS)


@functools.lru_cache(maxsize=256)
def _signer(vapid_key_id: int) -> Signer:
    key = VapidKey.objects.select_related("website").get(pk=vapid_key_id)
    return Signer(key.private_key, key.website.contact)


@dataclass(frozen=True)
class Prepared:
    """A running push message: its content can't change any more, so a worker reads it once."""

    message: PushMessage
    texts: Sequence[Any]
    contents: dict[str, dict[str, Any]]
    expires: float

    def content(self, language: str) -> dict[str, Any]:
        if language not in self.contents:
            self.contents[language] = rendering.notification(
                self.message, rendering.text_for(self.texts, language)
            )
        return self.contents[language]


@functools.lru_cache(maxsize=256)
def prepared(message_id: int) -> Prepared:
    message = PushMessage.objects.get(pk=message_id)
    return Prepared(message, list(message.texts.all()), {}, message.expires_at.timestamp())


def request_for(delivery: Claimed, claimed_at: float) -> PushRequest | Result:
    """The request, or at once the result where there is nothing to post. ``claimed_at`` is monotonic."""
    if delivery.subscription_state != SubscriptionState.ACTIVE:
        return Result(delivery, "cancelled", "not_sent", f"subscription_{delivery.subscription_state}")
    message = prepared(delivery.push_message_id)
    content = message.content(delivery.language)
    plaintext = rendering.payload(content, tokens.make(delivery.id, delivery.day), message.expires)
    try:
        endpoint = push_services().parse(delivery.endpoint)
        body = encrypt(plaintext, delivery.p256dh, delivery.auth)
    except (BadSubscriptionKeys, EndpointRefused, PayloadTooLarge) as error:
        return Result(delivery, "failed", "not_sent", type(error).__name__, answer=str(error))
    return PushRequest(
        id=delivery,
        endpoint=endpoint,
        body=body,
        authorization=_signer(delivery.vapid_key_id).authorization(endpoint.origin),
        ttl=max(MIN_TTL, min(message.message.ttl, int(message.expires - time.time()))),
        urgency=message.message.urgency,
        topic=message.message.topic or None,
        deadline=claimed_at + HAND_OVER_SECONDS,
    )


def result_of(answer: Answer, transactional: bool) -> Result:
    """Sorts an answer by what must be done with the delivery."""
    delivery: Claimed = answer.request.id
    verdict = outcome_of(
        answer.request.endpoint.service,
        answer.status,
        text=answer.text,
        headers=answer.headers,
        sent=answer.sent,
        error=answer.error,
    )
    state, delay = "pending", 0.0
    match verdict.outcome:
        case Outcome.ACCEPTED:
            state = "accepted"
        case Outcome.GONE:
            state = "gone"
        case Outcome.MESSAGE_REJECTED:
            state = "failed"
        case Outcome.UNCERTAIN if not transactional:
            state = "unknown"
        case Outcome.CONFIGURATION:
            delay = verdict.retry_after or CONFIGURATION_DELAY
        case Outcome.KEY_MISMATCH:
            delay = MISMATCH_DELAY
        case Outcome.RETRY | Outcome.UNCERTAIN:
            delay = verdict.retry_after or _backoff(delivery.attempts)
    return Result(
        delivery,
        state,
        str(verdict.outcome),
        verdict.reason,
        answer.status,
        delay,
        answer.error or answer.text,
        int(answer.seconds * 1000),
    )


def _backoff(attempts: int) -> float:
    """Full jitter: anywhere between a second and the doubled wait."""
    longest = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempts, 16))
    return random.uniform(1.0, longest)  # noqa: S311 - spreading load, not a secret
