"""When to send: a moment, or a wall clock's time in a time zone."""

import datetime
import zoneinfo
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from signalize_console.api.parsing import Milliseconds

MOMENT_SCHEMA = {
    "type": "object",
    "properties": {"sendAt": {"type": "integer", "minimum": 0, "maximum": 4_102_444_800_000}},
    "required": ["sendAt"],
    "additionalProperties": False,
}
LOCAL_SCHEMA = {
    "type": "object",
    "properties": {
        "localTime": {"type": "string", "format": "local-time", "description": "2026-12-24T09:00"},
        "timeZone": {"type": "string", "format": "time-zone", "description": "Europe/Berlin"},
    },
    "required": ["localTime", "timeZone"],
    "additionalProperties": False,
}


@extend_schema_field(
    {
        "oneOf": [MOMENT_SCHEMA, LOCAL_SCHEMA],
        "description": "Milliseconds since 1970, or a local time with any IANA time zone.",
    }
)
class Schedule(serializers.Field):
    """``{"sendAt": 1795000000000}`` or ``{"localTime": "2026-12-24T09:00", "timeZone": "Europe/Berlin"}``.

    A local time that comes twice at the end of summer time is the first of both; one that the clock skips is
    as much later.
    """

    moment = Milliseconds()

    def to_internal_value(self, data: Any) -> datetime.datetime:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError("Give an object with sendAt, or with localTime and timeZone.")
        if set(data) == {"sendAt"}:
            try:
                return self.moment.run_validation(data["sendAt"])
            except serializers.ValidationError as error:
                raise serializers.ValidationError({"sendAt": error.detail}) from error
        if set(data) == {"localTime", "timeZone"}:
            return local_time(data["localTime"], data["timeZone"])
        raise serializers.ValidationError("Give either sendAt, or localTime and timeZone.")


def local_time(written: Any, zone: Any) -> datetime.datetime:
    try:
        known = zoneinfo.ZoneInfo(zone)
    except (TypeError, ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        message = "Give a time zone of the IANA database, such as Europe/Berlin."
        raise serializers.ValidationError({"timeZone": [message]}) from None
    try:
        naive = datetime.datetime.strptime(written, "%Y-%m-%dT%H:%M")
    except (TypeError, ValueError):
        message = "Give a local time such as 2026-12-24T09:00."
        raise serializers.ValidationError({"localTime": [message]}) from None
    if not 2000 <= naive.year < 2100:
        raise serializers.ValidationError({"localTime": ["Give a year of this century."]})
    return naive.replace(tzinfo=known).astimezone(datetime.UTC)
