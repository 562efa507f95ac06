"""Signs of life: each web, worker, engine and beat says regularly that it lives, and when it last worked.

It says with it whether it has what all must share: each key by a mark, the web also the pictures.
"""

import os
import socket

from django.conf import settings
from django.db import connection, models
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from signalize_console import __version__

EVERY_SECONDS = 5.0
FORGET = "DELETE FROM deliveries_heartbeat WHERE beat_at < now() - interval '1 day'"
NOTE = """
INSERT INTO deliveries_heartbeat
    (kind, name, version, key_mark, encryption_mark, missing_picture, beat_at, worked_at)
VALUES (%s, %s, %s, %s, %s, %s, now(), now() - make_interval(secs => %s))
ON CONFLICT (kind, name) DO UPDATE
SET beat_at = excluded.beat_at, version = excluded.version, key_mark = excluded.key_mark,
    encryption_mark = excluded.encryption_mark, missing_picture = excluded.missing_picture,
    worked_at = coalesce(excluded.worked_at, deliveries_heartbeat.worked_at)
"""


class HeartbeatKind(models.TextChoices):
    WORKER = "worker", _("worker")
    ENGINE = "engine", _("engine")
    BEAT = "beat", _("beat")
    WEB = "web", _("web")


class Heartbeat(models.Model):
    """``name`` is the process's; an engine's begins with the queue that it serves: the class of
    messages that it sends, "maintenance" or "automations".

    ``worked_at`` is when it last took up work. ``version`` and the marks are empty where it is older
    than the column. ``missing_picture`` is the newest picture's file, where a web doesn't have it.
    """

    kind = models.CharField(_("kind"), max_length=8, choices=HeartbeatKind)
    name = models.CharField(_("name"), max_length=200)
    version = models.CharField(_("version"), max_length=32, db_default="")
    key_mark = models.CharField(max_length=16, db_default="", editable=False)
    encryption_mark = models.CharField(max_length=16, db_default="", editable=False)
    missing_picture = models.CharField(max_length=48, db_default="", editable=False)
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


def key_mark() -> str:
    """The same where SECRET_KEY is. Who wants to guess the key by it can do so by each session, too."""
    return _mark(settings.SECRET_KEY)


def encryption_mark() -> str:
    """The same where the key-encryption keys are. They are 256 random bits: nobody guesses them by it."""
    return _mark(" ".join(settings.KEY_ENCRYPTION_KEYS))


def _mark(secret: str) -> str:
    marked = salted_hmac("signalize_console.deliveries.heartbeats", "mark", secret, algorithm="sha256")
    return marked.hexdigest()[:16]


def note(kind: HeartbeatKind, name: str, idle: float | None = None, *, missing_picture: str = "") -> None:
    """It lives. ``idle`` is the seconds since it last took up work, where that is known."""
    marks = key_mark(), encryption_mark()
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [kind, name[:200], __version__, *marks, missing_picture, idle])


def forget_old() -> None:
    with connection.cursor() as cursor:
        cursor.execute(FORGET)
