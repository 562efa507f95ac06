import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("websites", "0006_imports"),
    ]

    operations = [
        migrations.AddField(
            model_name="website",
            name="canary_unsubscribed_limit",
            field=models.PositiveSmallIntegerField(
                db_default=2,
                default=2,
                help_text="Of those who got it. A test that shows more than this stops the message.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(100),
                ],
                verbose_name="unsubscribed, in percent",
            ),
        ),
    ]
