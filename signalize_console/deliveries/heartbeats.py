"""Signs of life: each worker, engine and beat says regularly that it lives, and when it last worked."""

import os
import socket

from django.db import connection, models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console import __version__

EVERY_SECONDS = 5.0
FORGET = "DELETE FROM deliveries_heartbeat WHERE beat_at < now() - interval '1 day'"
NOTE = """
INSERT INTO deliveries_heartbeat (kind, name, version, beat_at, worked_at)
VALUES (%s, %s, %s, now(), now() - make_interval(secs => %s))
ON CONFLICT (kind, name) DO UPDATE
SET beat_at = excluded.beat_at, version = excluded.version,
    worked_at = coalesce(excluded.worked_at, deliveries_heartbeat.worked_at)
"""


class HeartbeatKind(models.TextChoices):
    WORKER = "worker", _("worker")
    ENGINE = "engine", _("engine")
    BEAT = "beat", _("beat")


class Heartbeat(models.Model):
    """``name`` is the process's; an engine's begins with the queue that it serves: the class of
    messages that it sends, "maintenance" or "automations".

    ``worked_at`` is when it last took up work. ``version``: empty where it is older than this column.
    """

    kind = models.CharField(_("kind"), max_length=8, choices=HeartbeatKind)
    name = models.CharField(_("name"), max_length=200)
    version = models.CharField(_("version"), max_length=32, db_default="")
    beat_at = models.DateTimeField(_("last sign of life"), db_default=Now())
    worked_at = models.DateTimeField(_("last at work"), null=True)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        permissions = [("self_test", _("Can run the self-test"))]
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="one_heartbeat_a_process")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def process(what: str) -> str:
    """A name for ``what`` in this process."""
    return f"{what}-{os.getpid()}@{socket.gethostname()}"


def note(kind: HeartbeatKind, name: str, idle: float | None = None) -> None:
    """It lives. ``idle`` is the seconds since it last took up work, where that is known."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [kind, name[:200], __version__, idle])


def forget_old() -> None:
    with connection.cursor() as cursor:
        cursor.execute(FORGET)
