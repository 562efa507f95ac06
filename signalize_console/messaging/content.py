"""What a template and a push message have in common: the content, and its text in each language."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from signalize_console.messaging.placeholders import validate_text_link
from signalize_console.websites.origins import validate_link

T = TypeVar("T", bound="Text")
DAY = 86_400
MAX_TTL = 28 * DAY
DEFAULT_TTL = 3 * DAY
TOPIC = r"^[A-Za-z0-9_-]{1,32}$"
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


class Urgency(models.TextChoices):
    """RFC 8030, 5.3: how much battery the visitor would spend on it."""

    VERY_LOW = "very-low", _("very low (on power and Wi-Fi)")
    LOW = "low", _("low (on power or Wi-Fi)")
    NORMAL = "normal", _("normal")
    HIGH = "high", _("high (at once, whatever the battery)")


class Variant(models.TextChoices):
    """Of a text: recipients get one of both, by chance, and what they do says which is better."""

    A = "A", "A"
    B = "B", _("B: half read this")


def by_variant(texts: Iterable[T]) -> dict[str, list[T]]:
    """The texts of each variant; the first is always there."""
    found: dict[str, list[T]] = {Variant.A.value: []}
    for text in texts:
        found.setdefault(text.variant, []).append(text)
    return found


def are_varied(texts: Iterable["Text"]) -> bool:
    return any(text.variant != Variant.A for text in texts)


class Link(models.CharField):
    """A link that a notification may open or load."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("max_length", 2000)
        options.setdefault("blank", True)
        options.setdefault("validators", [validate_link])
        super().__init__(*args, **options)


class TextLink(Link):
    """A link that a click opens; it may hold placeholders."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("validators", [validate_text_link])
        super().__init__(*args, **options)


class Content(models.Model):
    """The parts of a notification that don't depend on the language, and the RFC 8030 headers."""

    icon = Link(_("icon"), help_text=_("Square PNG or JPEG, 192 to 256 pixels."))
    image = Link(
        _("image"), help_text=_("2:1, such as 1440 × 720. Shown by Chrome and Edge on Windows and Android.")
    )
    badge = Link(_("badge"), help_text=_("96 × 96 pixels, one colour on transparent. Android only."))
    require_interaction = models.BooleanField(
        _("stays until closed"), default=False, help_text=_("On computers; phones ignore it.")
    )
    silent = models.BooleanField(_("without sound"), default=False)
    ttl = models.PositiveIntegerField(
        _("time to live"),
        default=DEFAULT_TTL,
        validators=[MinValueValidator(60), MaxValueValidator(MAX_TTL)],
        help_text=_("Seconds that a push service keeps the message for a browser that is switched off."),
    )
    urgency = models.CharField(_("urgency"), max_length=8, choices=Urgency, default=Urgency.NORMAL)
    topic = models.CharField(
        _("topic"),
        max_length=32,
        blank=True,
        validators=[RegexValidator(TOPIC, _("Up to 32 letters, digits, - and _."))],
        help_text=_("A later message with the same topic replaces this one, waiting or shown."),
    )
    tag = models.CharField(
        _("tag"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text=_("A later notification with the same tag replaces this one on the screen."),
    )

    class Meta:
        abstract = True


class Text(models.Model):
    """What is said, in one language. The standard text is for everybody whose language has none."""

    language = models.CharField(
        _("language"),
        max_length=16,
        validators=[RegexValidator(LANGUAGE, _("A language tag such as en, de or pt-BR."))],
    )
    variant = models.CharField(
        _("variant"), max_length=1, choices=Variant, default=Variant.A, db_default=Variant.A
    )
    standard = models.BooleanField(_("standard"), default=False)
    title = models.CharField(_("title"), max_length=200)
    message = models.TextField(_("message"), max_length=1000, blank=True)
    link = TextLink(_("link"), blank=False, help_text=_("The page that a click opens."))
    first_button = models.CharField(_("first button"), max_length=50, blank=True)
    first_button_link = TextLink(_("first button's link"))
    second_button = models.CharField(_("second button"), max_length=50, blank=True)
    second_button_link = TextLink(_("second button's link"))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.label}: {self.title}"

    @property
    def label(self) -> str:
        """Which one it is: its language, and the variant if that isn't the first."""
        return self.language if self.variant == Variant.A else f"{self.language} · {self.variant}"

    @property
    def written(self) -> list[str]:
        """All that may hold placeholders."""
        return [
            *(self.title, self.message, self.link),
            *(self.first_button, self.first_button_link),
            *(self.second_button, self.second_button_link),
        ]

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """Label and link of each action button; a button without a link opens the message's."""
        pairs = [
            (self.first_button, self.first_button_link),
            (self.second_button, self.second_button_link),
        ]
        return [(label, link or self.link) for label, link in pairs if label]
