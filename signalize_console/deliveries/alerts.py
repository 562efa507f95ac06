"""What is wrong with a push service now, as seen by the engine; for people and for the engine itself."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.websites.models import Website


class AlertKind(models.TextChoices):
    OUTAGE = "outage", _("doesn't answer")
    CONFIGURATION = "configuration", _("refuses us")
    THROTTLED = "throttled", _("asks us to slow down")
    MASS_EXPIRY = "mass_expiry", _("reports unusually many subscriptions as gone")


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> "AlertQuerySet":
        return self.filter(ended_at=None)


class Alert(models.Model):
    """Open until ``ended_at``. While ``probe_at`` is set nothing is sent there but one delivery at that time.

    ``website`` is empty where all are concerned: an outage is the push service's own.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=AlertKind)
    website = models.ForeignKey(Website, models.CASCADE, null=True, blank=True, verbose_name=_("website"))
    push_service = models.CharField(_("push service"), max_length=16)
    reason = models.CharField(_("reason"), max_length=64, blank=True)
    status_code = models.PositiveSmallIntegerField(_("status code"), null=True)
    answer = models.CharField(_("answer"), max_length=500, blank=True)
    started_at = models.DateTimeField(_("since"), db_default=Now())
    probe_at = models.DateTimeField(_("next try"), null=True)
    probes = models.PositiveIntegerField(_("tries"), db_default=0)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "website", "push_service"],
                condition=models.Q(ended_at=None),
                nulls_distinct=False,
                name="one_open_alert_of_a_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.push_service}: {self.get_kind_display()}"
