"""How a website asks its visitors for the permission: when, where, and in which look."""

import re
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from signalize_console.websites.colours import COLOUR, READABLE_TEXT, VISIBLE_SHAPE, contrast

PATH = r"/[\w\-./~%+:@!$&'(),;=]*\*?"
LONGEST_WAIT = 3600


class Kind(models.TextChoices):
    DIALOG = "dialog", _("dialog: asks by itself")
    BELL = "bell", _("bell: stays in a corner of each page")
    BUTTON = "button", _('button: where the page has <span data-signalize="button">')
    LINK = "link", _('link: the page\'s own, with data-signalize="opt-in"')


class Trigger(models.TextChoices):
    SECONDS = "seconds", _("after so many seconds (0: at once)")
    PAGES = "pages", _("at the so-many-th page")
    SCROLL = "scroll", _("when so many per cent of the page were scrolled")
    EXIT = "exit", _("when the visitor is about to leave")


class Position(models.TextChoices):
    TOP = "top", _("top")
    CENTRE = "centre", _("centre")
    BOTTOM = "bottom", _("bottom")
    START = "start", _("bottom, where lines begin")
    END = "end", _("bottom, where lines end")


def validate_path(path: str) -> None:
    if not re.fullmatch(PATH, path):
        raise ValidationError(
            _("%(path)s isn't a path. Write it like /shop/ for one page, /shop/* for all below."),
            params={"path": path},
        )


def colour(default: str) -> dict[str, Any]:
    return {"max_length": 7, "default": default, "validators": [RegexValidator(COLOUR)]}


class OptIn(models.Model):
    """When, where and in which look. How often it asks again is Signalize's, by the cookie ``et_oip``."""

    website = models.OneToOneField("websites.Website", models.CASCADE, related_name="opt_in")
    is_on = models.BooleanField(
        _("on"), default=False, help_text=_("Visitors who haven't decided yet are asked.")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.DIALOG)
    trigger = models.CharField(_("when"), max_length=8, choices=Trigger, default=Trigger.SECONDS)
    after = models.PositiveSmallIntegerField(_("how many"), default=5)
    paths = ArrayField(
        models.CharField(max_length=200, validators=[validate_path]),
        verbose_name=_("only on these paths"),
        default=list,
        blank=True,
        help_text=_("Separated by commas: / for the home page, /shop/* for all below. Empty: everywhere."),
    )
    position = models.CharField(_("position"), max_length=8, choices=Position, default=Position.TOP)
    logo = models.CharField(
        _("logo"),
        max_length=500,
        blank=True,
        validators=[URLValidator(["https", "http"])],
        help_text=_("Address of a square picture. Empty: a bell."),
    )
    background = models.CharField(_("background"), **colour("#ffffff"))
    ink = models.CharField(_("text"), **colour("#1c2522"))
    accent = models.CharField(_("buttons"), **colour("#1f6f5c"))
    dark_background = models.CharField(_("background, dark"), **colour("#1b2421"))
    dark_ink = models.CharField(_("text, dark"), **colour("#eef4f1"))
    dark_accent = models.CharField(_("buttons, dark"), **colour("#4cc3a2"))

    class Meta:
        verbose_name = verbose_name_plural = _("opt-in")

    def __str__(self) -> str:
        return str(self.website)

    def clean(self) -> None:
        most = {Trigger.SECONDS: LONGEST_WAIT, Trigger.PAGES: 100, Trigger.SCROLL: 100}.get(
            Trigger(self.trigger), LONGEST_WAIT
        )
        if self.after > most:
            raise ValidationError({"after": _("At most %(most)d.") % {"most": most}})

    def rules(self) -> dict[str, object]:
        """What the snippet needs to decide whether and when; short, because every page asks for it."""
        return {"kind": self.kind, "trigger": self.trigger, "after": self.after, "paths": self.paths}

    def look(self) -> dict[str, object]:
        """Colours as light and dark: background, text, buttons."""
        return {
            "kind": self.kind,
            "position": self.position,
            "logo": self.logo,
            "light": [self.background, self.ink, self.accent],
            "dark": [self.dark_background, self.dark_ink, self.dark_accent],
        }

    def weak_colours(self) -> list[str]:
        """A sentence for each pair of colours that people with weak eyes can't tell apart (WCAG 2.2 AA)."""
        sentences = []
        for name, (background, ink, accent) in (
            (_("light"), (self.background, self.ink, self.accent)),
            (_("dark"), (self.dark_background, self.dark_ink, self.dark_accent)),
        ):
            if contrast(ink, background) < READABLE_TEXT:
                sentences.append(
                    _("The text is hard to read in the %(look)s look: choose colours that differ more.")
                    % {"look": name}
                )
            if contrast(accent, background) < VISIBLE_SHAPE:
                sentences.append(
                    _("The buttons are hard to see in the %(look)s look: choose colours that differ more.")
                    % {"look": name}
                )
        return sentences
