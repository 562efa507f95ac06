import django.contrib.postgres.fields
from django.db import migrations, models

# Who is removed in one statement, as by an import that is taken back, takes the runs along.
CONSTRAINT = "automations_run_recipient_id_7ce18770_fk_recipient"
RENEW = f"""
ALTER TABLE automations_run DROP CONSTRAINT {CONSTRAINT}, ADD CONSTRAINT {CONSTRAINT}
    FOREIGN KEY (recipient_id) REFERENCES recipients_recipient (id) {{}} DEFERRABLE INITIALLY DEFERRED
"""


class Migration(migrations.Migration):
    dependencies = [
        ("automations", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="messages",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                db_default=[],
                size=None,
                verbose_name="push messages",
            ),
        ),
        migrations.RunSQL(RENEW.format("ON DELETE CASCADE"), RENEW.format("")),
    ]
