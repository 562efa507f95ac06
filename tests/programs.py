"""Programs that tests drive, and what to install where they are missing."""

import os
import shutil

import pytest

PACKAGES = {
    "firefox-esr": "firefox-esr libnotify4",
    "php": "php-cli php-curl",
    "node": "nodejs",
    "nginx": "nginx-light",
    "promtool": "prometheus",
}


def require(*programs: str) -> None:
    """Skips with what to install; in CI a missing program is a failure."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        packages = " ".join(PACKAGES.get(program, program) for program in missing)
        lacking(f"needs {', '.join(missing)}. On Debian: apt-get install --no-install-recommends {packages}")


def lacking(why: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)
