import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from signalize_console.activity.migration_operations import CreatePartitionedModel, make_partitions


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("recipients", "0001_initial"),
        ("websites", "0001_initial"),
    ]

    operations = [
        CreatePartitionedModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(editable=False, verbose_name="day")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("subscribed", "subscribed"),
                            ("unsubscribed", "unsubscribed"),
                            ("shown", "shown"),
                            ("clicked", "clicked"),
                            ("closed", "closed"),
                        ],
                        max_length=32,
                        verbose_name="kind",
                    ),
                ),
                ("push_message_id", models.BigIntegerField(null=True, verbose_name="push message")),
                ("delivery_id", models.BigIntegerField(null=True, verbose_name="delivery")),
                ("properties", models.JSONField(default=dict, verbose_name="properties")),
                (
                    "occurred_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="when"
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="recipients.recipient",
                        verbose_name="recipient",
                    ),
                ),
                (
                    "website",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="websites.website",
                        verbose_name="website",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "indexes": [
                    models.Index(fields=["recipient", "-occurred_at"], name="event_of_recipient"),
                    models.Index(
                        condition=models.Q(("push_message_id", None), _negated=True),
                        fields=["push_message_id", "kind"],
                        name="event_of_push_message",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("delivery_id", None), _negated=True),
                        fields=("delivery_id", "kind", "day"),
                        name="one_report_of_a_kind",
                    )
                ],
            },
        ),
        make_partitions("activity_event"),
    ]
