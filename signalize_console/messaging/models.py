"""MessageTemplate and PushMessage, each with its texts; and the pictures they show."""

import datetime

from django.db import models
from django.db.models import Case, Value, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from signalize_console.audiences.models import Segment
from signalize_console.messaging.content import Content, Text
from signalize_console.messaging.media import Media
from signalize_console.messaging.states import MessageState, states_before
from signalize_console.websites.models import Website

__all__ = ["Audience", "Media", "MessageTemplate", "PushMessage", "PushMessageText", "TemplateText"]


def one_per_language(owner: str) -> list[models.BaseConstraint]:
    return [
        models.UniqueConstraint(fields=[owner, "language"], name=f"one_text_a_language_of_{owner}"),
        models.UniqueConstraint(
            fields=[owner], condition=models.Q(standard=True), name=f"one_standard_text_of_{owner}"
        ),
    ]


class MessageTemplate(Content):
    """A content to send again and again."""

    website = models.ForeignKey(Website, models.PROTECT, verbose_name=_("website"))
    name = models.CharField(_("name"), max_length=100)
    # What its placeholders mean, in JSON: [{"name", "type", "example", "required", "description"}]
    variables = models.JSONField(_("variables"), default=list, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["website", "name"], name="unique_template_of_website")]

    def __str__(self) -> str:
        return self.name


class TemplateText(Text):
    template = models.ForeignKey(MessageTemplate, models.CASCADE, related_name="texts")

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        ordering = ["-standard", "language"]
        constraints = one_per_language("template")


class Audience(models.TextChoices):
    RECIPIENTS = "recipients", _("named recipients")
    EVERYONE = "everyone", _("everyone")
    SEGMENT = "segment", _("a segment")


