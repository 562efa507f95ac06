"""MessageTemplate and PushMessage, each with its texts; and the pictures they show."""

import datetime
import itertools
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, Value, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from signalize_console.audiences.compiler import without
from signalize_console.audiences.models import Segment
from signalize_console.messaging import wall_clock
from signalize_console.messaging.content import Content, Text, Variant, are_varied
from signalize_console.messaging.media import Media
from signalize_console.messaging.states import MessageState, states_before
from signalize_console.messaging.timing import Timing
from signalize_console.websites.models import Website

__all__ = ["Audience", "Media", "MessageTemplate", "PushMessage", "PushMessageText", "TemplateText"]


def one_per_language(owner: str) -> list[models.BaseConstraint]:
    return [
        models.UniqueConstraint(
            fields=[owner, "variant", "language"], name=f"one_text_a_language_of_{owner}"
        ),
        models.UniqueConstraint(
            fields=[owner, "variant"], condition=models.Q(standard=True), name=f"one_standard_text_of_{owner}"
        ),
    ]


# Of a template's name, before a number.
LONGEST_STEM = 90


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

    @classmethod
    def made_of(cls, source: "MessageTemplate | PushMessage", name: str) -> "MessageTemplate":
        """Says what the source says, under this name, with a number where another one has it already."""
        said = {field.name: getattr(source, field.name) for field in Content._meta.get_fields()}
        said["variables"] = getattr(source, "variables", [])
        of_website = cls.objects.filter(website=source.website)
        taken = set(of_website.filter(name__startswith=name[:LONGEST_STEM]).values_list("name", flat=True))
        numbered = (f"{name[:LONGEST_STEM]} {number}" for number in itertools.count(2))
        for free in itertools.chain([name[:100]], numbered):
            if free not in taken:
                # Somebody else may take the name in this very moment.
                template, is_new = cls.objects.get_or_create(website=source.website, name=free, defaults=said)
                if is_new:
                    break
        names = [field.name for field in Text._meta.get_fields()]
        TemplateText.objects.bulk_create(
            TemplateText(template=template, **{name: getattr(text, name) for name in names})
            for text in source.texts.all()
        )
        return template


class TemplateText(Text):
    template = models.ForeignKey(MessageTemplate, models.CASCADE, related_name="texts")

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        ordering = ["variant", "-standard", "language"]
        constraints = one_per_language("template")


class Audience(models.TextChoices):
    RECIPIENTS = "recipients", _("named recipients")
    EVERYONE = "everyone", _("everyone")
    SEGMENT = "segment", _("a segment")


MOST_EXCLUDED = 10
LONGEST_REST = 24 * 365


class Canary(models.TextChoices):
    """How far the test of a push message is."""

    NONE = "", _("none")
    SAMPLE = "sample", _("its share is being made")
    WATCH = "watch", _("being watched")
    STOPPED = "stopped", _("stopped")
    OVER = "over", _("passed")


class Share(models.IntegerChoices):
    """Of an audience, in per cent."""

    TENTH = 10, "10 %"
    FIFTH = 20, "20 %"
    HALF = 50, "50 %"
    ALL = 100, _("everyone: half get each")


class Span(models.IntegerChoices):
    """Minutes."""

    HALF_AN_HOUR = 30, _("30 minutes")
    HOUR = 60, _("1 hour")
    FOUR_HOURS = 240, _("4 hours")
    TWELVE_HOURS = 720, _("12 hours")
    DAY = 1_440, _("1 day")
    TWO_DAYS = 2_880, _("2 days")


# Of what people write in a message, besides its texts and who is left out: what a copy takes over, and all.
COPIED = {
    *(field.name for field in Content._meta.local_fields),
    *("website", "segment", "rest_hours", "transactional"),
    *("per_minute", "canary", "split_percent", "split_minutes"),
}
WRITTEN = COPIED | {field.name for field in Timing._meta.local_fields} - {"expected"}
WITHDRAWABLE = frozenset({MessageState.AWAITING_APPROVAL, MessageState.REPEATING, MessageState.SCHEDULED})


