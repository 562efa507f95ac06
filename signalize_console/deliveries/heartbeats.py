"""Signs of life: each worker, engine and beat says regularly that it lives, and when it last worked."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class HeartbeatKind(models.TextChoices):
    WORKER = "worker", _("worker")
    ENGINE = "engine", _("engine")
    BEAT = "beat", _("beat")


class Heartbeat(models.Model):
    """``name`` is the process's, as Celery knows it; ``worked_at`` is when it last took up work."""

    kind = models.CharField(_("kind"), max_length=8, choices=HeartbeatKind)
    name = models.CharField(_("name"), max_length=200)
    beat_at = models.DateTimeField(_("last sign of life"), db_default=Now())
    worked_at = models.DateTimeField(_("last at work"), null=True)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="one_heartbeat_a_process")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
