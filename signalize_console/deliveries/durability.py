"""What a database must promise before anything is sent: that what it has committed survives a crash of it.

Without that, a claim that was lost is claimed again, and a marketing message posted twice.
"""

import functools
import os
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import connection

UNSAFE = """
SELECT name FROM pg_settings
WHERE name IN ('synchronous_commit', 'fsync', 'full_page_writes') AND setting = 'off' ORDER BY name
"""


def unsafe(database: Any) -> list[str]:
    """The settings of this connection (Django's or psycopg's) that are off and must not be."""
    with database.cursor() as cursor:
        cursor.execute(UNSAFE)
        return [name for (name,) in cursor.fetchall()]


def in_words(settings: list[str]) -> str:
    return (
        f"PostgreSQL has {', '.join(settings)} switched off: after a crash of it, messages would be lost or "
        "sent twice. Nothing is sent until that is on (also look at ALTER ROLE and ALTER DATABASE)."
    )


def ensure() -> None:
    """Raises ImproperlyConfigured where the database doesn't promise it. Asks once in each process."""
    _ensure(os.getpid())


@functools.cache
def _ensure(_process: int) -> None:
    if settings := unsafe(connection):
        raise ImproperlyConfigured(in_words(settings))
