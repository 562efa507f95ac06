"""What the console keeps of its people: the websites they are limited to, their sessions, what they did."""

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.websites.models import Website


class WebsiteLimit(models.Model):
    """A staff user with one sees these websites only; with an empty one, none. Without one, all."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="website_limit")
    websites = models.ManyToManyField(Website, blank=True, verbose_name=_("websites"))

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}"


class StaffSession(models.Model):
    """Where somebody is logged in. It ends when its session does, and the other way round."""

    session = models.OneToOneField(Session, models.CASCADE, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sessions")
    browser = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        ordering = ["-seen_at"]

    def __str__(self) -> str:
        return self.browser


class AuditRecord(models.Model):
    """Who did what to which object, when. A trigger refuses to change or delete one.

    No foreign keys: a record outlives what it tells of.
    """

    at = models.DateTimeField(_("when"), db_default=Now(), editable=False)
    user_id = models.BigIntegerField(null=True, editable=False)
    by = models.CharField(_("who"), max_length=150, editable=False)
    deed = models.CharField(_("did what"), max_length=64, editable=False)
    about = models.CharField(_("to what"), max_length=100, blank=True, editable=False)
    object_id = models.CharField(_("number"), max_length=64, blank=True, editable=False)
    website_id = models.BigIntegerField(_("website"), null=True, editable=False)
    detail = models.CharField(_("detail"), max_length=500, blank=True, editable=False)

    class Meta:
        verbose_name = _("audit record")
        verbose_name_plural = _("audit log")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["about", "object_id"], name="audit_record_about"),
            models.Index(fields=["user_id", "at"], name="audit_record_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.by}: {self.deed} {self.about} {self.object_id}"
