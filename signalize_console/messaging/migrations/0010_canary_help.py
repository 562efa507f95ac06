from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0009_variants"),
    ]

    operations = [
        migrations.AlterField(
            model_name="pushmessage",
            name="canary",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="A small share gets it first. The rest follows by itself, unless too many of those are gone, refused, unsubscribed or closed; the website says how many.",
                verbose_name="test on a few first",
            ),
        ),
    ]
