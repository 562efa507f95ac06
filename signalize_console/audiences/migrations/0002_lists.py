import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audiences", "0001_initial"),
        ("recipients", "0005_api"),
        ("websites", "0003_optin"),
    ]

    operations = [
        migrations.CreateModel(
            name="RecipientList",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "size",
                    models.PositiveBigIntegerField(default=0, editable=False, verbose_name="recipients"),
                ),
                (
                    "filled_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="last upload"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
                (
                    "website",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lists",
                        to="websites.website",
                        verbose_name="website",
                    ),
                ),
            ],
            options={
                "verbose_name": "list",
                "verbose_name_plural": "lists",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("website", "name"), name="unique_list_of_website")
                ],
            },
        ),
        migrations.CreateModel(
            name="ListMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "list",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="audiences.recipientlist",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lists",
                        to="recipients.recipient",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("list", "recipient"), name="once_on_a_list")],
            },
        ),
    ]
