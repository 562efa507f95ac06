"""Django's system checks, with what is ours: ``manage.py check --deploy --database default``.

Nothing of it is asked by ``migrate`` or ``runserver`` but the first two; all else is for production.
"""

import datetime
import ipaddress
import os
import zoneinfo
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from signalize_console.deliveries import durability, erasure_log, health, heartbeats, installation
from signalize_console.webpush import vapid
from signalize_console.webpush.push_services import PushServices
from signalize_console.websites.models import VapidKey, Website
from signalize_console.websites.sealing import seal

MOST_SKEW = datetime.timedelta(seconds=2)
CHUNK = 500
SHOWN = 5
EXAMPLE = "example.com"
# What settings.py always allows.
THIS_MACHINE = {"localhost", "127.0.0.1", "[::1]"}


def key_encryption_key(**_facts: Any) -> list[CheckMessage]:
    try:
        seal(b"", "check")
    except ImproperlyConfigured as error:
        return [Error(str(error), id="signalize.E001")]
    return []


def push_services(**_facts: Any) -> list[CheckMessage]:
    try:
        PushServices.from_text(settings.PUSH_SERVICES)
    except ValueError as error:
        return [Error(f"SIGNALIZE_PUSH_SERVICES: {error}", id="signalize.E002")]
    return []


def places_of_development(**_facts: Any) -> list[CheckMessage]:
    led = {
        "SIGNALIZE_PUSH_SERVICES": settings.PUSH_SERVICES,
        "SIGNALIZE_WEBHOOK_PLACES": settings.WEBHOOK_PLACES,
    }
    return [
        Warning(
            f"{name} leads addresses to other places, which is for development.",
            hint="Endpoints and webhooks are then sent to whoever listens there.",
            id="signalize.W003",
        )
        for name, text in led.items()
        if "=" in text
    ]


