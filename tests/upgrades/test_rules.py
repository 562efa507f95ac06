"""Every migration that comes may run beside a console, and the code before it lives with what it made."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models.functions import Now

from tests.upgrades import rules

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = {"max_length": 16}
EVENT_BY_NAME = models.Index(fields=["name"], name="event_by_name")


def sql_of(app: str, operation: Any) -> list[str]:
    state = ProjectState.from_apps(apps)
    then = state.clone()
    operation.state_forwards(app, then)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        operation.database_forwards(app, editor, state, then)
        return list(editor.collected_sql)


def test_what_comes_after_the_baseline_keeps_to_the_rules() -> None:
    loader = MigrationLoader(connection)
    coming = rules.after_baseline(loader)
    assert coming
    for migration in coming:
        if (migration.app_label, migration.name) not in rules.EXCEPTIONS:
            assert rules.complaints(migration, loader) == [], migration


def test_the_baseline_and_the_exceptions_are_there() -> None:
    loader = MigrationLoader(connection)
    assert {*rules.BASELINE.items(), *rules.EXCEPTIONS} <= set(loader.graph.nodes)
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("signalize_console.")}
    assert {app for app, _name in loader.graph.nodes} & ours == set(rules.BASELINE)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("0008_variants", "ON CONFLICT"),  # the code before it could sum up no report any more
        ("0009_installation", "what Python does"),
    ],
)
def test_the_rules_see_what_would_have_broken(name: str, why: str) -> None:
    loader = MigrationLoader(connection)
    assert why in " ".join(rules.complaints(loader.graph.nodes["deliveries", name], loader))


@pytest.mark.parametrize(
    ("app", "operation"),
    [
        ("recipients", migrations.AddField("recipient", "nickname", models.CharField(**TEXT, default=""))),
        ("deliveries", migrations.AddField("heartbeat", "place", models.CharField(**TEXT, default=""))),
        ("recipients", migrations.AddField("recipient", "website_2", models.ForeignKey("websites.Website", models.CASCADE, null=True))),
        ("recipients", migrations.AddField("recipient", "number", models.IntegerField(null=True, unique=True))),
        ("recipients", migrations.RemoveField("recipient", "language")),
        ("recipients", migrations.RenameField("recipient", "language", "tongue")),
        ("recipients", migrations.RenameModel("Recipient", "Person")),
        ("recipients", migrations.AlterModelTable("recipient", "people")),
        ("recipients", migrations.AlterField("recipient", "language", models.IntegerField())),
        ("webhooks", migrations.DeleteModel("WebhookDelivery")),
        ("activity", migrations.AddIndex("event", EVENT_BY_NAME)),
        ("recipients", migrations.AddConstraint("recipient", models.CheckConstraint(condition=~models.Q(language="x"), name="no_x"))),
        ("recipients", migrations.AddConstraint("recipient", models.UniqueConstraint(fields=["seen_at"], name="one_look"))),
        ("deliveries", migrations.RemoveConstraint("heartbeat", "one_heartbeat_a_process")),
        ("recipients", migrations.RunSQL("UPDATE recipients_recipient SET language = 'en'")),
        ("recipients", migrations.RunSQL("ALTER TABLE recipients_recipient ALTER COLUMN language SET NOT NULL")),
        ("recipients", migrations.RunSQL("ALTER TABLE recipients_recipient ADD COLUMN token uuid DEFAULT gen_random_uuid()")),
    ],
)  # fmt: skip
def test_what_may_not_be_done(app: str, operation: Any) -> None:
    assert rules.judged(sql_of(app, operation))


@pytest.mark.parametrize(
    ("app", "operation"),
    [
        ("recipients", migrations.AddField("recipient", "nickname", models.CharField(**TEXT, db_default=""))),
        ("recipients", migrations.AddField("recipient", "nickname", models.CharField(**TEXT, null=True))),
        ("recipients", migrations.AddField("recipient", "since", models.DateTimeField(db_default=Now()))),
        ("recipients", migrations.AddField("recipient", "is_known", models.BooleanField(db_default=False))),
        ("recipients", migrations.AddField("recipient", "flags", models.JSONField(db_default=[]))),
        ("recipients", migrations.AlterField("recipient", "language", models.CharField(max_length=35, blank=True, help_text="as BCP 47 has it"))),
        ("activity", AddIndexConcurrently("event", EVENT_BY_NAME)),
        ("websites", migrations.AddIndex("website", models.Index(fields=["name"], name="website_by_name"))),
        ("websites", migrations.CreateModel("Palette", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=9, unique=True))])),
    ],
)  # fmt: skip
def test_what_may_be_done(app: str, operation: Any) -> None:
    assert rules.judged(sql_of(app, operation)) == []


def test_what_cant_be_repeated_stays_within_a_transaction() -> None:
    class Half(migrations.Migration):
        atomic = False
        operations = [migrations.AddField("heartbeat", "place", models.CharField(**TEXT, db_default=""))]

    loader = MigrationLoader(connection)
    half = Half("0013_half", "deliveries")
    loader.graph.add_node(("deliveries", "0013_half"), half)
    loader.graph.add_dependency(half, ("deliveries", "0013_half"), ("deliveries", "0012_heartbeat_sharing"))
    assert "can't be repeated" in " ".join(rules.complaints(half, loader))
