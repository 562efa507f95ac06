"""Commands that need a session of their own, such as pg_dump's, go to PostgreSQL itself, past a pooler."""

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections

REFUSED = (
    "DATABASE_URL leads to a pooler, such as PgBouncer: what this command sets for its session would stay "
    "with connections that others get next. Set SIGNALIZE_DATABASE_DIRECT_URL to PostgreSQL itself."
)


def go_past(database: str = "default") -> None:
    """Raises CommandError where a pooler answers."""
    connection = connections[database]
    if settings.DATABASE_DIRECT:
        connection.close()
        connection.settings_dict.update(settings.DATABASE_DIRECT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        # A pooler tells its clients numbers of its own.
        if cursor.fetchone() != (cursor.connection.info.backend_pid,):
            raise CommandError(REFUSED)
