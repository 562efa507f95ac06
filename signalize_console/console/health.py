"""Whether this process can serve (200 with a database, 503 without), and whether messages go out."""

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse

from signalize_console.deliveries import health as deliveries_health


def health(_request: HttpRequest) -> JsonResponse:
    """``status`` is "ok", "degraded" (``silent`` and ``secondsLate`` say why) or "no database"."""
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
        }
    )
