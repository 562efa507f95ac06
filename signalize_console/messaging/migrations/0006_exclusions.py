import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audiences", "0002_lists"),
        ("messaging", "0005_sending"),
    ]

    operations = [
        migrations.AddField(
            model_name="pushmessage",
            name="rest_hours",
            field=models.PositiveSmallIntegerField(
                blank=True,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(8760),
                ],
                verbose_name="recently messaged",
            ),
        ),
        migrations.CreateModel(
            name="ExcludedSegment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "push_message",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="messaging.pushmessage",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="audiences.segment"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("push_message", "segment"), name="excluded_once_from_a_message"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="pushmessage",
            name="excluded_segments",
            field=models.ManyToManyField(
                related_name="+",
                through="messaging.ExcludedSegment",
                to="audiences.segment",
                verbose_name="left out",
            ),
        ),
    ]
