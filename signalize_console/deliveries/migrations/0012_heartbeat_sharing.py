from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deliveries", "0011_heartbeat_version"),
    ]

    operations = [
        migrations.AddField(
            model_name="heartbeat",
            name="key_mark",
            field=models.CharField(db_default="", editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name="heartbeat",
            name="missing_picture",
            field=models.CharField(db_default="", editable=False, max_length=48),
        ),
        migrations.AlterField(
            model_name="heartbeat",
            name="kind",
            field=models.CharField(
                choices=[("worker", "worker"), ("engine", "engine"), ("beat", "beat"), ("web", "web")],
                max_length=8,
                verbose_name="kind",
            ),
        ),
    ]
