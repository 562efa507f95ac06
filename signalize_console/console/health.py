"""``/health`` and its two halves for whoever starts and stops processes: is it alive, can it serve."""

import functools

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from signalize_console import __version__
from signalize_console.deliveries import health as deliveries_health


def health(_request: HttpRequest) -> JsonResponse:
    """Whether messages go out. ``status`` is "ok", "degraded" (the other fields say why) or,
    with 503, "no database"."""
    try:
        found = deliveries_health.look()
    except DatabaseError:
        return JsonResponse({"status": "no database"}, status=503)
    return JsonResponse(
        {
            "status": "ok" if found.is_good else "degraded",
            "silent": found.silent,
            "secondsSilent": {
                who: None if age is None else round(age, 1) for who, age in found.seconds_silent.items()
            },
            "secondsLate": round(found.seconds_late, 1),
            "openAlerts": found.open_alerts,
            "restoredCopy": found.is_elsewhere,
            "version": __version__,
            "otherVersions": found.other_versions,
            # Which machines, the dashboard says: their names are nobody else's business.
            "secretKeysDiffer": found.keys_differ,
            "encryptionKeysDiffer": found.encryption_keys_differ,
            "picturesMissing": bool(found.missing_pictures),
        }
    )


def live(_request: HttpRequest) -> JsonResponse:
    """This process answers. It asks nobody: a database that is away is no reason to start it anew."""
    return JsonResponse({"status": "ok"})


def ready(_request: HttpRequest) -> JsonResponse:
    """200 if requests can be served: the database answers, and has every table that this version needs."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        _check_migrated()
    except NotMigrated as error:
        return JsonResponse({"status": "migrations missing", "missing": error.args[0]}, status=503)
    except DatabaseError:
        return JsonResponse({"status": "no database"}, status=503)
    return JsonResponse({"status": "ok"})


class NotMigrated(Exception):
    """These migrations have to run first: ``manage.py migrate``."""


@functools.cache
def _check_migrated() -> None:
    """Raises NotMigrated. Once none is missing, none will be: a process has one version."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise NotMigrated([f"{migration.app_label}.{migration.name}" for migration, _backwards in plan])
