"""What protects a website's visitors, and its marketers, from a message sent by mistake."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

PERCENT = [MinValueValidator(1), MaxValueValidator(100)]


class Safeguards(models.Model):
    """They hold for messages that are sent in the console; who sends by API has a key for it."""

    undo_seconds = models.PositiveSmallIntegerField(
        _("seconds to undo"),
        default=10,
        db_default=10,
        validators=[MaxValueValidator(600)],
        help_text=_("So long nothing goes out after “Send now”."),
    )
    confirm_above = models.PositiveIntegerField(
        _("type the number above"),
        default=1_000,
        db_default=1_000,
        help_text=_("Who sends to more subscriptions than this types how many they are."),
    )
    approve_above = models.PositiveIntegerField(
        _("approval above"),
        null=True,
        blank=True,
        help_text=_("A second person approves what goes to more subscriptions than this. Empty: never."),
    )
    canary_percent = models.PositiveSmallIntegerField(
        _("share of a test, in percent"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text=_("Of the audience, when a message is tested before it goes to all."),
    )
    canary_minutes = models.PositiveSmallIntegerField(
        _("minutes of a test"), default=10, db_default=10, validators=[MinValueValidator(1)]
    )
    canary_limit = models.PositiveSmallIntegerField(
        _("refused or gone, in percent"),
        default=10,
        db_default=10,
        validators=PERCENT,
        help_text=_("A test that shows more than this stops the message."),
    )
    canary_closed_limit = models.PositiveSmallIntegerField(
        _("closed without a click, in percent"),
        default=80,
        db_default=80,
        validators=PERCENT,
        help_text=_("Of those who saw it. A test that shows more than this stops the message."),
    )

    canary_unsubscribed_limit = models.PositiveSmallIntegerField(
        _("unsubscribed, in percent"),
        default=2,
        db_default=2,
        validators=PERCENT,
        help_text=_("Of those who got it. A test that shows more than this stops the message."),
    )

    class Meta:
        abstract = True
