"""From a claimed delivery to a request, and from a push service's answer to a result."""

import base64
import functools
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from django.conf import settings

from signalize_console.deliveries import tokens
from signalize_console.deliveries.ledger import LEASE_SECONDS, Claimed, Result
from signalize_console.messaging import rendering
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.placeholders import MissingValue
from signalize_console.recipients.identity import person
from signalize_console.recipients.models import SubscriptionState
from signalize_console.webpush.encryption import BadSubscriptionKeys, PayloadTooLarge, encrypt
from signalize_console.webpush.outcomes import Outcome, Verdict, outcome_of
from signalize_console.webpush.push_services import LONGEST_ENDPOINT, EndpointRefused, PushServices
from signalize_console.webpush.transport import Answer, PushRequest, Transport
from signalize_console.webpush.vapid import Signer
from signalize_console.websites.models import VapidKey

REQUEST_SECONDS = 15
# A request handed over later than this could still be under way when the lease ends.
HAND_OVER_SECONDS = LEASE_SECONDS - REQUEST_SECONDS - 1
MIN_TTL = 60
ENDS = {Outcome.ACCEPTED: "accepted", Outcome.GONE: "gone", Outcome.MESSAGE_REJECTED: "failed"}
# Where a message that waits for its browser can be deleted (RFC 8030 §6.2).
KEEPS_MESSAGE_URLS = {"mozilla", "other"}
FIRST_BACKOFF, LONGEST_BACKOFF = 2.0, 900.0
CONFIGURATION_DELAY, MISMATCH_DELAY, YOUNG_DELAY = 60.0, 6 * 3600.0, 60.0
# Browsers report what they showed at random within so many seconds: a large audience must not come at once.
REPORTS_A_SECOND, LONGEST_SPREAD = 500, 25


@functools.cache
def push_services() -> PushServices:
    return PushServices.from_text(settings.PUSH_SERVICES)


def make_transport() -> Transport:
    return Transport(push_services(), ca_file=settings.PUSH_SERVICES_CA or None, timeout=REQUEST_SECONDS)


@functools.lru_cache(maxsize=256)
def signer(vapid_key_id: int) -> Signer:
    key = VapidKey.objects.select_related("website").get(pk=vapid_key_id)
    return Signer(key.private_key, key.website.contact)


@dataclass(frozen=True)
class Prepared:
    """A running push message: its content can't change any more, so a worker reads it once."""

    message: PushMessage
    texts: Sequence[Any]
    contents: dict[tuple[str, str], dict[str, Any]]
    expires: float
    topic: str | None
    spread: int
    verified_only: bool

    def content(self, language: str, variant: str = "", values: str | None = None) -> dict[str, Any]:
        """Once a language and variant, unless it has placeholders; raises MissingValue."""
        if values is not None:
            text = rendering.text_for(self.texts, language, variant)
            return rendering.notification(self.message, text, json.loads(values))
        if (language, variant) not in self.contents:
            text = rendering.text_for(self.texts, language, variant)
            self.contents[language, variant] = rendering.notification(self.message, text)
        return self.contents[language, variant]


