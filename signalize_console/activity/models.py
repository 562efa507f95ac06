"""Event: one thing that happened. Only ever inserted; partitioned by month (``day`` is the partition key)."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.activity.cursors import CurrentTransaction
from signalize_console.activity.horizons import Horizon
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website

__all__ = ["OPT_IN", "REPORTS", "Event", "EventKind", "Horizon"]


class EventKind(models.TextChoices):
    SUBSCRIBED = "subscribed", _("subscribed")
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
    SHOWN = "shown", _("shown")
    CLICKED = "clicked", _("clicked")
    CLOSED = "closed", _("closed")
    PAGE_VIEW = "page_view", _("page view")
    EVENT = "event", _("event")
    INTEREST_TICKED = "interest_ticked", _("interest ticked")
    ATTRIBUTE_CHANGED = "attribute_changed", _("attribute changed")
    OPTIN_SHOWN = "optin_shown", _("opt-in shown")
    OPTIN_YES = "optin_yes", _("opt-in: yes")
    OPTIN_NO = "optin_no", _("opt-in: no")
    OPTIN_CLOSED = "optin_closed", _("opt-in closed")
    PERMISSION_GRANTED = "permission_granted", _("permission granted")
    PERMISSION_DENIED = "permission_denied", _("permission denied")


REPORTS = {EventKind.SHOWN, EventKind.CLICKED, EventKind.CLOSED}
# What the opt-in dialog and the browser's own question were answered; ``subscribed`` ends the funnel.
OPT_IN = {
    EventKind.OPTIN_SHOWN,
    EventKind.OPTIN_YES,
    EventKind.OPTIN_NO,
    EventKind.OPTIN_CLOSED,
    EventKind.PERMISSION_GRANTED,
    EventKind.PERMISSION_DENIED,
}
LONGEST_NAME = 64


class Event(models.Model):
    """A report about a delivery carries the delivery's ``day``, so that each kind counts once.

    ``name`` is the site's own name of a kind ``event``: ``insertToBasket``, ``order``, …; or of the
    interest or attribute.
    """

    day = models.DateField(_("day"), editable=False)
    website = models.ForeignKey(
        Website, models.DO_NOTHING, db_constraint=False, db_index=False, verbose_name=_("website")
    )
    recipient = models.ForeignKey(
        Recipient,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        verbose_name=_("recipient"),
    )
    kind = models.CharField(_("kind"), max_length=32, choices=EventKind)
    name = models.CharField(_("name"), max_length=LONGEST_NAME, db_default="", blank=True)
    push_message_id = models.BigIntegerField(_("push message"), null=True)
    delivery_id = models.BigIntegerField(_("delivery"), null=True)
    properties = models.JSONField(_("properties"), default=dict)
    occurred_at = models.DateTimeField(_("when"), db_default=Now())
    # Readers go on from there: activity/cursors.py.
    recorded_in = models.BigIntegerField(null=True, editable=False, db_default=CurrentTransaction())

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(
                fields=["delivery_id", "kind", "day"],
                condition=~models.Q(delivery_id=None),
                name="one_report_of_a_kind",
            )
        ]
        indexes = [
            models.Index(fields=["recipient", "-occurred_at"], name="event_of_recipient"),
            models.Index(fields=["recorded_in"], name="event_of_transaction"),
            models.Index(
                fields=["push_message_id", "kind"],
                condition=~models.Q(push_message_id=None),
                name="event_of_push_message",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.occurred_at:%Y-%m-%d %H:%M}"