class PushMessage(Timing, Content):
    """What is sent, once, to an audience. ``due_at`` is when the engine must look at it again.

    A repeated one is only copied: each of its ``runs`` is a push message of its own.
    """

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
    excluded_segments = models.ManyToManyField(
        Segment, through="ExcludedSegment", related_name="+", verbose_name=_("left out")
    )
    # Who got a message in so many hours before is left out, too.
    rest_hours = models.PositiveSmallIntegerField(
        _("recently messaged"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_REST)],
    )
    # What the audience was when the message was accepted, with the time that its "days ago" count from.
    frozen_segment = models.JSONField(editable=False, null=True)
    transactional = models.BooleanField(
        _("transactional"),
        default=False,
        help_text=_(
            "Expected by its recipient: an order, an appointment, a delay. Never waits behind marketing."
        ),
    )
    canary = models.BooleanField(
        _("test on a few first"),
        default=False,
        db_default=False,
        help_text=_(
            "A small share gets it first. The rest follows by itself, unless too many of those are gone, "
            "refused, unsubscribed or closed; the website says how many."
        ),
    )
    # Where its texts have variants: on how many of an audience they are tried, and for how long, before the
    # better one goes to the others. A winner that is known already goes to all.
    split_percent = models.PositiveSmallIntegerField(
        _("try the variants on"), choices=Share, default=Share.FIFTH, db_default=Share.FIFTH
    )
    split_minutes = models.PositiveIntegerField(
        _("and compare the clicks after"), choices=Span, default=Span.FOUR_HOURS, db_default=Span.FOUR_HOURS
    )
    state = models.CharField(
        _("state"), max_length=20, choices=MessageState, default=MessageState.DRAFT, editable=False
    )
    sent_by = models.CharField(_("sent by"), max_length=200, blank=True, editable=False)
    # Who asked for approval, and so can't give it.
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        db_index=False,
        related_name="+",
    )
    approved_by = models.CharField(
        _("approved by"), max_length=200, blank=True, editable=False, db_default="", default=""
    )
    repeats = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="runs", verbose_name=_("run of")
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    day = models.DateField(editable=False, null=True)
    due_at = models.DateTimeField(editable=False, null=True)
    expanded_to = models.BigIntegerField(editable=False, default=0)
    expand_until = models.BigIntegerField(editable=False, null=True)
    # While it is sent: when the next part of its audience gets deliveries; none: all have them.
    expand_at = models.DateTimeField(editable=False, null=True)
    started_at = models.DateTimeField(editable=False, null=True)
    canary_phase = models.CharField(
        max_length=7, choices=Canary, editable=False, default=Canary.NONE, db_default="", blank=True
    )
    # After a cancel: up to which subscription its deliveries are being taken back; none: all are.
    recall_cursor = models.BigIntegerField(editable=False, null=True)
    total = models.PositiveBigIntegerField(_("deliveries"), editable=False, default=0)
    # Whether its texts have placeholders, and the values for them that are the same for everybody.
    personal = models.BooleanField(editable=False, default=False, db_default=False)
    data = models.JSONField(editable=False, default=dict, db_default=models.Value({}, models.JSONField()))
    varied = models.BooleanField(editable=False, default=False, db_default=False)
    winner = models.CharField(
        _("better variant"),
        max_length=1,
        choices=Variant,
        editable=False,
        blank=True,
        default="",
        db_default="",
    )
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
        permissions = [
            ("send_pushmessage", _("Can send push messages")),
            ("approve_pushmessage", _("Can approve push messages of others")),
        ]
        indexes = [
            models.Index(
                fields=["transactional", "due_at"], condition=~models.Q(due_at=None), name="push_message_due"
            ),
            models.Index(fields=["website", "-id"], name="push_message_of_website"),
            models.Index(
                fields=["website", "day"], condition=~models.Q(day=None), name="push_message_of_day"
            ),
            # Few among very many to named recipients, and those that marketers look for.
            models.Index(
                fields=["-id"], condition=~models.Q(audience="recipients"), name="push_message_to_many"
            ),
            models.Index(
                fields=["state", "-id"], condition=~models.Q(state="finished"), name="push_message_unfinished"
            ),
            models.Index(
                fields=["ended_in"], condition=~models.Q(ended_in=None), name="push_message_ended_in"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    @property
    def title(self) -> str:
        texts = (text for text in self.texts.all() if text.variant == Variant.A)
        standard = next((text for text in texts if text.standard), None)
        return (standard and standard.title) or "–"

    @property
    def is_draft(self) -> bool:
        return self.state == MessageState.DRAFT

    def chosen(self, tree: Any, excluded: Iterable[Segment]) -> Any:
        """Of those in ``tree`` who gets it, as a tree of conditions. None, both times: everyone."""
        recently = {"field": "messageAccepted", "within": {"hours": self.rest_hours}}
        trees = [segment.definition for segment in excluded]
        return without(tree, [*trees, recently] if self.rest_hours else trees)

    @property
    def audience_tree(self) -> Any:
        """Whom a draft is for, as conditions. None: everyone who opted in."""
        tree = self.segment.definition if self.segment else None
        return self.chosen(tree, self.excluded_segments.all() if self.pk else [])

    @property
    def keeps_audience(self) -> bool:
        """Whether a draft is for the same audience: none says whom the API named or described."""
        by_segment = self.audience == Audience.SEGMENT and self.segment_id is not None
        return self.audience == Audience.EVERYONE or by_segment

    @property
    def may_withdraw(self) -> bool:
        return self.keeps_audience and self.state in WITHDRAWABLE

    @property
    def is_held_back(self) -> bool:
        """It was sent a moment ago, and still can be undone."""
        return self.state == MessageState.SCHEDULED and self.scheduled_at is None

    @property
    def is_local(self) -> bool:
        """Its recipients are due at different times."""
        return self.in_local_time and self.scheduled_at is not None

    @property
    def next_wall_time(self) -> datetime.datetime:
        """What each recipient's clock shows when they get it, or its next run."""
        if self.state == MessageState.REPEATING and self.due_at:
            return wall_clock.first_clock(self.due_at)
        return self.wall_time

    def latest(self, now: datetime.datetime) -> datetime.datetime:
        """Until when it is valid, unless somebody says otherwise."""
        return self.span(now)[1] + datetime.timedelta(seconds=self.ttl)

    @property
    def expires_at(self) -> datetime.datetime:
        """When it must not be sent any more. Known once it is accepted."""
        if self.valid_until is None:
            raise ValueError("valid_until is set when a push message is accepted.")
        return self.valid_until

    @property
    def has_variants(self) -> bool:
        return are_varied(self.texts.all())

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
        paused = PushMessage.objects.filter(pk=self.pk, state=MessageState.PAUSED)
        going = {"due_at": Now(), "paused_because": ""}
        rest = models.Q(expanded_to__lt=models.F("expand_until"))
        state = Case(When(rest, then=Value(MessageState.EXPANDING)), default=Value(MessageState.SENDING))
        # A person sends it to all, though the test went badly.
        after_test = {"state": MessageState.EXPANDING, "expanded_to": 0, "canary_phase": Canary.OVER}
        moved = paused.filter(canary_phase=Canary.STOPPED).update(**after_test, **going)
        if not moved and not paused.update(state=state, **going):
            return False
        self.refresh_from_db(fields=["state", "canary_phase"])
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
            MessageState.SCHEDULED,
            only_from=MessageState.HELD,
            scheduled_at=None,
            in_local_time=False,
            due_at=Now(),
            paused_because="",
        )

    def withdraw_to_draft(self) -> bool:
        """What has not started becomes editable again, as long as nobody's delivery exists."""
        start = self.due_at if self.state == MessageState.SCHEDULED else None
        was_computed = start is not None and self.valid_until == self.latest(start)
        limit = None if was_computed else self.valid_until
        return self.may_withdraw and self.move_to(
            MessageState.DRAFT,
            only_from=MessageState(self.state),
            due_at=None, day=None, sent_by="", submitted_by=None, approved_by="", expected=None,
            valid_until=limit, frozen_segment=None,
        )  # fmt: skip

    def use(self, template: MessageTemplate) -> list["PushMessageText"]:
        """Takes over the template's content, and returns its texts, not saved yet."""
        for field in Content._meta.get_fields():
            setattr(self, field.name, getattr(template, field.name))
        names = [field.name for field in Text._meta.get_fields()]
        return [
            PushMessageText(**{name: getattr(text, name) for name in names}) for text in template.texts.all()
        ]

    def copy(self) -> tuple["PushMessage", list["PushMessageText"]]:
        """The same content for the same audience at the same speed, not saved yet."""
        copy = PushMessage(**{name: getattr(self, name) for name in COPIED})
        texts = list(self.texts.all())
        for text in texts:
            text.pk, text.push_message = None, copy
            text._state.adding = True
        return copy, texts

    def copy_as_draft(self) -> "PushMessage":
        """The same, ready to be changed and sent again."""
        copy, texts = self.copy()
        copy.save()
        PushMessageText.objects.bulk_create(texts)
        copy.excluded_segments.set(self.excluded_segments.all())
        return copy


class ExcludedSegment(models.Model):
    """A push message isn't for who is in this segment, which therefore can't be deleted."""

    push_message = models.ForeignKey(PushMessage, models.CASCADE, db_index=False)
    segment = models.ForeignKey(Segment, models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["push_message", "segment"], name="excluded_once_from_a_message")
        ]

    def __str__(self) -> str:
        return f"{self.push_message_id}: {self.segment_id}"


class PushMessageText(Text):
    push_message = models.ForeignKey(PushMessage, models.CASCADE, related_name="texts")

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        ordering = ["variant", "-standard", "language"]
        constraints = one_per_language("push_message")
