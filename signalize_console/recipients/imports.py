"""Import: a file of subscriptions that moves in. Its bytes, its rows on their way, and what was refused."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.websites.models import VapidKey, Website


class ImportState(models.TextChoices):
    CHECKING = "checking", _("being checked")
    CHECKED = "checked", _("checked")
    MOVING = "moving", _("moving in")
    DONE = "done", _("done")
    UNDOING = "undoing", _("being undone")
    UNDONE = "undone", _("undone")
    DISCARDED = "discarded", _("discarded")
    FAILED = "failed", _("failed")


# What somebody must work on. Everything else waits for a person, or is over.
AT_WORK = [ImportState.CHECKING, ImportState.MOVING, ImportState.UNDOING]


class Import(models.Model):
    """``position``: how many bytes were checked; ``moved_to``: up to which row it moved. It goes on there.

    ``at_once``: it moves in when it is checked, without waiting for a person. ``vapid_key`` is of the rows
    that name none; ``made_keys`` are the keys that came with the file.
    """

    website = models.ForeignKey(Website, models.PROTECT, verbose_name=_("website"))
    file_name = models.CharField(_("file"), max_length=200)
    state = models.CharField(
        _("state"), max_length=16, choices=ImportState, default=ImportState.CHECKING, editable=False
    )
    error = models.CharField(_("what is wrong"), max_length=500, blank=True, editable=False)
    by = models.CharField(_("by"), max_length=150, blank=True, editable=False)
    at_once = models.BooleanField(default=False, editable=False)
    vapid_key = models.ForeignKey(VapidKey, models.PROTECT, null=True, editable=False, related_name="imports")
    made_keys = ArrayField(models.BigIntegerField(), default=list, editable=False)
    size = models.BigIntegerField(_("bytes"), default=0, editable=False)
    position = models.BigIntegerField(default=0, editable=False)
    rows = models.BigIntegerField(_("rows"), default=0, editable=False)
    refused = models.BigIntegerField(_("refused"), default=0, editable=False)
    moved_to = models.BigIntegerField(default=0, editable=False)
    moved = models.BigIntegerField(_("moved"), default=0, editable=False)
    subscriptions_made = models.BigIntegerField(_("subscriptions made"), default=0, editable=False)
    recipients_made = models.BigIntegerField(_("recipients made"), default=0, editable=False)
    removed = models.BigIntegerField(_("removed again"), default=0, editable=False)
    created_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"#{self.pk} {self.file_name}"

    @property
    def accepted(self) -> int:
        """The rows that can move in, or did."""
        return self.rows - self.refused

    @property
    def percent(self) -> int:
        """How far the step is that it is at."""
        done, all_of_it = {
            ImportState.CHECKING: (self.position, self.size),
            ImportState.MOVING: (self.moved, self.accepted),
            ImportState.UNDOING: (self.removed, self.subscriptions_made),
        }.get(ImportState(self.state), (1, 1))
        return min(100, 100 * done // all_of_it) if all_of_it else 100

    @property
    def bar(self) -> str:
        """The same for a terminal, over what stood in the line before."""
        filled = "█" * (self.percent // 4)
        return f"\r{filled:25} {self.percent:3} % {self.get_state_display()}, {self.rows} rows "

    @property
    def is_at_work(self) -> bool:
        return self.state in AT_WORK

    def move_to(self, state: ImportState, *, only_from: ImportState, **fields: object) -> bool:
        """False if it has gone elsewhere meanwhile."""
        mine = Import.objects.filter(pk=self.pk, state=only_from)
        if not mine.update(state=state, **fields):
            return False
        self.refresh_from_db()
        return True

    def confirm(self) -> bool:
        """What was checked moves in."""
        return self.move_to(ImportState.MOVING, only_from=ImportState.CHECKED)

    def undo(self) -> bool:
        """What it made is removed, as far as nobody has touched it since."""
        return self.move_to(ImportState.UNDOING, only_from=ImportState.DONE)


class ImportChunk(models.Model):
    """A piece of the file, until all of it is checked: a worker on another machine reads it here."""

    of = models.ForeignKey(Import, models.CASCADE, db_index=False, related_name="chunks")
    number = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["of", "number"], name="one_chunk_of_a_number")]

    def __str__(self) -> str:
        return f"{self.of_id}/{self.number}"


class ImportRow(models.Model):
    """A row that was checked, on its way. Written by COPY, gone when the import has ended."""

    of = models.ForeignKey(Import, models.CASCADE, db_index=False, related_name="staged")
    line = models.BigIntegerField()
    vapid_key_id = models.BigIntegerField()
    endpoint = models.TextField()
    endpoint_hash = models.BinaryField(max_length=32)
    p256dh = models.CharField(max_length=87)
    auth = models.CharField(max_length=22)
    push_service = models.CharField(max_length=16)
    client_id = models.CharField(max_length=32)
    customer_id = models.CharField(max_length=128)
    language = models.CharField(max_length=35)
    time_zone = models.CharField(max_length=64)
    attributes = models.JSONField()
    interests = ArrayField(models.CharField(max_length=64))
    subscribed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["of", "id"], name="import_row_in_order"),
            models.Index(fields=["of", "endpoint_hash", "id"], name="import_row_by_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.of_id}:{self.line}"


class ImportRefusal(models.Model):
    """Why a row can't move in: line, field, and the reason in words. Never the value: it may be a secret."""

    of = models.ForeignKey(Import, models.CASCADE, db_index=False, related_name="refusals")
    line = models.BigIntegerField(_("line"))
    field = models.CharField(_("field"), max_length=32)
    reason = models.CharField(_("why"), max_length=300)

    class Meta:
        verbose_name = _("refused row")
        verbose_name_plural = _("refused rows")
        indexes = [models.Index(fields=["of", "line"], name="refusal_of_import")]

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"
