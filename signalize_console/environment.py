"""Values from the environment. ``NAME_FILE`` names a file that holds the value, as container secrets do."""

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """The value of ``name``, or of the file that ``name_FILE`` names, or the default. Empty is unset."""
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text().strip()
    return os.environ.get(name) or default


def boolean(name: str, default: bool) -> bool:
    value = text(name, str(default)).strip().lower()
    if value not in {"1", "true", "yes", "on", "0", "false", "no", "off", ""}:
        raise ImproperlyConfigured(f"{name} is {value!r}. Give 1 or 0.")
    return value in {"1", "true", "yes", "on"}


def integer(name: str, default: int) -> int:
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}. Give a whole number.") from None


def days(name: str, default: int, *, least: int) -> int:
    """For how many days something is kept; 0 is for ever. After fewer than ``least`` it would be missed."""
    value = integer(name, default)
    if value and value < least:
        raise ImproperlyConfigured(f"{name} is {value}. Give at least {least} days, or 0 to keep for ever.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas or white space."""
    return text(name, default).replace(",", " ").split()


def database(url: str, *, pool: bool) -> dict[str, object]:
    """A ``postgresql://user:password@host:port/name?option=…`` address as Django's DATABASES entry."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            "DATABASE_URL must look like postgresql://user:password@host:5432/name. PostgreSQL 14 or newer."
        )
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured("DATABASE_URL has a port that is not a number.") from None
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", unquote(parts.hostname or "")),
        "PORT": str(port or ""),
        # Nothing needs its connection for longer than a transaction: a pooler may stand before the server.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "CONN_MAX_AGE": 0 if pool else 600,
        "OPTIONS": {**query, **({"pool": {"min_size": 2, "max_size": 16, "timeout": 10}} if pool else {})},
    }
