"""Pictures from anywhere: judged, decoded, and written anew, so that nothing else of the file is kept."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image, ImageOps

LARGEST_FILE = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
FORMATS = ["PNG", "JPEG", "WEBP"]
# What Pillow raises for a broken or hostile file.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
# Its own limit only warns; ours, below, refuses before anything is decoded.
Image.MAX_IMAGE_PIXELS = None


class PictureKind(models.TextChoices):
    ICON = "icon", gettext_lazy("icon")
    IMAGE = "image", gettext_lazy("large image")
    BADGE = "badge", gettext_lazy("badge")


@dataclass(frozen=True)
class Rule:
    """The box a picture must fit, the least width and height, and the most bytes it may weigh."""

    box: tuple[int, int]
    least: int
    bytes: int


RULES = {
    PictureKind.ICON: Rule((256, 256), 64, 100_000),
    PictureKind.IMAGE: Rule((1440, 1440), 180, 500_000),
    PictureKind.BADGE: Rule((96, 96), 48, 100_000),
}


class Unusable(ValueError):
    """Not a picture that a notification can show; says why, and what to do."""


@dataclass(frozen=True)
class Picture:
    content: bytes
    extension: str
    width: int
    height: int


def cleaned(file: IO[bytes], size: int, kind: str) -> Picture:
    """The picture in the form its kind needs: turned upright, no larger than useful, without metadata."""
    if size > LARGEST_FILE:
        raise Unusable(_("This file is larger than 10 MB. Save the picture smaller, and try again."))
    try:
        with Image.open(file, formats=FORMATS) as opened:
            _check(opened.width, opened.height, RULES[PictureKind(kind)])
            opened.draft("RGB", (2880, 2880))
            image = ImageOps.exif_transpose(opened).convert("RGBA")
    except Unusable:
        raise
    except BROKEN as error:
        raise Unusable(_("This isn't a picture that can be read. Use a PNG, JPEG or WebP file.")) from error
    image.info.clear()
    return _encoded(_shaped(image, PictureKind(kind)), PictureKind(kind))


def _check(width: int, height: int, rule: Rule) -> None:
    if width * height > MOST_PIXELS:
        raise Unusable(_("This picture has more than 25 million pixels. Save it smaller, and try again."))
    if min(width, height) < rule.least:
        said = _("This picture has %(width)d × %(height)d pixels. Use one of at least %(least)d × %(least)d.")
        raise Unusable(said % {"width": width, "height": height, "least": rule.least})


def _shaped(image: Image.Image, kind: PictureKind) -> Image.Image:
    """An icon or badge becomes a square by transparent edges; a badge is its outline, in white."""
    if kind == PictureKind.BADGE:
        if not _is_transparent(image):
            raise Unusable(
                _("Nothing of this picture is transparent: as a badge it would be a plain square. Use a PNG.")
            )
        alpha = image.getchannel("A")
        image = Image.new("RGBA", image.size, "white")
        image.putalpha(alpha)
    if kind != PictureKind.IMAGE and image.width != image.height:
        side = max(image.size)
        image = ImageOps.pad(image, (side, side), color=(0, 0, 0, 0))
    image.thumbnail(RULES[kind].box)
    return image


def _is_transparent(image: Image.Image) -> bool:
    lowest: Any = image.getchannel("A").getextrema()[0]
    return lowest < 255


def _encoded(image: Image.Image, kind: PictureKind) -> Picture:
    """The first way of writing it that is light enough."""
    for written in _ways(image, kind):
        if len(written.content) <= RULES[kind].bytes:
            return written
    raise Unusable(_("This picture stays too heavy. Use a simpler one."))


def _ways(image: Image.Image, kind: PictureKind) -> Iterator[Picture]:
    """Without loss where that helps, then as JPEG: coarser, and smaller, each time."""
    if kind != PictureKind.IMAGE or _is_transparent(image):
        yield _written(image, "PNG", optimize=True)
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    for quality in (85, 75, 60):
        yield _written(flat, "JPEG", quality=quality, optimize=True, progressive=True)
    while min(flat.size) > RULES[kind].least:
        flat = flat.resize((max(1, flat.width * 3 // 4), max(1, flat.height * 3 // 4)))
        yield _written(flat, "JPEG", quality=60, optimize=True, progressive=True)


def _written(image: Image.Image, form: str, **options: Any) -> Picture:
    written = io.BytesIO()
    image.save(written, form, **options)
    return Picture(written.getvalue(), {"PNG": "png", "JPEG": "jpg"}[form], *image.size)
