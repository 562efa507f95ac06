import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from signalize_console.activity.migration_operations import CreatePartitionedModel, make_partitions


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("messaging", "0001_initial"),
        ("recipients", "0001_initial"),
        ("websites", "0001_initial"),
    ]

    operations = [
        CreatePartitionedModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(editable=False, verbose_name="day")),
                ("push_service", models.CharField(max_length=16, verbose_name="push service")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("sending", "sending"),
                            ("accepted", "accepted"),
                            ("gone", "gone"),
                            ("failed", "failed"),
                            ("expired", "expired"),
                            ("cancelled", "cancelled"),
                            ("suppressed", "suppressed"),
                            ("unknown", "unknown"),
                        ],
                        default="pending",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                (
                    "due_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="due"
                    ),
                ),
                ("lease_until", models.DateTimeField(null=True, verbose_name="leased until")),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, verbose_name="attempts")),
                ("reason", models.CharField(db_default="", max_length=64, verbose_name="reason")),
                ("status_code", models.PositiveSmallIntegerField(null=True, verbose_name="status code")),
                ("answered_at", models.DateTimeField(null=True, verbose_name="answered")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created"
                    ),
                ),
                (
                    "push_message",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="messaging.pushmessage",
                        verbose_name="push message",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="recipients.recipient",
                        verbose_name="recipient",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="recipients.subscription",
                        verbose_name="subscription",
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery",
                "verbose_name_plural": "deliveries",
            },
        ),
        CreatePartitionedModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(editable=False, verbose_name="day")),
                ("number", models.PositiveSmallIntegerField(verbose_name="number")),
                ("outcome", models.CharField(max_length=20, verbose_name="outcome")),
                ("reason", models.CharField(max_length=64, verbose_name="reason")),
                ("status_code", models.PositiveSmallIntegerField(null=True, verbose_name="status code")),
                ("answer", models.CharField(max_length=500, verbose_name="answer")),
                ("milliseconds", models.PositiveIntegerField(verbose_name="milliseconds")),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="when"
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="log",
                        to="deliveries.delivery",
                        verbose_name="delivery",
                    ),
                ),
            ],
            options={
                "verbose_name": "attempt",
                "verbose_name_plural": "attempts",
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                ("fingerprint", models.BinaryField(max_length=32)),
                ("answer", models.JSONField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "push_message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="messaging.pushmessage"
                    ),
                ),
                (
                    "website",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="websites.website"),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "pending")),
                fields=["push_message", "due_at"],
                name="delivery_pending",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "sending")),
                fields=["push_message", "lease_until"],
                name="delivery_leased",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["push_message", "state"], name="delivery_by_state"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["recipient", "-id"], name="delivery_of_recipient"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                fields=("push_message", "subscription", "day"), name="one_delivery_a_subscription"
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["delivery", "number"], name="attempt_of_delivery"),
        ),
        migrations.AddConstraint(
            model_name="idempotencykey",
            constraint=models.UniqueConstraint(fields=("website", "key"), name="one_message_a_key"),
        ),
        make_partitions("deliveries_delivery", "deliveries_attempt"),
    ]
