"""``manage.py check --deploy``: clean with what deploy/ documents, and a sentence for each thing that is wrong."""

import datetime
import os
import re
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from django.core.checks import CheckMessage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from pytest_django import Settings

from signalize_console.console import system_checks as checks
from signalize_console.websites.models import VapidKey, Website
from signalize_console.websites.sealing import seal
from tests.makers import make_website
from tests.web import ROOT

HOST = "push.example.com"
LOCAL = ["localhost", "127.0.0.1", "[::1]"]
HERE = {"ALLOWED_HOSTS": [HOST, *LOCAL]}
# What compose takes for a variable that isn't set.
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


def ids(found: list[CheckMessage]) -> list[str | None]:
    return [one.id for one in found]


def documented(tmp_path: Path) -> dict[str, dict[str, str]]:
    """The settings of the three recipes, with secrets as deploy/secrets makes them."""
    (tmp_path / "secrets").write_text((ROOT / "deploy/secrets").read_text())
    subprocess.run(["sh", tmp_path / "secrets"], check=True, capture_output=True)
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    compose = {
        name: DEFAULT.sub(r"\1", value.replace("${ALLOWED_HOSTS}", HOST)).replace(
            "/run/secrets", str(tmp_path / "secrets.d")
        )
        for name, value in services["web"]["environment"].items()
    }
    compose["ALLOWED_HOSTS"] = HOST
    systemd = {}
    docs = (ROOT / "docs/operations.md").read_text()
    for line in docs.partition("\nDATABASE_URL=postgresql")[2].partition("```")[0].splitlines()[1:]:
        name, _, value = line.partition("=")
        secret = tmp_path / "secrets.d" / name.removeprefix("SIGNALIZE_").lower()
        systemd[name] = secret.read_text() if value == "…" else value
    production = {}
    steps = (ROOT / "docs/production.md").read_text().partition("<<END\n")[2].partition("\nEND\n")[0]
    for line in steps.splitlines():
        name, _, value = line.partition("=")
        secret = tmp_path / "secrets.d" / name.removeprefix("SIGNALIZE_").lower()
        production[name] = secret.read_text() if secret.exists() else value
    return {"compose": compose, "systemd": systemd, "production": production}


