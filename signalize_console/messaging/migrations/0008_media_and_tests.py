import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0007_message_lists"),
        ("websites", "0003_optin"),
    ]

    operations = [
        migrations.AddField(
            model_name="pushmessage",
            name="test",
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name="test"),
        ),
        migrations.CreateModel(
            name="Media",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("icon", "icon"), ("image", "large image"), ("badge", "badge")],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("name", models.CharField(help_text="Only seen here.", max_length=100, verbose_name="name")),
                ("file_name", models.CharField(editable=False, max_length=48, verbose_name="file")),
                ("width", models.PositiveIntegerField(editable=False, verbose_name="width")),
                ("height", models.PositiveIntegerField(editable=False, verbose_name="height")),
                ("weight", models.PositiveIntegerField(editable=False, verbose_name="bytes")),
                (
                    "uploaded_by",
                    models.CharField(editable=False, max_length=200, verbose_name="uploaded by"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="uploaded",
                    ),
                ),
                (
                    "website",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="websites.website",
                        verbose_name="website",
                    ),
                ),
            ],
            options={
                "verbose_name": "picture",
                "verbose_name_plural": "media library",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["file_name"], name="media_by_file_name")],
                "constraints": [
                    models.UniqueConstraint(fields=("website", "kind", "file_name"), name="one_media_a_file")
                ],
            },
        ),
    ]
