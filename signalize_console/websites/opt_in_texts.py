"""What the opt-in says, in each language, and what it said when somebody consented."""

from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.websites.opt_in import OptIn

LANGUAGE = r"^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}$"


class OptInText(models.Model):
    """What it says in one language. The standard one is for every other language."""

    opt_in = models.ForeignKey(OptIn, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=35, validators=[RegexValidator(LANGUAGE)])
    standard = models.BooleanField(
        _("standard"), default=False, help_text=_("For everybody whose language has no text.")
    )
    title = models.CharField(_("title"), max_length=90)
    message = models.CharField(_("message"), max_length=300, blank=True)
    yes = models.CharField(_("“yes” button"), max_length=30)
    no = models.CharField(_("“no” button"), max_length=30)
    label = models.CharField(
        _("bell and button"), max_length=40, help_text=_("What the bell is called, and stands on the button.")
    )
    privacy = models.CharField(_("link's words"), max_length=60, blank=True)
    privacy_link = models.CharField(
        _("link to your privacy notice"),
        max_length=500,
        blank=True,
        validators=[URLValidator(["https", "http"])],
    )

    class Meta:
        verbose_name, verbose_name_plural = _("text"), _("texts")
        ordering = ["-standard", "language"]
        constraints = [
            models.UniqueConstraint(fields=["opt_in", "language"], name="one_opt_in_text_a_language"),
            models.UniqueConstraint(
                fields=["opt_in"], condition=models.Q(standard=True), name="one_standard_opt_in_text"
            ),
        ]

    def __str__(self) -> str:
        return self.language

    def words(self) -> dict[str, str]:
        names = ("title", "message", "yes", "no", "label", "privacy", "privacy_link")
        return {name: getattr(self, name) for name in names}


class Interest(models.Model):
    """A topic that a visitor may tick. ``key`` is what a recipient's interests hold, and segments ask for."""

    opt_in = models.ForeignKey(OptIn, models.CASCADE, related_name="interests")
    key = models.SlugField(
        _("key"), max_length=50, help_text=_("Letters, digits and hyphens. Don't change it later.")
    )
    name = models.CharField(_("name"), max_length=60, help_text=_("In the standard text's language."))
    names = models.JSONField(_("in other languages"), default=dict, blank=True)
    place = models.PositiveSmallIntegerField(_("place"), default=0)

    class Meta:
        verbose_name, verbose_name_plural = _("interest"), _("interests")
        ordering = ["place", "pk"]
        constraints = [models.UniqueConstraint(fields=["opt_in", "key"], name="one_interest_a_key")]

    def __str__(self) -> str:
        return self.name

    def name_in(self, language: str) -> str:
        return str(self.names.get(language) or self.names.get(language.split("-", 1)[0]) or self.name)


class ConsentText(models.Model):
    """What visitors were told from a moment on: proof of what a consent was given to. Never changed."""

    website = models.ForeignKey("websites.Website", models.CASCADE, related_name="consent_texts")
    version = models.PositiveIntegerField(_("version"))
    said = models.JSONField(_("said"))
    created_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("consent text"), _("consent texts")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["website", "version"], name="one_consent_text_a_version")
        ]

    def __str__(self) -> str:
        return f"{self.website}, {self.version}"
