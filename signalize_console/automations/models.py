"""Rule, its frozen versions, and Run: one recipient's way through one version, begun by one trigger."""

import datetime

from django.contrib.auth import get_user_model
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.messaging.content import Variant
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website

LATE = datetime.timedelta(hours=6)


class Reentry(models.TextChoices):
    """What a trigger does for a recipient whom the rule has met before."""

    ALWAYS = "always", _("every time")
    SINGLE = "single", _("not while an earlier one is still waiting")
    RESTART = "restart", _("and what still waits starts again")
    ONCE = "once", _("once in a recipient's life")


class Rule(models.Model):
    """``version`` is what new runs follow. ``trouble`` says what keeps it from working, for people."""

    website = models.ForeignKey(Website, models.PROTECT, verbose_name=_("website"))
    name = models.CharField(_("name"), max_length=100)
    is_on = models.BooleanField(_("on"), default=False)
    on_since = models.DateTimeField(_("on since"), null=True, editable=False)
    priority = models.SmallIntegerField(
        _("priority"),
        default=0,
        help_text=_("When two automations want to send to one recipient at once, the higher one goes first."),
    )
    reentry = models.CharField(
        _("for the same recipient"), max_length=8, choices=Reentry, default=Reentry.SINGLE
    )
    late_after = models.DurationField(
        _("too late after"),
        default=LATE,
        help_text=_("What is later than this, after an outage, is held for a person to decide."),
    )
    version = models.ForeignKey(
        "RuleVersion", models.SET_NULL, null=True, editable=False, related_name="current_of"
    )
    trouble = models.CharField(_("trouble"), max_length=500, blank=True, editable=False)
    trouble_at = models.DateTimeField(_("since"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("automation")
        verbose_name_plural = _("automations")
        ordering = ["website", "-priority", "name"]
        constraints = [models.UniqueConstraint(fields=["website", "name"], name="unique_rule_of_website")]

    def __str__(self) -> str:
        return self.name

    def switch(self, *, on: bool) -> None:
        """Off: nothing new begins, and what waits is dropped when its time comes. On: from now on."""
        changed = {"is_on": True, "on_since": Now()} if on else {"is_on": False}
        if Rule.objects.filter(pk=self.pk, is_on=not on).update(**changed) and on:
            self.restart_schedule()
        self.refresh_from_db()

    def restart_schedule(self) -> None:
        """What its clock missed so far isn't made up for."""
        Schedule.objects.filter(rule=self).delete()

    def note_trouble(self, sentence: str) -> None:
        Rule.objects.filter(pk=self.pk).exclude(trouble=sentence[:500]).update(
            trouble=sentence[:500], trouble_at=Now() if sentence else None
        )


class RuleVersion(models.Model):
    """A definition as somebody saved it. Never changed: who is under way stays on it."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    definition = models.JSONField(_("definition"))
    made_by = models.ForeignKey(get_user_model(), models.SET_NULL, null=True, verbose_name=_("saved by"))
    created_at = models.DateTimeField(_("saved"), db_default=Now())

    class Meta:
        verbose_name = _("version of an automation")
        verbose_name_plural = _("versions of automations")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["rule", "number"], name="unique_version_of_rule")]

    def __str__(self) -> str:
        return f"{self.rule} {self.number}"


class RunState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    HELD = "held", _("held: too late")
    FINISHED = "finished", _("finished")
    CANCELLED = "cancelled", _("cancelled by an event")
    DROPPED = "dropped", _("ended early")


class Run(models.Model):
    """Exactly one for each rule, recipient and trigger. ``step`` is the next one, and ``due_at`` when.

    ``facts`` are the trigger's values, for the texts. ``why`` says why it waits, or ended as it did.
    ``messages`` are the push messages that it has sent so far.
    """

    rule = models.ForeignKey(Rule, models.CASCADE, db_index=False, verbose_name=_("automation"))
    version = models.ForeignKey(RuleVersion, models.CASCADE, db_index=False, verbose_name=_("version"))
    recipient = models.ForeignKey(
        Recipient, models.CASCADE, related_name="+", db_index=False, verbose_name=_("recipient")
    )
    trigger = models.CharField(_("trigger"), max_length=100)
    triggered_at = models.DateTimeField(_("triggered"))
    facts = models.JSONField(_("values"), default=dict)
    state = models.CharField(_("state"), max_length=12, choices=RunState, default=RunState.WAITING)
    step = models.PositiveSmallIntegerField(_("next step"), db_default=0)
    why = models.CharField(_("why"), max_length=64, db_default="")
    messages = ArrayField(models.BigIntegerField(), verbose_name=_("push messages"), db_default=[])
    due_at = models.DateTimeField(_("due"), null=True)
    moved_at = models.DateTimeField(_("last moved"), db_default=Now())
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("run of an automation")
        verbose_name_plural = _("runs of automations")
        constraints = [
            models.UniqueConstraint(fields=["recipient", "rule", "trigger"], name="one_run_a_trigger"),
            models.CheckConstraint(
                condition=models.Q(state="waiting", due_at__isnull=False)
                | (~models.Q(state="waiting") & models.Q(due_at=None)),
                name="who_waits_has_an_appointment",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="run_due"),
            models.Index(fields=["recipient"], condition=models.Q(ended_at=None), name="run_open"),
            models.Index(fields=["rule", "-id"], name="run_of_rule"),
            models.Index(fields=["rule"], condition=models.Q(state="held"), name="run_held"),
        ]

    def __str__(self) -> str:
        return f"{self.trigger} {self.state}"


class StepMessage(models.Model):
    """The push messages that a step has sent: one for many recipients whose time came together."""

    version = models.ForeignKey(RuleVersion, models.CASCADE, related_name="messages")
    step = models.PositiveSmallIntegerField(_("step"))
    push_message = models.OneToOneField(PushMessage, models.CASCADE, related_name="+")
    recipients = models.PositiveIntegerField(_("recipients"))

    def __str__(self) -> str:
        return f"{self.version_id}/{self.step}: {self.push_message_id}"


class StepWinner(models.Model):
    """The better variant of a step's texts, once that is no chance any more: all get it from then on."""

    version = models.ForeignKey(RuleVersion, models.CASCADE, related_name="winners")
    step = models.PositiveSmallIntegerField(_("step"))
    variant = models.CharField(_("better variant"), max_length=1, choices=Variant)
    created_at = models.DateTimeField(_("since"), db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "step"], name="one_winner_of_step")]

    def __str__(self) -> str:
        return f"{self.version_id}/{self.step}: {self.variant}"


class Schedule(models.Model):
    """How far a rule that the clock triggers has come: up to ``position`` all have had ``moment``.

    ``since``: triggers up to this instant have their runs. ``facts``: of the feed's item that is being sent.
    """

    rule = models.OneToOneField(Rule, models.CASCADE, related_name="schedule")
    due_at = models.DateTimeField(db_default=Now())
    since = models.DateTimeField(db_default=Now())
    moment = models.DateTimeField(null=True)
    position = models.BigIntegerField(db_default=0)
    occasion = models.CharField(max_length=80, db_default="")
    facts = models.JSONField(default=dict)
    seen = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="schedule_due")]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.due_at}"
