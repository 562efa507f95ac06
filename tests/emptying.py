"""A pytest plugin: empties the database after a test that committed, in milliseconds instead of seconds.

Django truncates every table, and then makes content types, permissions and roles anew. Here only tables that have rows are
emptied; those three stay, unless the test changed them: then it is done as Django does it.
"""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

# What migrating fills, in the order in which it can be told whether somebody changed it.
KEPT = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")
# Every insert and update shows in a row's xmin, every deletion in the number of rows.
AS_MIGRATED = " UNION ALL ".join(
    f"SELECT count(*), coalesce(max(xmin::text::bigint), 0) FROM {table}" for table in KEPT
)


def flush() -> None:
    """As Django does it. Numbers go on: what a process remembers by one is not that of another row."""
    call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


class Emptying:
    def __init__(self) -> None:
        names = connection.introspection.django_table_names(only_existing=True, include_views=False)
        self.tables = sorted({*names} - {*KEPT})
        self.has_rows = " UNION ALL ".join(
            f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in self.tables
        )
        self.as_migrated = self._look()

    def empty(self) -> None:
        if self._look() != self.as_migrated:
            flush()
            self.as_migrated = self._look()
            return
        with connection.cursor() as cursor:
            cursor.execute(self.has_rows)
            tables = [table for (table,) in cursor.fetchall()]
            # Who refers to whom doesn't matter in the end: all of it goes.
            if tables:
                deleting = ";".join(f"DELETE FROM {table}" for table in tables)
                cursor.execute(f"BEGIN;SET LOCAL session_replication_role = replica;{deleting};COMMIT")

    @staticmethod
    def _look() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(AS_MIGRATED)
            return list(cursor.fetchall())


@pytest.fixture(scope="session", autouse=True)
def _emptying(request: pytest.FixtureRequest) -> Any:
    emptying: list[Emptying] = []

    def teardown(_case: TransactionTestCase) -> None:
        if not emptying:
            flush()
            emptying.append(Emptying())
        else:
            emptying[0].empty()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", teardown)
        yield