def public_address(**_facts: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.HTTPS:
        found.append(
            Error(
                "SIGNALIZE_HTTPS is 0.",
                hint="Browsers allow push over HTTPS only. Put a proxy with TLS before it, and set 1.",
                id="signalize.E004",
            )
        )
    insecure = [one for one in settings.CSRF_TRUSTED_ORIGINS if not one.startswith("https://")]
    if insecure or not settings.CSRF_TRUSTED_ORIGINS:
        found.append(
            Error(
                "CSRF_TRUSTED_ORIGINS must name the console's public address with https://.",
                hint="Such as https://push.example.com: without it nobody can log in through the proxy.",
                id="signalize.E005",
            )
        )
    if set(settings.ALLOWED_HOSTS) <= THIS_MACHINE:
        found.append(
            Error(
                "ALLOWED_HOSTS names no public host.",
                hint="Such as push.example.com: without it, every request through the proxy is refused.",
                id="signalize.E010",
            )
        )
    return found


def broker(**_facts: Any) -> list[CheckMessage]:
    if settings.CELERY_ACCEPT_CONTENT != ["json"]:
        return [Error("Celery must take JSON only: pickles run code.", id="signalize.E006")]
    parts = urlsplit(settings.CELERY_BROKER_URL)
    if parts.password or parts.scheme.endswith("+socket") or _is_this_machine(parts.hostname or ""):
        return []
    return [
        Warning(
            "CELERY_BROKER_URL has no password.",
            hint="Whoever reaches the broker could wake workers, or keep them from working.",
            id="signalize.W007",
        )
    ]


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def record_of_erasures(**_facts: Any) -> list[CheckMessage]:
    file = erasure_log.path()
    existing = next(place for place in (file, *file.parents) if place.exists())
    if os.access(existing, os.W_OK) and (existing == file or existing.is_dir()):
        return []
    hint = "After a restore, erased recipients would be back. Set SIGNALIZE_ERASURES to a file that can."
    return [Error(f"{file} can't be written.", hint=hint, id="signalize.E008")]


def time_zones(**_facts: Any) -> list[CheckMessage]:
    if {settings.TIME_ZONE, "Europe/Berlin"} <= zoneinfo.available_timezones():
        return []
    return [Error("There is no data of time zones here.", hint="Install tzdata.", id="signalize.E009")]


def database(databases: Sequence[str] | None = None, **_facts: Any) -> Iterator[CheckMessage]:
    for alias in databases or []:
        yield from _settings_of(connections[alias])
        if missing := _migrations_missing(connections[alias]):
            yield Error(
                f"Migrations are missing ({len(missing)}): {', '.join(missing[:SHOWN])}"
                f"{', …' if len(missing) > SHOWN else '.'}",
                hint="Run manage.py migrate.",
                id="signalize.E104",
            )
        else:
            yield from _content()


def _settings_of(connection: Any) -> Iterator[CheckMessage]:
    if unsafe := durability.unsafe(connection):
        yield Error(durability.in_words(unsafe), id="signalize.E101")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_isolation'), clock_timestamp()")
        isolation, now = cursor.fetchone()
        cursor.execute("SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = %s)", [settings.TIME_ZONE])
        (knows_zone,) = cursor.fetchone()
    if isolation != "read committed":
        yield Error(
            f"PostgreSQL's isolation is {isolation}; the engine needs read committed.", id="signalize.E102"
        )
    skew = abs(datetime.datetime.now(datetime.UTC) - now)
    if skew > MOST_SKEW:
        hint = "Leases, appointments and signatures need the right time. Switch NTP on, on both machines."
        yield Error(
            f"The clocks of PostgreSQL and of this machine are {skew.total_seconds():.0f} s apart.",
            hint=hint,
            id="signalize.E103",
        )
    if not knows_zone:
        yield Error(
            f"PostgreSQL doesn't know the time zone {settings.TIME_ZONE}.",
            hint="Install tzdata there.",
            id="signalize.E105",
        )


def _migrations_missing(connection: Any) -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def _content() -> Iterator[CheckMessage]:
    if installation.is_elsewhere():
        yield Error(installation.ELSEWHERE, id="signalize.E106")
    yield from _shared()
    for name, contact in Website.objects.values_list("name", "contact").iterator(CHUNK):
        try:
            vapid.check_subject(contact)
        except ValueError as error:
            yield Error(f"{name}: {error}", hint="Set it on the website's page.", id="signalize.E107")
        else:
            if contact.endswith(EXAMPLE):
                yield Warning(
                    f"{name}: the contact {contact} reaches nobody.",
                    hint="Apple may refuse it.",
                    id="signalize.W107",
                )
    for key in VapidKey.objects.select_related("website").order_by("pk").iterator(CHUNK):
        try:
            is_pair = key.is_pair
        except ImproperlyConfigured as error:
            yield Error(f"{key.website}, key {key}: {error}", id="signalize.E108")
        else:
            if not is_pair:
                yield Error(
                    f"{key.website}, key {key}: its halves don't match.",
                    hint="Restore the database from a backup.",
                    id="signalize.E109",
                )


def _shared() -> Iterator[CheckMessage]:
    """What this machine, by its settings, and those at work must have in common."""
    found = health.look()
    if others := _others(found.secret_keys, heartbeats.key_mark()):
        yield Error(
            f"SECRET_KEY is another one here than that of {others}.",
            hint="Give all the same, and restart: each refuses the sessions and reports of the other.",
            id="signalize.E110",
        )
    if others := _others(found.encryption_keys, heartbeats.encryption_mark()):
        yield Error(
            f"SIGNALIZE_KEY_ENCRYPTION_KEY is another one here than that of {others}.",
            hint="Give all the same, and restart: what is sealed with the one, the other can't open.",
            id="signalize.E112",
        )
    for who, file in found.missing_pictures.items():
        yield Error(
            f"{who}: the newest picture ({file}) isn't in SIGNALIZE_HOME/media.",
            hint="Mount one directory there on all machines with a web, or bring it back from a backup.",
            id="signalize.E111",
        )


def _others(keys: dict[str, list[str]], ours: str) -> str:
    return ", ".join(who for mark, parts in keys.items() if mark != ours for who in parts)


def establish() -> None:
    for check in (key_encryption_key, push_services):
        register(check, Tags.security)
    for check in (places_of_development, public_address, broker, record_of_erasures, time_zones):
        register(check, Tags.security, deploy=True)
    register(database, Tags.database, deploy=True)
