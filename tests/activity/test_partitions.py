"""Tables partitioned by month: nothing is lost, whatever the day."""

import datetime

import pytest
from django.db import connection

from signalize_console.activity import partitions
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
