"""Records of the audit log that are older than a year may be deleted, by who says that this is meant."""

from django.db import migrations

REFUSE = """
CREATE OR REPLACE FUNCTION console_auditrecord_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '365 days'
        AND current_setting('signalize.forgets', true) = 'audit log' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The audit log is append-only.' USING ERRCODE = 'insufficient_privilege';
END
$$
"""
REFUSE_ALL = """
CREATE OR REPLACE FUNCTION console_auditrecord_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is append-only.' USING ERRCODE = 'insufficient_privilege';
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("console", "0001_staff")]
    operations = [migrations.RunSQL(REFUSE, REFUSE_ALL)]
