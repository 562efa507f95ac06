"""WebhookEndpoint: where a website's events are told. WebhookDelivery: one event on its way there."""

import uuid
from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from signalize_console.websites.origins import validate_link
from signalize_console.websites.sealing import unseal

LONGEST_URL = 1_000


class WebhookKind(models.TextChoices):
    ACCEPTED = "accepted", _("accepted by the push service")
    FAILED = "failed", _("failed")
    SHOWN = "shown", _("shown")
    CLICKED = "clicked", _("clicked")
    CLOSED = "closed", _("closed")
    SUBSCRIBED = "subscribed", _("subscribed")
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
    FINISHED = "finished", _("push message finished")


class Disabled(models.TextChoices):
    BY_HAND = "by_hand", _("switched off by a person")
    GONE = "gone", _("answered 410 Gone: it doesn't want to be told any more")
    FAILING = "failing", _("failed for 3 days")


def validate_url(url: str) -> None:
    validate_link(url)
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.fragment:
        raise ValidationError(
            _("%(url)s isn't an address for webhooks. Give an https:// address without #."),
            params={"url": url[:200]},
        )


class WebhookEndpoint(models.Model):
    """The secret is sealed, bound to ``public_id``. ``failing_since``: nothing was taken since then.

    After a failure it rests until ``rests_until``, longer and longer.
    """

    website = models.ForeignKey(Website, models.CASCADE, verbose_name=_("website"))
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    url = models.CharField(_("address"), max_length=LONGEST_URL, validators=[validate_url])
    kinds = ArrayField(models.CharField(max_length=16, choices=WebhookKind), verbose_name=_("tells of"))
    sealed_secret = models.BinaryField(editable=False)
    # Until then the secret of before signs too, so that the receiver can change over.
    sealed_former_secret = models.BinaryField(null=True, editable=False)
    former_until = models.DateTimeField(null=True, editable=False)
    active = models.BooleanField(_("active"), default=True, editable=False)
    active_since = models.DateTimeField(db_default=Now(), editable=False)
    disabled_because = models.CharField(
        _("why it is off"), max_length=16, choices=Disabled, blank=True, editable=False
    )
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    failures = models.PositiveIntegerField(db_default=0, default=0, editable=False)
    rests_until = models.DateTimeField(_("rests until"), db_default=Now(), editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.url

    def secrets(self, now: float) -> list[bytes]:
        """Those that sign now (Unix time), the newest first."""
        sealed = [self.sealed_secret]
        if self.sealed_former_secret and self.former_until and self.former_until.timestamp() > now:
            sealed.append(self.sealed_former_secret)
        return [unseal(bytes(one), str(self.public_id)) for one in sealed]


class WebhookState(models.TextChoices):
    PENDING = "pending", _("pending")
    SENDING = "sending", _("sending")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")


OPEN = [WebhookState.PENDING, WebhookState.SENDING]


class WebhookDelivery(models.Model):
    """One event for one endpoint. ``webhook_id`` is the event's own: the same at each try and each endpoint.

    Whose it is stands here as an id only: what the receiver is told of a person is looked up when it is sent.
    """

    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, db_index=False, related_name="deliveries", verbose_name=_("webhook")
    )
    webhook_id = models.CharField(_("event"), max_length=40)
    kind = models.CharField(_("tells of"), max_length=16, choices=WebhookKind)
    recipient = models.ForeignKey(
        Recipient,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        verbose_name=_("recipient"),
    )
    push_message = models.ForeignKey(
        PushMessage,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        verbose_name=_("push message"),
    )
    delivery_id = models.BigIntegerField(_("delivery"), null=True)
    facts = models.JSONField(_("facts"), default=dict)
    occurred_at = models.DateTimeField(_("when it happened"))
    state = models.CharField(_("state"), max_length=12, choices=WebhookState, default=WebhookState.PENDING)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    give_up_at = models.DateTimeField(_("tried until"))
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(_("attempts"), db_default=0, default=0)
    status_code = models.PositiveSmallIntegerField(_("status code"), null=True)
    reason = models.CharField(_("reason"), max_length=32, blank=True, db_default="")
    answer = models.CharField(_("answer"), max_length=500, blank=True, db_default="")
    milliseconds = models.PositiveIntegerField(_("milliseconds"), null=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "webhook_id"], name="one_webhook_of_an_event")
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "due_at", "id"],
                condition=models.Q(state="pending"),
                name="webhook_pending",
            ),
            models.Index(
                fields=["endpoint", "recipient", "id"],
                condition=models.Q(state__in=OPEN),
                name="webhook_open_of_recipient",
            ),
            models.Index(fields=["lease_until"], condition=models.Q(state="sending"), name="webhook_leased"),
            models.Index(
                fields=["give_up_at"], condition=models.Q(state="pending"), name="webhook_to_give_up"
            ),
            models.Index(fields=["created_at"], name="webhook_by_age"),
        ]

    def __str__(self) -> str:
        return self.webhook_id
