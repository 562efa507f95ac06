"""Delivery: one push message to one subscription. Attempt: one request that did not simply succeed.

Both are partitioned by month; ``day`` is the day their push message was accepted, and the partition key.
Their references carry no database constraint: a foreign key would cost each insert three look-ups.
"""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.deliveries.alerts import Alert
from signalize_console.deliveries.backups import Backup
from signalize_console.deliveries.browsers import TestBrowser
from signalize_console.deliveries.frequency import Frequency
from signalize_console.deliveries.heartbeats import Heartbeat
from signalize_console.deliveries.latencies import Latency
from signalize_console.deliveries.ledger_checks import LedgerCheck
from signalize_console.deliveries.rollups import DailyCount, HourlyCount, SubscriberCount
from signalize_console.deliveries.tallies import Tally
from signalize_console.messaging.content import Variant
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import OPEN_DELIVERY_STATES, DeliveryState
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website

__all__ = [
    "Alert",
    "Attempt",
    "Backup",
    "DailyCount",
    "Delivery",
    "Frequency",
    "Heartbeat",
    "HourlyCount",
    "IdempotencyKey",
    "Latency",
    "LedgerCheck",
    "SubscriberCount",
    "Tally",
    "TestBrowser",
]


class Recall(models.TextChoices):
    ASKED = "asked", _("being withdrawn")
    WITHDRAWN = "withdrawn", _("withdrawn")
    TOO_LATE = "too_late", _("too late")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def open(self) -> "DeliveryQuerySet":
        return self.filter(state__in=OPEN_DELIVERY_STATES)

    def of(self, message: PushMessage) -> "DeliveryQuerySet":
        return self.filter(push_message=message, day=message.day)

    def by_state(self) -> dict[str, int]:
        """How many there are in each state. Each part has an index of its own."""
        ended = (
            self.exclude(state__in=OPEN_DELIVERY_STATES)
            .order_by()
            .values_list("state")
            .annotate(count=models.Count("*"))
        )
        still = {state: self.filter(state=state).count() for state in OPEN_DELIVERY_STATES}
        return {state: count for state, count in [*still.items(), *ended] if count}


class Delivery(models.Model):
    """A row of the outbox. It is sent when ``due_at`` has come; ``reason`` says why it is as it is."""

    day = models.DateField(_("day"), editable=False)
    push_message = models.ForeignKey(
        PushMessage, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name=_("push message")
    )
    subscription = models.ForeignKey(
        Subscription, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name=_("subscription")
    )
    recipient = models.ForeignKey(
        Recipient, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name=_("recipient")
    )
    push_service = models.CharField(_("push service"), max_length=16)
    state = models.CharField(_("state"), max_length=12, choices=DeliveryState, default=DeliveryState.PENDING)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    lease_until = models.DateTimeField(_("leased until"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), db_default=0)
    losses = models.PositiveSmallIntegerField(_("lost with a worker"), db_default=0)
    reason = models.CharField(_("reason"), max_length=64, db_default="")
    status_code = models.PositiveSmallIntegerField(_("status code"), null=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    # The transaction that ended it: readers go on from there (activity/cursors.py).
    ended_in = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    # This recipient's values for the placeholders, where the sender gave some.
    data = models.JSONField(null=True)
    # Of the texts, while they are tried. Who gets the better one afterwards has none.
    variant = models.CharField(_("variant"), max_length=1, choices=Variant, null=True)  # noqa: DJ001 - unknown
    # Where the push service keeps it until the browser has fetched it, and how calling it back went.
    message_url = models.TextField(db_default="")
    recall = models.CharField(_("recall"), max_length=12, choices=Recall, db_default="")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["push_message", "subscription", "day"], name="one_delivery_a_subscription"
            )
        ]
        indexes = [
            models.Index(
                fields=["push_message", "push_service", "due_at"],
                condition=models.Q(state=DeliveryState.PENDING),
                name="delivery_pending",
            ),
            models.Index(
                fields=["push_message", "lease_until"],
                condition=models.Q(state=DeliveryState.SENDING),
                name="delivery_leased",
            ),
            models.Index(
                fields=["push_message"],
                condition=models.Q(state=DeliveryState.PENDING, losses__gte=2),
                name="delivery_suspect",
            ),
            models.Index(
                fields=["push_message", "id"], condition=models.Q(recall="asked"), name="delivery_recalled"
            ),
            models.Index(
                fields=["push_message", "state"],
                condition=~models.Q(state__in=sorted(OPEN_DELIVERY_STATES)),
                name="delivery_ended",
            ),
            models.Index(fields=["recipient", "-id"], name="delivery_of_recipient"),
            models.Index(fields=["ended_in"], condition=~models.Q(ended_in=None), name="delivery_ended_in"),
        ]

    def __str__(self) -> str:
        return f"{self.push_message_id} → {self.subscription_id}"


class Attempt(models.Model):
    """One request to a push service that was not accepted at the first try, with what was answered."""

    day = models.DateField(_("day"), editable=False)
    delivery = models.ForeignKey(
        Delivery,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="log",
        verbose_name=_("delivery"),
    )
    number = models.PositiveSmallIntegerField(_("number"))
    outcome = models.CharField(_("outcome"), max_length=20)
    reason = models.CharField(_("reason"), max_length=64)
    status_code = models.PositiveSmallIntegerField(_("status code"), null=True)
    answer = models.CharField(_("answer"), max_length=500)
    milliseconds = models.PositiveIntegerField(_("milliseconds"))
    made_at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        indexes = [models.Index(fields=["delivery", "number"], name="attempt_of_delivery")]

    def __str__(self) -> str:
        return f"{self.number}. {self.outcome}"


class IdempotencyKey(models.Model):
    """The promise that one key does one thing. ``answer`` is what is said again at a repeat."""

    website = models.ForeignKey(Website, models.CASCADE)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    push_message = models.ForeignKey(PushMessage, models.CASCADE, null=True)
    answer = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["website", "key"], name="one_message_a_key")]

    def __str__(self) -> str:
        return self.key
