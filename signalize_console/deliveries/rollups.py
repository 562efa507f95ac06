"""What reports read instead of deliveries and events: how many there were, counted once each.

Filled by ``rolling_up``, from the rows that ``happenings`` describes.
"""

from django.db import models
from django.db.models.functions import Now

from signalize_console.websites.models import Website

# The names under which DailyCount counts what is neither a delivery's state nor an event's kind.
CONVERTED, VISIT = "converted", "visit"


class DailyCount(models.Model):
    """``name`` is the state of deliveries that ended, the kind of events, ``converted`` or ``visit``.

    ``detail``: of deliveries the reason, of clicks the button, of conversions the event's name. ``value`` is
    what the conversions were worth. ``variant`` is that of the texts, while they are tried.
    ``push_message_id`` is 0 where no push message is concerned, and for the deliveries and reports of
    messages to named recipients: each has few, and its report counts them itself.
    ``day`` is that of the row; of a delivery and its reports, the day when the push message was accepted.
    """

    day = models.DateField()
    website = models.ForeignKey(Website, models.CASCADE, db_index=False)
    push_message_id = models.BigIntegerField(default=0)
    push_service = models.CharField(max_length=16)
    language = models.CharField(max_length=35)
    platform = models.CharField(max_length=16)
    name = models.CharField(max_length=32)
    detail = models.CharField(max_length=64)
    variant = models.CharField(max_length=1, default="", db_default="")
    count = models.BigIntegerField()
    value = models.DecimalField(max_digits=24, decimal_places=6)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("website", "name", "day", "push_message_id"),
                    *("push_service", "language", "platform", "detail", "variant"),
                ],
                name="one_count_a_day",
            )
        ]
        indexes = [
            models.Index(
                fields=["push_message_id"], condition=~models.Q(push_message_id=0), name="count_of_message"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name} {self.count}"


class HourlyCount(models.Model):
    """How many of a push message's deliveries were accepted, shown, clicked, … in one hour."""

    push_message_id = models.BigIntegerField()
    hour = models.DateTimeField()
    name = models.CharField(max_length=32)
    count = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["push_message_id", "hour", "name"], name="one_count_an_hour")
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} {self.name} {self.count}"


class SubscriberCount(models.Model):
    """How many active subscriptions a website had, when it was last looked at on that day."""

    website = models.ForeignKey(Website, models.CASCADE)
    day = models.DateField()
    count = models.BigIntegerField()
    counted_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["website", "day"], name="one_subscriber_count_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.count}"