class PushMessage(Content):
    """What is sent, once, to an audience. ``due_at`` is when the engine must look at it again."""

    website = models.ForeignKey(Website, models.PROTECT, verbose_name=_("website"))
    audience = models.CharField(_("audience"), max_length=16, choices=Audience, default=Audience.EVERYONE)
    segment = models.ForeignKey(
        Segment,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("segment"),
        help_text=_("Only to these; without a segment to everyone who opted in."),
    )
    # What the segment was when the message was accepted, with the time that its "days ago" count from.
    frozen_segment = models.JSONField(editable=False, null=True)
    transactional = models.BooleanField(
        _("transactional"),
        default=False,
        help_text=_(
            "Expected by its recipient: an order, an appointment, a delay. Never waits behind marketing."
        ),
    )
    scheduled_at = models.DateTimeField(_("send at"), null=True, blank=True)
    valid_until = models.DateTimeField(
        _("valid until"), null=True, blank=True, help_text=_("Nothing is sent after this.")
    )
    state = models.CharField(
        _("state"), max_length=20, choices=MessageState, default=MessageState.DRAFT, editable=False
    )
    sent_by = models.CharField(_("sent by"), max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    day = models.DateField(editable=False, null=True)
    due_at = models.DateTimeField(editable=False, null=True)
    expanded_to = models.BigIntegerField(editable=False, default=0)
    expand_until = models.BigIntegerField(editable=False, null=True)
    # After a cancel: up to which subscription its deliveries are being taken back; none: all are.
    recall_cursor = models.BigIntegerField(editable=False, null=True)
    total = models.PositiveBigIntegerField(_("deliveries"), editable=False, default=0)
    # Whether its texts have placeholders, and the values for them that are the same for everybody.
    personal = models.BooleanField(editable=False, default=False, db_default=False)
    data = models.JSONField(editable=False, default=dict, db_default=models.Value({}, models.JSONField()))
    # To browsers of the staff only: it counts in no statistics.
    test = models.BooleanField(_("test"), editable=False, default=False, db_default=False)
    paused_because = models.CharField(_("why it paused"), max_length=64, editable=False, blank=True)
    finished_at = models.DateTimeField(_("finished"), editable=False, null=True)
    # The transaction that ended it: readers go on from there (activity/cursors.py).
    ended_in = models.BigIntegerField(editable=False, null=True)

    class Meta:
        verbose_name = _("push message")
        verbose_name_plural = _("push messages")
        ordering = ["-id"]
        permissions = [("send_pushmessage", _("Can send push messages"))]
        indexes = [
            models.Index(
                fields=["transactional", "due_at"], condition=~models.Q(due_at=None), name="push_message_due"
            ),
            models.Index(fields=["website", "-id"], name="push_message_of_website"),
            models.Index(
                fields=["ended_in"], condition=~models.Q(ended_in=None), name="push_message_ended_in"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    @property
    def title(self) -> str:
        standard = next((text for text in self.texts.all() if text.standard), None)
        return (standard and standard.title) or "–"

    @property
    def is_draft(self) -> bool:
        return self.state == MessageState.DRAFT

    @property
    def may_withdraw(self) -> bool:
        """Whether it can be a draft again, and still be for the same audience."""
        keeps_audience = self.audience == Audience.EVERYONE or self.segment_id is not None
        return keeps_audience and self.state == MessageState.SCHEDULED

    @property
    def expires_at(self) -> datetime.datetime:
        """When it must not be sent any more. Known once it is accepted."""
        if self.valid_until is None:
            raise ValueError("valid_until is set when a push message is accepted.")
        return self.valid_until

    def move_to(
        self, state: MessageState, *, only_from: MessageState | None = None, **fields: object
    ) -> bool:
        """Moves from a state that allows it; False if the message has gone elsewhere meanwhile."""
        before = [one for one in states_before(state) if only_from in (None, one)]
        if not PushMessage.objects.filter(pk=self.pk, state__in=before).update(state=state, **fields):
            return False
        self.state = state
        return True

    def pause(self) -> bool:
        return self.move_to(MessageState.PAUSED)

    def resume(self) -> bool:
        """It goes on where it stopped: with its audience, if that was not complete yet."""
        rest = models.Q(expanded_to__lt=models.F("expand_until"))
        state = Case(When(rest, then=Value(MessageState.EXPANDING)), default=Value(MessageState.SENDING))
        paused = PushMessage.objects.filter(pk=self.pk, state=MessageState.PAUSED)
        if not paused.update(state=state, due_at=Now(), paused_because=""):
            return False
        self.refresh_from_db(fields=["state"])
        return True

    def cancel(self) -> bool:
        """Nothing more is sent. The engine cancels what still waits, and takes back what nobody has seen."""
        ended = Coalesce("finished_at", Now())
        return self.move_to(MessageState.CANCELLED, due_at=Now(), finished_at=ended, recall_cursor=0)

    @property
    def may_be_taken_back(self) -> bool:
        """Some browsers may not have fetched it yet, though all of it was sent."""
        return self.state == MessageState.FINISHED and self.expires_at > timezone.now()

    def release(self) -> bool:
        """A held message is sent after all, though its hour has passed."""
        return self.move_to(
            MessageState.SCHEDULED, only_from=MessageState.HELD, scheduled_at=None, due_at=Now()
        )

    def withdraw_to_draft(self) -> bool:
        """A scheduled message becomes editable again, as long as nobody's delivery exists."""
        ttl = datetime.timedelta(seconds=self.ttl)
        was_computed = self.due_at and self.valid_until == self.due_at + ttl
        limit = None if was_computed else self.valid_until
        return self.may_withdraw and self.move_to(
            MessageState.DRAFT, due_at=None, day=None, sent_by="", valid_until=limit, frozen_segment=None
        )

    def use(self, template: MessageTemplate) -> list["PushMessageText"]:
        """Takes over the template's content, and returns its texts, not saved yet."""
        for field in Content._meta.get_fields():
            setattr(self, field.name, getattr(template, field.name))
        names = [field.name for field in Text._meta.get_fields()]
        return [
            PushMessageText(**{name: getattr(text, name) for name in names}) for text in template.texts.all()
        ]

    def copy_as_draft(self) -> "PushMessage":
        """The same content, ready to be changed and sent again."""
        kept = {field.name for field in Content._meta.get_fields()} | {"website", "segment", "transactional"}
        copy = PushMessage.objects.create(**{name: getattr(self, name) for name in kept})
        texts = list(self.texts.all())
        for text in texts:
            text.pk, text.push_message = None, copy
        PushMessageText.objects.bulk_create(texts)
        return copy


class PushMessageText(Text):
    push_message = models.ForeignKey(PushMessage, models.CASCADE, related_name="texts")

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        ordering = ["-standard", "language"]
        constraints = one_per_language("push_message")
