"""Media: the pictures of a website's messages, kept in a directory and served by us."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Self

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from signalize_console.embedded.home import sync_directory
from signalize_console.messaging.pictures import Picture, PictureKind
from signalize_console.websites.models import Website

# A file's name is the hash of its content: it can't be guessed, and never changes what it shows.
FILE_NAME = r"[0-9a-f]{40}\.(?:png|jpg)"
TYPES = {"png": "image/png", "jpg": "image/jpeg"}


class Media(models.Model):
    """One picture of one website. Two of them may share a file."""

    website = models.ForeignKey(Website, models.PROTECT, verbose_name=_("website"))
    kind = models.CharField(_("kind"), max_length=8, choices=PictureKind)
    name = models.CharField(_("name"), max_length=100, help_text=_("Only seen here."))
    file_name = models.CharField(_("file"), max_length=48, editable=False)
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    weight = models.PositiveIntegerField(_("bytes"), editable=False)
    uploaded_by = models.CharField(_("uploaded by"), max_length=200, editable=False)
    created_at = models.DateTimeField(_("uploaded"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("media library")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["website", "kind", "file_name"], name="one_media_a_file")
        ]
        indexes = [models.Index(fields=["file_name"], name="media_by_file_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/media/{self.file_name}"

    @classmethod
    def keep(cls, website: Website, kind: str, picture: Picture, *, name: str, by: str) -> Self:
        """Stores the picture, first the file and then the row. The same picture again is the one there is."""
        digest = hashlib.sha256(picture.content).hexdigest()[:40]
        file_name = f"{digest}.{picture.extension}"
        _write(media_file(file_name), picture.content)
        about = {"name": name[:100] or file_name, "weight": len(picture.content), "uploaded_by": by[:200]}
        size = {"width": picture.width, "height": picture.height}
        media, _is_new = cls.objects.get_or_create(
            website=website, kind=kind, file_name=file_name, defaults={**about, **size}
        )
        return media

    def remove(self) -> None:
        """The row, and the file if no other row shows it."""
        name = self.file_name
        self.delete()
        transaction.on_commit(lambda: _remove_unused(name))


def media_file(file_name: str) -> Path:
    return settings.HOME.media / file_name


def missing() -> str:
    """The file of the newest picture, if this machine doesn't have it.

    Then its directory isn't the one of the machine that took the picture.
    """
    newest = Media.objects.order_by("-id").values_list("file_name", flat=True).first()
    try:
        return newest if newest and not media_file(newest).is_file() else ""
    except (OSError, ImproperlyConfigured):
        return newest or ""


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and there after a loss of power."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)
    sync_directory(path.parent)


def _remove_unused(file_name: str) -> None:
    if not Media.objects.filter(file_name=file_name).exists():
        media_file(file_name).unlink(missing_ok=True)
