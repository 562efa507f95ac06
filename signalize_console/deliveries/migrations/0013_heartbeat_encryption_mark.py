from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deliveries", "0012_heartbeat_sharing"),
    ]

    operations = [
        migrations.AddField(
            model_name="heartbeat",
            name="encryption_mark",
            field=models.CharField(db_default="", editable=False, max_length=16),
        ),
    ]
