"""How the push services answered, counted by the minute: alerts are judged by it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from signalize_console.websites.models import Website


class Tally(models.Model):
    """The answers of one push service to one website's deliveries in one minute."""

    minute = models.DateTimeField(_("minute"))
    website = models.ForeignKey(Website, models.CASCADE, verbose_name=_("website"))
    push_service = models.CharField(_("push service"), max_length=16)
    accepted = models.PositiveIntegerField(_("accepted"), db_default=0)
    gone = models.PositiveIntegerField(_("gone"), db_default=0)
    throttled = models.PositiveIntegerField(_("throttled"), db_default=0)
    refused = models.PositiveIntegerField(_("refused"), db_default=0)
    unanswered = models.PositiveIntegerField(_("not answered"), db_default=0)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [
            models.UniqueConstraint(fields=["minute", "push_service", "website"], name="one_tally_a_minute")
        ]

    def __str__(self) -> str:
        return f"{self.push_service} {self.minute:%H:%M}"
