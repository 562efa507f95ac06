"""Segment: what recipients have in common, as a tree of conditions. Who is in it is asked anew each time.

RecipientList (lists.py): recipients that were named one by one.
"""

import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.audiences import counting
from signalize_console.audiences.lists import ListMember, RecipientList
from signalize_console.audiences.tree import BadSegment, parse
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website

__all__ = ["ListMember", "RecipientList", "Segment"]


def validate_definition(tree: object) -> None:
    try:
        parse(tree)
    except BadSegment as error:
        raise ValidationError([str(problem) for problem in error.problems]) from error


class Segment(models.Model):
    """``count`` is how many subscriptions it reached at ``counted_at``."""

    website = models.ForeignKey(Website, models.PROTECT, related_name="segments", verbose_name=_("website"))
    name = models.CharField(_("name"), max_length=100)
    definition = models.JSONField(_("definition"), validators=[validate_definition])
    count = models.PositiveBigIntegerField(_("subscriptions"), null=True, editable=False)
    counted_at = models.DateTimeField(_("counted"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["website", "name"], name="unique_segment_of_website")]

    def __str__(self) -> str:
        return self.name

    def recount(self, at: datetime.datetime) -> int:
        """Counts and remembers. Raises counting.TooSlow, and then keeps the older count."""
        self.count, self.counted_at = counting.count(self.website, self.definition, at), at
        Segment.objects.filter(pk=self.pk).update(count=self.count, counted_at=at)
        return self.count

    def sample(self, at: datetime.datetime) -> list[Recipient]:
        return counting.sample(self.website, self.definition, at)

    def forget_count(self) -> None:
        """After a change of the definition."""
        self.count = self.counted_at = None

    def clean(self) -> None:
        self.forget_count()
