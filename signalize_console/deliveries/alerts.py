"""What is wrong with a push service now, as seen by the engine; for people and for the engine itself."""

import random
from typing import NamedTuple

from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.audiences.words import push_service_name
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
        return f"{push_service_name(self.push_service)}: {self.get_kind_display()}"


# How long until the first try after a stop, and at most between two.
FIRST_PROBE = {AlertKind.OUTAGE: 15.0, AlertKind.CONFIGURATION: 60.0}
LONGEST_PROBE = {AlertKind.OUTAGE: 60.0, AlertKind.CONFIGURATION: 900.0}

RAISE = """
INSERT INTO deliveries_alert (kind, website_id, push_service, reason, status_code, answer, probe_at)
VALUES (%s, %s, %s, %s, nullif(%s, 0), %s, now() + make_interval(secs => %s))
ON CONFLICT (kind, website_id, push_service) WHERE ended_at IS NULL DO NOTHING
"""
STOPS = """
SELECT id, kind, website_id, push_service, probe_at <= now() FROM deliveries_alert
WHERE ended_at IS NULL AND probe_at IS NOT NULL
"""
PUT_OFF = """
UPDATE deliveries_alert
SET probes = probes + 1, probe_at = now() + make_interval(secs => LEAST(%s * 1.5 ^ LEAST(probes, 20), %s))
WHERE id = %s AND ended_at IS NULL AND probe_at <= now()
"""
# What waited for the push service has its time now.
CALL_ALL_BACK = """
UPDATE messaging_pushmessage SET due_at = now()
WHERE id IN (
    SELECT id FROM messaging_pushmessage
    WHERE state = 'sending' AND due_at > now() AND (website_id = %s OR %s IS NULL)
    ORDER BY id FOR UPDATE
)
"""


class Stop(NamedTuple):
    """Nothing goes there, for one website or (None) for all, but one delivery when it ``is_due``."""

    id: int
    kind: str
    website_id: int | None
    push_service: str
    is_due: bool


class Said(NamedTuple):
    """What the push service said."""

    reason: str = ""
    status: int = 0
    answer: str = ""


NOTHING = Said()


def raise_alert(kind: AlertKind, website_id: int | None, push_service: str, said: Said = NOTHING) -> None:
    """Opens an alert, unless it is open. One that stops the sending names the time of the first try."""
    wait = FIRST_PROBE.get(kind)
    jittered = None if wait is None else wait * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
    answer = said.answer[:500].replace("\0", "")
    with connection.cursor() as cursor:
        cursor.execute(RAISE, [kind, website_id, push_service, said.reason, said.status, answer, jittered])


def stops() -> list[Stop]:
    with connection.cursor() as cursor:
        cursor.execute(STOPS)
        return [Stop(*row) for row in cursor.fetchall()]


def put_off(stop: Stop) -> None:
    """A delivery is on its way to see whether it is over. The next one goes later and later."""
    kind = AlertKind(stop.kind)
    with connection.cursor() as cursor:
        cursor.execute(PUT_OFF, [FIRST_PROBE[kind], LONGEST_PROBE[kind], stop.id])


def end(alert_id: int) -> None:
    """It is over: what waited for it is sent."""
    ended = Alert.objects.open().filter(pk=alert_id)
    website_id = ended.values_list("website_id", flat=True).first()
    with transaction.atomic():
        if ended.update(ended_at=Now(), probe_at=None):
            _call_all_back(website_id)


def _call_all_back(website_id: int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CALL_ALL_BACK, [website_id, website_id])


# Subscriptions that push services called gone while it lasted are active again; what ended otherwise is not.
RESTORE = """
UPDATE recipients_subscription SET state = 'active', ended_at = NULL, ended_reason = ''
WHERE state = 'quarantined' AND push_service = %s AND ended_at BETWEEN %s AND now()
  AND ended_reason LIKE 'push service:%%'
"""


def judge_mass_expiry(alert: Alert, *, restore: bool) -> int:
    """A person has judged a wave of gone subscriptions: they come back, or end after their week.

    Returns how many came back; 0 too where somebody was faster.
    """
    with transaction.atomic():
        ended = Alert.objects.open().filter(pk=alert.pk, kind=AlertKind.MASS_EXPIRY).update(ended_at=Now())
        if not (ended and restore):
            return 0
        with connection.cursor() as cursor:
            cursor.execute(RESTORE, [alert.push_service, alert.started_at])
            return int(cursor.rowcount)


def try_now(alert: Alert) -> bool:
    """The next delivery goes there at once, to see whether it is over. False: it is over already."""
    stopped = Alert.objects.open().filter(pk=alert.pk).exclude(probe_at=None)
    with transaction.atomic():
        if not stopped.update(probe_at=Now()):
            return False
        _call_all_back(alert.website_id)
    return True


def end_throttled(website_id: int, push_service: str) -> None:
    """The lane runs freely again."""
    Alert.objects.open().filter(
        kind=AlertKind.THROTTLED, website_id=website_id, push_service=push_service
    ).update(ended_at=Now())
