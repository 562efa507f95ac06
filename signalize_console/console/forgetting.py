"""The audit log forgets only where that is set, and never a record of the last year; logins go in a month."""

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
# Of django-axes: address, browser and name of who logged in, or tried to.
KEEP_LOGINS_DAYS = 30
LOGINS = ("axes_accesslog", "axes_accessattempt")
FORGET_LOGINS = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE attempt_time < now() - make_interval(days => %s) LIMIT %s))
"""


def forget_old() -> None:
    _forget_logins()
    _forget_audit_records()


def _forget_logins() -> None:
    for table in LOGINS:
        deleted = CHUNK
        while deleted == CHUNK:
            with connection.cursor() as cursor:
                cursor.execute(FORGET_LOGINS.format(table=table), [KEEP_LOGINS_DAYS, CHUNK])
                deleted = cursor.rowcount


def _forget_audit_records() -> None:
    while days := settings.KEEP_AUDIT_DAYS:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ALLOW)
            cursor.execute(FORGET, [CHUNK, days])
            if cursor.rowcount < CHUNK:
                return
