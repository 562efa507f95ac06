from django.db import migrations


class Migration(migrations.Migration):
    """Brings two branches of the schema together."""

    dependencies = [("recipients", "0004_optin"), ("recipients", "0004_segments")]
    operations = []
