from django.db import migrations, models

from signalize_console.activity.migration_operations import AddIndexToPartitions


class Migration(migrations.Migration):
    """A BRIN index says nothing of the newest rows until autovacuum comes by, and those are what readers want."""

    atomic = False

    dependencies = [
        ("activity", "0005_horizon"),
    ]

    operations = [
        AddIndexToPartitions(
            model_name="event",
            index=models.Index(fields=["recorded_in"], name="event_of_transaction"),
        ),
        migrations.RemoveIndex(model_name="event", name="event_recorded_in"),
    ]
