from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0008_media_and_tests"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="pushmessagetext",
            options={
                "ordering": ["variant", "-standard", "language"],
                "verbose_name": "text",
                "verbose_name_plural": "texts",
            },
        ),
        migrations.AlterModelOptions(
            name="templatetext",
            options={
                "ordering": ["variant", "-standard", "language"],
                "verbose_name": "text",
                "verbose_name_plural": "texts",
            },
        ),
        migrations.RemoveConstraint(
            model_name="pushmessagetext",
            name="one_text_a_language_of_push_message",
        ),
        migrations.RemoveConstraint(
            model_name="pushmessagetext",
            name="one_standard_text_of_push_message",
        ),
        migrations.RemoveConstraint(
            model_name="templatetext",
            name="one_text_a_language_of_template",
        ),
        migrations.RemoveConstraint(
            model_name="templatetext",
            name="one_standard_text_of_template",
        ),
        migrations.AddField(
            model_name="pushmessage",
            name="split_minutes",
            field=models.PositiveIntegerField(
                choices=[
                    (30, "30 minutes"),
                    (60, "1 hour"),
                    (240, "4 hours"),
                    (720, "12 hours"),
                    (1440, "1 day"),
                    (2880, "2 days"),
                ],
                db_default=240,
                default=240,
                verbose_name="and compare the clicks after",
            ),
        ),
        migrations.AddField(
            model_name="pushmessage",
            name="split_percent",
            field=models.PositiveSmallIntegerField(
                choices=[(10, "10 %"), (20, "20 %"), (50, "50 %"), (100, "everyone: half get each")],
                db_default=20,
                default=20,
                verbose_name="try the variants on",
            ),
        ),
        migrations.AddField(
            model_name="pushmessage",
            name="varied",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="pushmessage",
            name="winner",
            field=models.CharField(
                blank=True,
                choices=[("A", "A"), ("B", "B: half read this")],
                db_default="",
                default="",
                editable=False,
                max_length=1,
                verbose_name="better variant",
            ),
        ),
        migrations.AddField(
            model_name="pushmessagetext",
            name="variant",
            field=models.CharField(
                choices=[("A", "A"), ("B", "B: half read this")],
                db_default="A",
                default="A",
                max_length=1,
                verbose_name="variant",
            ),
        ),
        migrations.AddField(
            model_name="templatetext",
            name="variant",
            field=models.CharField(
                choices=[("A", "A"), ("B", "B: half read this")],
                db_default="A",
                default="A",
                max_length=1,
                verbose_name="variant",
            ),
        ),
        migrations.AddConstraint(
            model_name="pushmessagetext",
            constraint=models.UniqueConstraint(
                fields=("push_message", "variant", "language"), name="one_text_a_language_of_push_message"
            ),
        ),
        migrations.AddConstraint(
            model_name="pushmessagetext",
            constraint=models.UniqueConstraint(
                condition=models.Q(("standard", True)),
                fields=("push_message", "variant"),
                name="one_standard_text_of_push_message",
            ),
        ),
        migrations.AddConstraint(
            model_name="templatetext",
            constraint=models.UniqueConstraint(
                fields=("template", "variant", "language"), name="one_text_a_language_of_template"
            ),
        ),
        migrations.AddConstraint(
            model_name="templatetext",
            constraint=models.UniqueConstraint(
                condition=models.Q(("standard", True)),
                fields=("template", "variant"),
                name="one_standard_text_of_template",
            ),
        ),
    ]
