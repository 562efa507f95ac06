from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deliveries", "0007_test_browsers"),
        ("websites", "0006_imports"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="dailycount",
            name="one_count_a_day",
        ),
        migrations.AddField(
            model_name="dailycount",
            name="variant",
            field=models.CharField(db_default="", default="", max_length=1),
        ),
        migrations.AddField(
            model_name="delivery",
            name="variant",
            field=models.CharField(
                choices=[("A", "A"), ("B", "B: half read this")],
                max_length=1,
                null=True,
                verbose_name="variant",
            ),
        ),
        migrations.AddConstraint(
            model_name="dailycount",
            constraint=models.UniqueConstraint(
                fields=(
                    "website",
                    "name",
                    "day",
                    "push_message_id",
                    "push_service",
                    "language",
                    "platform",
                    "detail",
                    "variant",
                ),
                name="one_count_a_day",
            ),
        ),
    ]
