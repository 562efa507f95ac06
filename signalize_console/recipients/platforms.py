"""The platform that a browser runs on, as its User-Agent tells. Only this word is kept of it."""

import re

PLATFORMS = ("windows", "macos", "linux", "chromeos", "android", "ios", "other")

# The first that is found counts: Android says Linux too, and an iPhone "like Mac OS X".
MARKS = [
    ("ios", r"iPhone|iPad|iPod"),
    ("android", r"Android"),
    ("chromeos", r"CrOS"),
    ("windows", r"Windows"),
    ("macos", r"Macintosh|Mac OS X"),
    ("linux", r"Linux|X11"),
]


def platform_of(user_agent: str) -> str:
    """One of PLATFORMS; empty where the browser says nothing."""
    if not user_agent:
        return ""
    return next((name for name, mark in MARKS if re.search(mark, user_agent[:500])), "other")
