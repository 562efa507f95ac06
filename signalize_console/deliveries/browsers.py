"""The browsers that members of the staff test with."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.recipients.models import Recipient

MOST_BROWSERS = 20


class TestBrowser(models.Model):
    """A browser that a member of the staff calls their own."""

    __test__ = False

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("user")
    )
    recipient = models.ForeignKey(Recipient, models.CASCADE, related_name="+", verbose_name=_("recipient"))
    name = models.CharField(_("name"), max_length=60)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("test browser")
        verbose_name_plural = _("test browsers")
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["user", "recipient"], name="one_test_browser_a_user")]

    def __str__(self) -> str:
        return self.name