@pytest.mark.parametrize("recipe", ["compose", "systemd", "production"])
def test_what_is_documented_is_clean(recipe: str, tmp_path: Path) -> None:
    settings = documented(tmp_path)[recipe]
    assert len(settings) > 6
    unwanted = {"SIGNALIZE_HOME", "CELERY_BROKER_URL", "DATABASE_URL"}
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    home = {"SIGNALIZE_HOME": str(tmp_path / "home"), "DATABASE_URL": "postgresql://nobody@localhost/none"}

    def check(**changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            cwd=ROOT, env={**env, **settings, **home, **changed}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    clean, insecure = check(), check(SIGNALIZE_HTTPS="0", DEBUG="1", ALLOWED_HOSTS="")

    assert clean.returncode == 0, clean.stderr
    assert insecure.returncode == 1
    assert {"signalize.E004", "signalize.E010", "security.W018"} <= set(
        insecure.stderr.replace("(", " ").replace(")", " ").split()
    )


@pytest.mark.parametrize(
    ("check", "changed", "expected"),
    [
        (checks.key_encryption_key, {"KEY_ENCRYPTION_KEYS": ["short"]}, ["signalize.E001"]),
        (checks.push_services, {"PUSH_SERVICES": "nonsense"}, ["signalize.E002"]),
        (checks.places_of_development, {"PUSH_SERVICES": "https://a.example=b:1"}, ["signalize.W003"]),
        (checks.places_of_development, {"WEBHOOK_PLACES": "https://a.example=b:1"}, ["signalize.W003"]),
        (checks.places_of_development, {"PUSH_SERVICES": "https://a.example"}, []),
        (checks.public_address, {**HERE, "HTTPS": False, "CSRF_TRUSTED_ORIGINS": ["https://a.example"]}, ["signalize.E004"]),
        (checks.public_address, {**HERE, "HTTPS": True, "CSRF_TRUSTED_ORIGINS": []}, ["signalize.E005"]),
        (checks.public_address, {**HERE, "HTTPS": True, "CSRF_TRUSTED_ORIGINS": ["http://a.example"]}, ["signalize.E005"]),
        (checks.public_address, {"HTTPS": True, "CSRF_TRUSTED_ORIGINS": ["https://a.example"], "ALLOWED_HOSTS": LOCAL}, ["signalize.E010"]),
        (checks.public_address, {**HERE, "HTTPS": True, "CSRF_TRUSTED_ORIGINS": ["https://a.example"]}, []),
        (checks.broker, {"CELERY_ACCEPT_CONTENT": ["json", "pickle"]}, ["signalize.E006"]),
        (checks.broker, {"CELERY_BROKER_URL": "redis://broker:6379/0"}, ["signalize.W007"]),
        (checks.broker, {"CELERY_BROKER_URL": "redis://:x@broker:6379/0"}, []),
        (checks.broker, {"CELERY_BROKER_URL": "redis://127.0.0.1:6379/0"}, []),
        (checks.broker, {"CELERY_BROKER_URL": "redis+socket:///run/valkey.sock"}, []),
        (checks.record_of_erasures, {"ERASURES": "/dev/null/erasures.log"}, ["signalize.E008"]),
        (checks.record_of_erasures, {}, []),
        (checks.time_zones, {}, []),
        (checks.time_zones, {"TIME_ZONE": "Mars/Olympus"}, ["signalize.E009"]),
    ],
)  # fmt: skip
def test_a_setting(
    check: Callable[[], list[CheckMessage]],
    changed: dict[str, object],
    expected: list[str],
    settings: Settings,
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    assert ids(check()) == expected


def found() -> list[str | None]:
    return ids(list(checks.database(["default"])))


def test_the_database(transactional_db: None, settings: Settings) -> None:
    """The tests' own is careless, which is the first finding."""
    make_website()
    assert found() == ["signalize.E101", "signalize.W107"]
    Website.objects.update(contact="https://localhost")
    assert found() == ["signalize.E101", "signalize.E107"]
    Website.objects.update(contact="mailto:web@shop.example")
    assert found() == ["signalize.E101"]
    settings.INSTALLATION = "staging"
    assert found() == ["signalize.E101", "signalize.E106"]
    settings.INSTALLATION = ""
    VapidKey.objects.update(sealed_private_key=make_website().vapid_key.sealed_private_key)
    Website.objects.update(contact="mailto:web@shop.example")
    assert found() == ["signalize.E101", "signalize.E108"]
    with connection.cursor() as cursor:
        newest = "(SELECT max(id) FROM django_migrations WHERE app = 'deliveries')"
        cursor.execute(f"DELETE FROM django_migrations WHERE id = {newest} RETURNING app, name, applied")
        taken = cursor.fetchone()
        try:
            assert found() == ["signalize.E101", "signalize.E104"]
        finally:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", taken)


def test_halves_of_different_keys(transactional_db: None) -> None:
    make_website()
    key = VapidKey.objects.get()
    assert "signalize.E109" not in found()
    key.sealed_private_key = seal(make_website().vapid_key.private_key, key.public_key)
    key.save()
    assert "signalize.E109" in found()


@pytest.mark.parametrize(("ahead", "is_found"), [(-60, True), (-1, False), (1, False), (60, True)])
def test_a_clock_that_is_wrong(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, ahead: int, is_found: bool
) -> None:
    """This machine's, as PostgreSQL's can't be set for a test."""

    class Wrong(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return datetime.datetime.now(tz) + datetime.timedelta(seconds=ahead)

    monkeypatch.setattr(checks, "datetime", types.SimpleNamespace(datetime=Wrong, UTC=datetime.UTC))
    assert ("signalize.E103" in found()) is is_found


def test_isolation_and_time_zone(transactional_db: None, settings: Settings) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_isolation = 'serializable'")
        try:
            assert "signalize.E102" in found()
        finally:
            cursor.execute("RESET default_transaction_isolation")
    assert "signalize.E102" not in found()
    settings.TIME_ZONE = "Mars/Olympus"
    assert "signalize.E105" in found()


def test_it_is_asked_for_by_the_command(transactional_db: None) -> None:
    with pytest.raises(SystemCheckError, match=r"signalize\.E101"):
        call_command("check", "--deploy", "--database", "default")
    call_command("check", "--database", "default")
