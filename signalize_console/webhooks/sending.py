"""From a claimed event to a signed request, and from a receiver's answer to a result."""

import datetime
import json
import random
import time
from typing import Any

from signalize_console.recipients.models import Recipient
from signalize_console.webhooks import signing
from signalize_console.webhooks.ledger import LEASE_SECONDS, Claimed, Result
from signalize_console.webhooks.models import WebhookDelivery, WebhookEndpoint
from signalize_console.webhooks.wire import REQUEST_SECONDS, Post
from signalize_console.webpush.outcomes import retry_after
from signalize_console.webpush.transport import Answer

FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 6 * 3600.0
# A request handed over later than this could still be under way when the lease ends.
HAND_OVER_SECONDS = LEASE_SECONDS - REQUEST_SECONDS - 1
GONE = 410
SHORTEST_REST = 1.0


def payload(delivery: Claimed) -> dict[str, Any]:
    """What is told of an event: docs/webhooks.md."""
    data = {
        "messageId": delivery.push_message_id,
        "deliveryId": delivery.delivery_id,
        "clientId": delivery.client_id,
        "customerId": delivery.customer_id or None,
        **json.loads(delivery.facts),
    }
    at = delivery.occurred_at.astimezone(datetime.UTC)
    return {
        "type": delivery.kind,
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
        "data": {name: value for name, value in data.items() if value is not None},
    }


def payload_of(row: WebhookDelivery) -> str:
    """What is told of a row of the log, as it would be told now; for people, so indented."""
    recipient = Recipient.objects.filter(pk=row.recipient_id).first() if row.recipient_id else None
    claimed = Claimed(
        *(row.id, row.attempts, row.endpoint_id, row.webhook_id, row.kind, json.dumps(row.facts)),
        *(row.occurred_at, row.push_message_id, row.delivery_id),
        *((recipient.client_id, recipient.customer_id) if recipient else (None, None)),
    )
    return json.dumps(payload(claimed), ensure_ascii=False, indent=2)


def request_for(delivery: Claimed, endpoint: WebhookEndpoint, claimed_at: float) -> Post:
    """``claimed_at`` is monotonic. Raises ImproperlyConfigured if the secret can't be opened."""
    body = json.dumps(payload(delivery), ensure_ascii=False, separators=(",", ":")).encode()
    now = time.time()
    signed = signing.headers(delivery.webhook_id, int(now), body, endpoint.secrets(now))
    return Post(delivery, endpoint.url, body, signed, claimed_at + HAND_OVER_SECONDS)


def result_of(answer: Answer) -> Result:
    """Taken is 2xx, and nothing else. A refusal of this one event (4xx) doesn't put the endpoint to rest."""
    delivery: Claimed = answer.request.id
    status, milliseconds = answer.status, int(answer.seconds * 1000)
    text = (answer.error or answer.text)[:500].replace("\0", "")
    if 200 <= status < 300:
        return Result(delivery, True, status, answer=text, milliseconds=milliseconds)
    wait = retry_after(answer.headers.get("retry-after", ""))
    asked = wait or 0.0
    refused = 400 <= status < 500 and status not in {408, 425, 429}
    return Result(
        delivery,
        False,
        status,
        reason_of(answer),
        text,
        milliseconds,
        delay=max(asked, backoff(delivery.attempts)),
        rest=max(asked, 0.0 if refused else SHORTEST_REST),
        gone=status == GONE,
    )


def reason_of(answer: Answer) -> str:
    if not answer.status:
        return answer.error[:32]
    return "redirect" if 300 <= answer.status < 400 else f"status_{answer.status}"


def backoff(attempts: int) -> float:
    """10 s, 40 s, 160 s … at most 6 hours, a fifth more or less."""
    longest = min(LONGEST_BACKOFF, FIRST_BACKOFF * 4 ** min(attempts - 1, 16))
    return longest * random.uniform(0.8, 1.2)  # noqa: S311 - spreading load, not a secret
