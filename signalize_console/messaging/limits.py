"""How much of a notification is seen where: what the previews cut, the counters colour, and the lint says.

Guidance, not the systems' own limits: they differ by version, language and width of the letters.
"""

from typing import NamedTuple


class Platform(NamedTuple):
    """``title`` and ``body``: characters that are seen; ``image`` and ``buttons``: whether these are."""

    key: str
    name: str
    browser: str
    title: int
    body: int
    image: bool
    buttons: bool


PLATFORMS = [
    Platform("windows", "Windows", "Chrome", 70, 140, True, True),
    Platform("macos", "macOS", "Chrome", 35, 110, False, True),
    Platform("safari", "Safari", "Safari", 35, 110, False, False),
    Platform("android", "Android", "Chrome", 30, 110, True, True),
    Platform("iphone", "iPhone", "Safari", 30, 130, False, False),
    Platform("firefox", "Firefox", "Firefox", 50, 200, False, False),
]
BUTTON = 20
# Of the large image: its shape, and how far from it nothing of importance is cut off.
IMAGE_RATIO, IMAGE_TOLERANCE = 2.0, 0.15


def cut_at(field: str, length: int) -> list[str]:
    """The platforms that don't show the whole of a ``title`` or ``body`` of this length."""
    return [platform.name for platform in PLATFORMS if length > getattr(platform, field)]
