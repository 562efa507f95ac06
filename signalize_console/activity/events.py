"""Recording an event that isn't a report about a delivery."""

from typing import Any

from django.utils import timezone

from signalize_console.activity.models import Event, EventKind
from signalize_console.recipients.models import Recipient


def record(kind: EventKind, recipient: Recipient, **properties: Any) -> Event:
    return Event.objects.create(
        day=timezone.now().date(),
        website_id=recipient.website_id,
        recipient=recipient,
        kind=kind,
        properties=properties,
    )
