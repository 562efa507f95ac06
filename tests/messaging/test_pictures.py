"""Pictures that are uploaded: hostile ones are refused, the others written anew with nothing but the picture."""

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from signalize_console.messaging.pictures import LARGEST_FILE, RULES, PictureKind, Unusable, cleaned


def drawn(
    width: int = 400, height: int = 200, *, form: str = "PNG", colour: Any = "red", **options: Any
) -> bytes:
    file = io.BytesIO()
    image = Image.new("RGBA" if form == "PNG" else "RGB", (width, height), colour)
    image.save(file, form, **options)
    return file.getvalue()


def noise(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((width, height), 120).convert("RGB").save(file, "PNG")
    return file.getvalue()


def clean(content: bytes, kind: str = "image") -> Any:
    return cleaned(io.BytesIO(content), len(content), kind)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_written_anew_as_what_all_browsers_show(form: str) -> None:
    picture = clean(drawn(form=form))
    assert opened(picture.content).format == "JPEG"
    assert (picture.extension, picture.width, picture.height) == ("jpg", 400, 200)


def test_nothing_but_the_picture_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "the author's home"
    text = PngInfo()
    text.add_text("Comment", "<script>alert(1)</script>")
    for content in (
        drawn(form="JPEG", exif=exif, comment=b"<script>alert(1)</script>"),
        drawn(pnginfo=text, colour=(255, 0, 0, 128), exif=exif),
        drawn() + b"<?php system($_GET['x']); ?>",
    ):
        picture = clean(content)
        for told in (b"home", b"script", b"php"):
            assert told not in picture.content
        assert not opened(picture.content).getexif()


def test_a_photo_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = clean(drawn(800, 400, form="JPEG", exif=exif))
    assert (picture.width, picture.height) == (400, 800)


def test_an_icon_is_a_small_square_that_keeps_its_transparency() -> None:
    picture = clean(drawn(1000, 500, colour=(0, 0, 255, 128)), "icon")
    image = opened(picture.content)
    assert (picture.width, picture.height, image.format) == (256, 256, "PNG")
    assert image.convert("RGBA").getpixel((128, 2))[3] == 0
    assert image.convert("RGBA").getpixel((128, 128))[3] == 128


def test_a_badge_is_its_outline() -> None:
    picture = clean(drawn(192, 192, colour=(255, 0, 0, 100)), "badge")
    assert opened(picture.content).convert("RGBA").getpixel((40, 40)) == (255, 255, 255, 100)
    with pytest.raises(Unusable, match="transparent"):
        clean(drawn(192, 192), "badge")


def test_a_heavy_picture_becomes_light_enough() -> None:
    content = noise(1440, 1440)
    picture = clean(content)
    assert len(content) > 2_000_000
    assert len(picture.content) <= RULES[PictureKind.IMAGE].bytes
    assert picture.width <= 1440


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "can be read"),
        (b"<html><script>alert(1)</script></html>", "can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9999 9999\n", "can be read"),
        (drawn(form="GIF"), "can be read"),
        (drawn(form="BMP"), "can be read"),
        (drawn()[:200], "can be read"),
        (drawn(20, 20), "at least"),
    ],
    ids=["empty", "svg", "html", "eps", "gif", "bmp", "cut", "tiny"],
)
def test_what_is_no_picture_is_refused_in_words(content: bytes, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        clean(content)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    for width, height in ((60_000, 60_000), (10_000, 10_000), (2_000_000_000, 1)):
        with pytest.raises(Unusable, match=r"25 million|at least"):
            clean(bomb(width, height))


def test_a_file_that_is_too_large_is_not_even_opened() -> None:
    with pytest.raises(Unusable, match="10 MB"):
        cleaned(io.BytesIO(b""), LARGEST_FILE + 1, "icon")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(PictureKind.values), st.integers(0, 200))
@example(b"\xff" * 50, "image", 20)
def test_no_bytes_make_it_fail(junk: bytes, kind: str, place: int) -> None:
    """Neither any bytes, nor a real picture with some bytes changed: it is a picture, or refused in words."""
    for start in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x00\x01\x00\x00WEBPVP8X"):
        refused_or_clean(start + junk, kind)
    for form in ("PNG", "JPEG", "WEBP"):
        content = bytearray(drawn(form=form))
        content[place : place + len(junk)] = junk
        refused_or_clean(bytes(content), kind)


def refused_or_clean(content: bytes, kind: str) -> None:
    try:
        picture = clean(content, kind)
    except Unusable:
        return
    assert opened(picture.content).format in {"PNG", "JPEG"}
