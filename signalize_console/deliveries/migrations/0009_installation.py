from typing import Any

from django.conf import settings
from django.db import migrations

from signalize_console.deliveries.installation import BEGIN, CREATE


def begin(_apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(CREATE)
        cursor.execute(BEGIN, [settings.INSTALLATION])


class Migration(migrations.Migration):
    dependencies = [
        ("deliveries", "0008_variants"),
        ("messaging", "0009_variants"),
        ("recipients", "0007_export_permission"),
    ]

    operations = [
        migrations.RunPython(
            begin,
            lambda _apps, schema_editor: schema_editor.execute("DROP TABLE deliveries_installation"),
        )
    ]
