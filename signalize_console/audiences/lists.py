"""RecipientList: recipients that were named one by one, by a CSV file (importing.py)."""

import datetime
import json

from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website

NAMED = '$.** ? (@.field == "list" && (@.value == $id || @.value[*] == $id))'


class RecipientList(models.Model):
    """``size`` is how many were on it at ``filled_at``; who was erased since is not on it any more."""

    website = models.ForeignKey(Website, models.PROTECT, related_name="lists", verbose_name=_("website"))
    name = models.CharField(_("name"), max_length=100)
    size = models.PositiveBigIntegerField(_("recipients"), default=0, editable=False)
    filled_at = models.DateTimeField(_("last upload"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("list")
        verbose_name_plural = _("lists")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["website", "name"], name="unique_list_of_website")]

    def __str__(self) -> str:
        return self.name

    def named_in(self, column: str) -> RawSQL:
        """Whether the conditions in a row's JSON column name this list."""
        values = [NAMED, json.dumps({"id": self.pk})]
        return RawSQL(f"jsonb_path_exists({column}, %s, %s)", values, models.BooleanField())  # noqa: S611

    def recount(self, at: datetime.datetime) -> None:
        self.size, self.filled_at = self.members.count(), at
        self.save(update_fields=["size", "filled_at"])


class ListMember(models.Model):
    """One recipient on one list."""

    list = models.ForeignKey(RecipientList, models.CASCADE, related_name="members", db_index=False)
    recipient = models.ForeignKey(Recipient, models.CASCADE, related_name="lists")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["list", "recipient"], name="once_on_a_list")]

    def __str__(self) -> str:
        return f"{self.list_id}: {self.recipient_id}"
