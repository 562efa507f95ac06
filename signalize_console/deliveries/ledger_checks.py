"""What ``manage.py verify_ledger`` found the last time, for ``/metrics``."""

from django.db import connection, models
from django.db.models.functions import Now

NOTE = """
INSERT INTO deliveries_ledgercheck (id, checked_at, violations) VALUES (1, now(), %s)
ON CONFLICT (id) DO UPDATE SET checked_at = now(), violations = excluded.violations
"""


class LedgerCheck(models.Model):
    """One row, or none before the first check."""

    checked_at = models.DateTimeField(db_default=Now())
    violations = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.violations} {self.checked_at:%Y-%m-%d}"


def note(violations: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [violations])