@functools.lru_cache(maxsize=256)
def prepared(message_id: int) -> Prepared:
    message = PushMessage.objects.select_related("website").get(pk=message_id)
    return Prepared(
        message,
        list(message.texts.all()),
        {},
        message.expires_at.timestamp(),
        topic_of(message),
        min(message.total // REPORTS_A_SECOND, LONGEST_SPREAD),
        message.transactional and message.website.verification_required,
    )


def topic_of(message: PushMessage) -> str | None:
    """The Topic on the wire. A marketing message without one gets its own, so that it can be called back.

    Not so a transactional one: FCM keeps four topics a device and drops the others while it is away.
    """
    if message.topic or message.transactional:
        return message.topic or None
    digest = hashlib.sha256(f"push message {message.pk}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def request_for(delivery: Claimed, claimed_at: float) -> PushRequest | Result:
    """The request, or at once the result where there is nothing to post. ``claimed_at`` is monotonic."""
    if delivery.subscription_state != SubscriptionState.ACTIVE:
        return Result(delivery, "cancelled", "not_sent", f"subscription_{delivery.subscription_state}")
    if delivery.is_mismatched:
        return Result(delivery, "pending", "not_sent", "vapid_key_mismatch", delay=MISMATCH_DELAY)
    message = prepared(delivery.push_message_id)
    if message.verified_only and not delivery.customer_verified:
        return Result(delivery, "suppressed", "not_sent", "customer_not_verified")
    try:
        endpoint = push_services().parse(delivery.endpoint)
        body = encrypt(_plaintext(message, delivery), delivery.p256dh, delivery.auth)
    except (BadSubscriptionKeys, EndpointRefused, PayloadTooLarge) as error:
        return Result(delivery, "failed", "not_sent", type(error).__name__, answer=str(error))
    except MissingValue:
        return Result(delivery, "suppressed", "not_sent", "value_missing")
    return PushRequest(
        id=delivery,
        endpoint=endpoint,
        body=body,
        authorization=signer(delivery.vapid_key_id).authorization(endpoint.origin),
        ttl=max(MIN_TTL, min(message.message.ttl, int(delivery.seconds_left))),
        urgency=message.message.urgency,
        topic=message.topic,
        deadline=claimed_at + min(HAND_OVER_SECONDS, delivery.seconds_left),
    )


def _plaintext(message: Prepared, delivery: Claimed) -> bytes:
    return rendering.payload(
        message.content(delivery.language, delivery.variant, delivery.values),
        tokens.make(delivery.id, delivery.day),
        message.expires,
        spread=message.spread,
        person=person(delivery.website_id, delivery.customer_id) if message.message.transactional else "",
        declarative=delivery.push_service == "apple",
    )


def result_of(answer: Answer, transactional: bool, *, is_fine_elsewhere: bool = False) -> Result:
    """Sorts an answer by what must be done with the delivery.

    ``is_fine_elsewhere``: the push service takes what we send to others with the same key.
    """
    delivery: Claimed = answer.request.id
    service = answer.request.endpoint.service
    verdict = outcome_of(
        service, answer.status, text=answer.text, headers=answer.headers, sent=answer.sent, error=answer.error
    )
    if verdict.outcome == Outcome.CONFIGURATION and is_fine_elsewhere and delivery.attempts > 1:
        verdict = Verdict(Outcome.KEY_MISMATCH, "vapid_key_mismatch")
    state, reason, delay = _consequence(verdict, delivery, transactional)
    return Result(
        delivery,
        state,
        str(verdict.outcome),
        reason,
        answer.status,
        delay,
        answer.error or answer.text or " ".join(f"{name}: {value}" for name, value in answer.headers.items()),
        int(answer.seconds * 1000),
        _message_url(answer) if state == "accepted" and service in KEEPS_MESSAGE_URLS else "",
        verdict.wait or 0.0,
        verdict.is_outage,
    )


def _consequence(verdict: Verdict, delivery: Claimed, transactional: bool) -> tuple[str, str, float]:
    """The delivery's next state, its reason, and in how many seconds a pending one is tried again."""
    if verdict.outcome == Outcome.GONE and delivery.is_young and delivery.attempts == 1:
        # Push services are known to say so of subscriptions that they don't know everywhere yet.
        return "pending", "gone_too_early", YOUNG_DELAY
    if verdict.outcome == Outcome.UNCERTAIN and not transactional:
        return "unknown", verdict.reason, 0.0
    if state := ENDS.get(verdict.outcome):
        return state, verdict.reason, 0.0
    return "pending", verdict.reason, _wait(verdict, delivery.attempts)


def _wait(verdict: Verdict, attempts: int) -> float:
    if verdict.reason == "stopped":
        return 0.0
    if verdict.outcome == Outcome.KEY_MISMATCH:
        return MISMATCH_DELAY
    if verdict.outcome == Outcome.CONFIGURATION:
        return verdict.wait or CONFIGURATION_DELAY
    return _later(verdict.wait) or _backoff(attempts)


def _later(wait: float | None) -> float:
    """Never earlier than asked, and not all at the same moment."""
    return wait + random.uniform(0.0, min(30.0, wait / 4)) if wait else 0.0  # noqa: S311 - no secret


def _backoff(attempts: int) -> float:
    """Full jitter: anywhere between a second and the doubled wait."""
    longest = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempts, 16))
    return random.uniform(1.0, longest)  # noqa: S311 - spreading load, not a secret


def _message_url(answer: Answer) -> str:
    url = urljoin(answer.request.endpoint.origin, answer.headers.get("location", ""))
    return url if len(url) <= LONGEST_ENDPOINT else ""
