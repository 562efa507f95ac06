"""What one does with an endpoint: make it, change its secret, switch it off and on, tell it once more."""

import datetime
from collections.abc import Iterable
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from signalize_console.webhooks import signing
from signalize_console.webhooks.models import (
    Disabled,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookKind,
    WebhookState,
)
from signalize_console.websites.models import Website
from signalize_console.websites.sealing import seal

CHANGE_OVER = datetime.timedelta(hours=24)
TRIED_FOR = datetime.timedelta(days=3)


class Made(NamedTuple):
    """``secret`` is told here and never again: ``whsec_…``."""

    endpoint: WebhookEndpoint
    secret: str


def create(website: Website, url: str, kinds: Iterable[str]) -> Made:
    """Raises ValidationError with the fields ``url`` and ``kinds``."""
    endpoint = WebhookEndpoint(website=website, url=url, kinds=sorted(set(kinds)))
    secret = give_secret(endpoint)
    check(endpoint)
    endpoint.save()
    return Made(endpoint, secret)


def change(endpoint: WebhookEndpoint, *, url: str | None = None, kinds: Iterable[str] | None = None) -> None:
    """Raises ValidationError with the fields ``url`` and ``kinds``."""
    endpoint.url = endpoint.url if url is None else url
    endpoint.kinds = endpoint.kinds if kinds is None else sorted(set(kinds))
    check(endpoint)
    endpoint.save(update_fields=["url", "kinds"])


def check(endpoint: WebhookEndpoint) -> None:
    endpoint.clean_fields(exclude=["website"])
    if not endpoint.kinds:
        known = ", ".join(WebhookKind.values)
        raise ValidationError({"kinds": _("Choose at least one of: %s.") % known})


def give_secret(endpoint: WebhookEndpoint) -> str:
    """For an endpoint that isn't saved yet."""
    secret = signing.make_secret()
    endpoint.sealed_secret = seal(secret, str(endpoint.public_id))
    return signing.as_text(secret)


def rotate_secret(endpoint: WebhookEndpoint) -> str:
    """The new secret. For 24 hours requests are signed with both."""
    former = endpoint.sealed_secret
    secret = give_secret(endpoint)
    endpoint.sealed_former_secret, endpoint.former_until = former, timezone.now() + CHANGE_OVER
    endpoint.save(update_fields=["sealed_secret", "sealed_former_secret", "former_until"])
    return secret


def disable(endpoint: WebhookEndpoint) -> None:
    """What waits stays for as long as it is tried; what happens from now on isn't told."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk, active=True).update(
        active=False, disabled_because=Disabled.BY_HAND
    )
    endpoint.refresh_from_db()


def enable(endpoint: WebhookEndpoint) -> None:
    """It is told what happens from now on, and what still waits."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk, active=False).update(
        active=True,
        active_since=Now(),
        disabled_because="",
        failing_since=None,
        failures=0,
        rests_until=Now(),
    )
    endpoint.refresh_from_db()


def redeliver(deliveries: QuerySet[WebhookDelivery]) -> int:
    """Tells those of these that have ended once more, under their old ids. Returns how many."""
    return deliveries.filter(state__in=[WebhookState.DELIVERED, WebhookState.FAILED]).update(
        state=WebhookState.PENDING,
        due_at=Now(),
        give_up_at=Now() + TRIED_FOR,
        attempts=0,
        reason="",
        answer="",
    )
