"""Tables partitioned by month: nothing is lost, whatever the day."""

import datetime
import time

import psycopg
import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.state import ProjectState
from django.db.models import Index

from signalize_console.activity import partitions
from signalize_console.activity.migration_operations import AddIndexToPartitions
from signalize_console.activity.models import Event
from tests.makers import make_recipient, make_website

pytestmark = pytest.mark.django_db


def where_rows_lie() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, count(*) FROM activity_event GROUP BY 1")
        return dict(cursor.fetchall())


def add(day: datetime.date) -> Event:
    recipient = make_recipient(make_website())
    return Event.objects.create(day=day, website=recipient.website, recipient=recipient, kind="shown")


def test_a_row_lies_in_its_month() -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    event = add(today)

    assert event.pk
    assert where_rows_lie() == {f"activity_event_{today:%Y_%m}": 1}


def test_a_day_without_a_partition_is_caught_and_moved_later() -> None:
    event = add(datetime.date(2031, 5, 17))
    assert where_rows_lie() == {"activity_event_default": 1}

    partitions.make("activity_event", datetime.date(2031, 4, 1))

    assert where_rows_lie() == {"activity_event_2031_05": 1}
    assert Event.objects.get(pk=event.pk).day == datetime.date(2031, 5, 17)


def test_making_partitions_twice_changes_nothing() -> None:
    for _time in range(2):
        partitions.make("activity_event", datetime.date(2032, 11, 30))

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname ~ '^activity_event_203[23]_..$' ORDER BY 1"
        )
        names = [name for (name,) in cursor.fetchall()]
    assert names == [f"activity_event_{month}" for month in ("2032_11", "2032_12", "2033_01", "2033_02")]


@pytest.mark.parametrize("table", ["activity_event", "deliveries_delivery", "deliveries_attempt"])
def test_nobody_waits_behind_it_while_a_backup_reads(table: str, caplog: pytest.LogCaptureFixture) -> None:
    server = connection.get_connection_params()
    server.pop("cursor_factory")
    server.pop("context")
    name = f"{table}_2033_05"
    with connection.cursor() as cursor, psycopg.connect(**server) as backup:
        cursor.execute("SET LOCAL statement_timeout = '5s'")
        backup.execute(f"LOCK TABLE {table}, {table}_default IN ACCESS SHARE MODE")
        began = time.monotonic()

        partitions.make(table, datetime.date(2033, 5, 31))

        assert time.monotonic() - began < 2
        assert f"{name} isn't made yet" in caplog.text
        backup.rollback()
        partitions.make(table, datetime.date(2033, 5, 31))

        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        assert cursor.fetchone() == (True,)


WHOLE = """
SELECT whole.indisvalid, count(part.inhrelid), count(DISTINCT own.indrelid)
FROM pg_index whole JOIN pg_inherits part ON part.inhparent = whole.indexrelid
JOIN pg_index own ON own.indexrelid = part.inhrelid AND own.indisvalid
WHERE whole.indexrelid = 'event_by_name'::regclass GROUP BY 1
"""


@pytest.mark.django_db(transaction=True)
def test_an_index_is_added_partition_by_partition_and_an_interrupted_one_goes_on() -> None:
    state = ProjectState.from_apps(apps)
    adding = AddIndexToPartitions("event", Index(fields=["name"], name="event_by_name"))
    adding.state_forwards("activity", state)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'activity_event'::regclass")
        (partitions_there,) = cursor.fetchone()
        # As one that was interrupted leaves it: begun, one partition done, one left invalid.
        cursor.execute("CREATE INDEX event_by_name ON ONLY activity_event (name)")
        cursor.execute("CREATE INDEX done ON activity_event_default (name)")
        cursor.execute("ALTER INDEX event_by_name ATTACH PARTITION done")
        first = f"activity_event_{datetime.datetime.now(datetime.UTC):%Y_%m}"
        cursor.execute(f"CREATE INDEX {first}_event_by_name ON {first} (kind)")
    try:
        for _time in range(2):
            with connection.schema_editor(atomic=False) as schema_editor:
                adding.database_forwards("activity", schema_editor, state, state)

            with connection.cursor() as cursor:
                cursor.execute(WHOLE)
                assert cursor.fetchone() == (True, partitions_there, partitions_there)
        with connection.schema_editor(atomic=False) as schema_editor:
            adding.database_backwards("activity", schema_editor, state, ProjectState.from_apps(apps))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX IF EXISTS event_by_name")
