"""What the console keeps of its own people. The audit log grows, and changes in no other way."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

APPEND_ONLY = """
CREATE FUNCTION console_auditrecord_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is append-only.' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON console_auditrecord
    FOR EACH ROW EXECUTE FUNCTION console_auditrecord_refuse();
"""
NO_LONGER = """
DROP TRIGGER append_only ON console_auditrecord;
DROP FUNCTION console_auditrecord_refuse();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("sessions", "0001_initial"),
        ("websites", "0003_optin"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="when",
                    ),
                ),
                ("user_id", models.BigIntegerField(editable=False, null=True)),
                ("by", models.CharField(editable=False, max_length=150, verbose_name="who")),
                ("deed", models.CharField(editable=False, max_length=64, verbose_name="did what")),
                (
                    "about",
                    models.CharField(blank=True, editable=False, max_length=100, verbose_name="to what"),
                ),
                (
                    "object_id",
                    models.CharField(blank=True, editable=False, max_length=64, verbose_name="number"),
                ),
                ("website_id", models.BigIntegerField(editable=False, null=True, verbose_name="website")),
                (
                    "detail",
                    models.CharField(blank=True, editable=False, max_length=500, verbose_name="detail"),
                ),
            ],
            options={
                "verbose_name": "audit record",
                "verbose_name_plural": "audit log",
                "ordering": ["-id"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["about", "object_id"], name="audit_record_about"),
                    models.Index(fields=["user_id", "at"], name="audit_record_of_user"),
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, NO_LONGER),
        migrations.CreateModel(
            name="WebsiteLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="website_limit",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "websites",
                    models.ManyToManyField(blank=True, to="websites.website", verbose_name="websites"),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="StaffSession",
            fields=[
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="sessions.session",
                    ),
                ),
                ("browser", models.CharField(blank=True, max_length=60)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["-seen_at"], "default_permissions": ()},
        ),
    ]
