"""How far back the tables that are partitioned by month still reach."""

import datetime
from typing import NamedTuple

from django.db import connection, models
from django.db.models.functions import Now

MOVE = """
INSERT INTO activity_horizon (name, day) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET day = GREATEST(activity_horizon.day, excluded.day), moved_at = now()
"""
DELIVERIES, EVENTS = "deliveries", "events"


class Horizon(models.Model):
    """What is called ``name`` is not kept any more, of days before ``day``."""

    name = models.CharField(max_length=16, unique=True)
    day = models.DateField()
    moved_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.name} {self.day}"


class Kept(NamedTuple):
    """The first days of which everything is there."""

    deliveries: datetime.date
    events: datetime.date


def kept() -> Kept:
    days = dict(Horizon.objects.values_list("name", "day"))
    return Kept(days.get(DELIVERIES, datetime.date.min), days.get(EVENTS, datetime.date.min))


def move(name: str, day: datetime.date) -> None:
    """Forward only."""
    with connection.cursor() as cursor:
        cursor.execute(MOVE, [name, day])
