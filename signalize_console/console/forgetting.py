"""The audit log forgets only where that is set, and never a record of the last year."""

from django.conf import settings
from django.db import connection, transaction

CHUNK = 10_000
# The trigger lets nobody else delete.
ALLOW = "SET LOCAL signalize.forgets = 'audit log'"
# The oldest come first by their ids, too.
FORGET = """
DELETE FROM console_auditrecord
WHERE id IN (SELECT id FROM console_auditrecord ORDER BY id LIMIT %s)
  AND at < now() - make_interval(days => %s)
"""


def forget_old() -> None:
    while days := settings.KEEP_AUDIT_DAYS:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ALLOW)
            cursor.execute(FORGET, [CHUNK, days])
            if cursor.rowcount < CHUNK:
                return
