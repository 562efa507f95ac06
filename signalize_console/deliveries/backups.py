"""When ``manage.py backup`` last made one, for ``/metrics``: nobody misses what is made no more."""

from django.db import connection, models
from django.db.models.functions import Now

NOTE = """
INSERT INTO deliveries_backup (id, made_at) VALUES (1, now()) ON CONFLICT (id) DO UPDATE SET made_at = now()
"""


class Backup(models.Model):
    """One row, or none before the first one."""

    made_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.made_at:%Y-%m-%d}"


def note() -> None:
    with connection.cursor() as cursor:
        cursor.execute(NOTE)
