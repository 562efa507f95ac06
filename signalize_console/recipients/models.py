"""Recipient: a browser profile, known by its pseudonymous id. Subscription: a push subscription of it.
Consent: who agreed to what, and when.
"""

import hashlib
import secrets
from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from signalize_console.recipients.imports import Import, ImportChunk, ImportRefusal, ImportRow
from signalize_console.websites.models import VapidKey, Website

__all__ = [
    "Consent",
    "ConsentKind",
    "Import",
    "ImportChunk",
    "ImportRefusal",
    "ImportRow",
    "Recipient",
    "Subscription",
    "SubscriptionState",
]

CLIENT_ID = r"^[0-9a-f]{32}$"


def make_client_id() -> str:
    return secrets.token_hex(16)


def endpoint_hash(endpoint: str) -> bytes:
    return hashlib.sha256(endpoint.encode()).digest()


class RecipientQuerySet(models.QuerySet["Recipient"]):
    def known_as(self, ids: Iterable[str]) -> "RecipientQuerySet":
        """Those with one of these recipient ids or customer ids, whole, on any website: found by index."""
        wanted = list(ids)
        websites = list(Website.objects.values_list("pk", flat=True))
        by_id = models.Q(client_id__in=wanted) | models.Q(customer_id__in=wanted)
        return self.filter(by_id, website__in=websites)


class Recipient(models.Model):
    """``client_id`` is the value of the cookie ``_et_coid``: 32 hex digits.

    ``customer_verified`` says that the site's backend signed the customer id.
    """

    website = models.ForeignKey(Website, models.PROTECT, related_name="recipients", verbose_name=_("website"))
    client_id = models.CharField(
        _("recipient id"), max_length=32, default=make_client_id, validators=[RegexValidator(CLIENT_ID)]
    )
    customer_id = models.CharField(_("customer id"), max_length=128, blank=True)
    customer_verified = models.BooleanField(_("customer id is signed"), db_default=False, default=False)
    language = models.CharField(_("language"), max_length=35, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    interests = ArrayField(
        models.CharField(max_length=64), verbose_name=_("interests"), db_default=[], default=list, blank=True
    )
    # Until then the visitor wants no marketing; transactional messages still go.
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True, editable=False)
    # The import that made it, as long as nobody has touched it since.
    from_import = models.ForeignKey(Import, models.SET_NULL, null=True, db_index=False, editable=False)
    created_at = models.DateTimeField(_("first seen"), db_default=Now(), editable=False)
    seen_at = models.DateTimeField(_("last seen"), db_default=Now(), editable=False)

    objects = RecipientQuerySet.as_manager()

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        permissions = [("export_recipient", _("Can export all that is stored of a recipient"))]
        constraints = [
            models.UniqueConstraint(fields=["website", "client_id"], name="unique_recipient_of_website")
        ]
        indexes = [
            models.Index(
                fields=["website", "customer_id"],
                condition=~models.Q(customer_id=""),
                name="recipient_by_customer_id",
            ),
            GinIndex(
                OpClass("attributes", name="jsonb_path_ops"), name="recipient_by_attributes", fastupdate=False
            ),
            GinIndex(fields=["interests"], name="recipient_by_interests", fastupdate=False),
            models.Index(
                fields=["from_import", "id"],
                condition=~models.Q(from_import=None),
                name="recipient_from_import",
            ),
        ]

    def __str__(self) -> str:
        return self.client_id


class SubscriptionState(models.TextChoices):
    ACTIVE = "active", _("active")
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
    QUARANTINED = "quarantined", _("gone, kept for a week")
    EXPIRED = "expired", _("expired")


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def active(self) -> "SubscriptionQuerySet":
        return self.filter(state=SubscriptionState.ACTIVE)

    def end(self, state: SubscriptionState, reason: str) -> int:
        """Ends the active ones among these, and says how many that were."""
        return self.active().update(state=state, ended_at=Now(), ended_reason=reason)


class Subscription(models.Model):
    """A push subscription (RFC 8030). The endpoint is a secret: who knows it and the key may push."""

    website = models.ForeignKey(
        Website, models.PROTECT, related_name="subscriptions", verbose_name=_("website")
    )
    recipient = models.ForeignKey(
        Recipient, models.CASCADE, related_name="subscriptions", verbose_name=_("recipient")
    )
    vapid_key = models.ForeignKey(VapidKey, models.PROTECT, verbose_name=_("VAPID key"))
    endpoint = models.TextField()
    endpoint_hash = models.BinaryField(max_length=32)
    p256dh = models.CharField(max_length=87)
    auth = models.CharField(max_length=22)
    push_service = models.CharField(_("push service"), max_length=16)
    platform = models.CharField(_("platform"), max_length=16, db_default="", default="", blank=True)
    state = models.CharField(
        _("state"), max_length=16, choices=SubscriptionState, default=SubscriptionState.ACTIVE
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_reason = models.CharField(_("why it ended"), max_length=64, blank=True)
    # Made with another key, says the push service: nothing is sent until the browser subscribes anew.
    key_mismatch_at = models.DateTimeField(_("key refused"), null=True, blank=True, editable=False)
    # The import that made it, as long as its browser has not come back.
    from_import = models.ForeignKey(Import, models.SET_NULL, null=True, db_index=False, editable=False)
    created_at = models.DateTimeField(_("subscribed"), db_default=Now(), editable=False)
    seen_at = models.DateTimeField(_("last seen"), db_default=Now(), editable=False)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["website", "endpoint_hash"], name="unique_endpoint_of_website"),
            models.CheckConstraint(
                condition=models.Q(state="active", ended_at=None) | ~models.Q(state="active"),
                name="active_subscription_has_not_ended",
            ),
        ]
        indexes = [
            models.Index(
                fields=["website", "id"], condition=models.Q(state="active"), name="active_subscriptions"
            ),
            models.Index(
                fields=["from_import", "id"],
                condition=~models.Q(from_import=None),
                name="subscription_from_import",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.push_service} {bytes(self.endpoint_hash).hex()[:8]}"


class ConsentKind(models.TextChoices):
    GIVEN = "given", _("given")
    WITHDRAWN = "withdrawn", pgettext_lazy("consent", "withdrawn")


class Consent(models.Model):
    """One line of the consent log. Only ever inserted; it outlives an erased recipient.

    ``client_id_hash`` is the SHA-256 of the recipient id: found by who shows the id, and a list of nobody.
    """

    website = models.ForeignKey(Website, models.PROTECT, verbose_name=_("website"))
    client_id_hash = models.BinaryField(max_length=32)
    kind = models.CharField(_("consent"), max_length=16, choices=ConsentKind)
    text_version = models.CharField(_("version of the text"), max_length=64, blank=True)
    origin = models.CharField(_("origin"), max_length=255, blank=True)
    occurred_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consent log")
        indexes = [models.Index(fields=["client_id_hash"], name="consent_of_recipient")]

    def __str__(self) -> str:
        return f"{self.kind} {self.occurred_at:%Y-%m-%d %H:%M}"
