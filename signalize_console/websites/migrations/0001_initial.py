import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import signalize_console.websites.models
import signalize_console.websites.origins


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Website",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "secure_code",
                    models.CharField(
                        default=signalize_console.websites.models.make_secure_code,
                        help_text="Stands in the page, in data-secure-code.",
                        max_length=12,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[0-9a-zA-Z]{3,12}$", "3 to 12 letters and digits."
                            )
                        ],
                        verbose_name="secure code",
                    ),
                ),
                (
                    "origins",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            max_length=255, validators=[signalize_console.websites.origins.validate_origin]
                        ),
                        help_text="Exact origins of the site, separated by commas: https://www.example.com, https://example.com",
                        size=None,
                        verbose_name="allowed origins",
                    ),
                ),
                (
                    "contact",
                    models.CharField(
                        help_text="mailto: or https: address that push services may turn to, such as mailto:web@example.com. Apple refuses messages when it isn't real.",
                        max_length=255,
                        validators=[signalize_console.websites.models.validate_contact],
                        verbose_name="contact",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "website",
                "verbose_name_plural": "websites",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="VapidKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_key", models.CharField(max_length=87, unique=True, verbose_name="public key")),
                ("sealed_private_key", models.BinaryField()),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("retired_at", models.DateTimeField(blank=True, null=True, verbose_name="retired")),
                (
                    "website",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vapid_keys",
                        to="websites.website",
                        verbose_name="website",
                    ),
                ),
            ],
            options={
                "verbose_name": "VAPID key",
                "verbose_name_plural": "VAPID keys",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("retired_at", None)),
                        fields=("website",),
                        name="one_current_vapid_key",
                    )
                ],
            },
        ),
    ]
