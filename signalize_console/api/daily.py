"""Statistics of the website, day by day."""

import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from signalize_console.api import examples, schemas
from signalize_console.api.authentication import caller_of
from signalize_console.api.endpoint import Endpoint, asked
from signalize_console.api.parsing import Strict
from signalize_console.api.scopes import Scope
from signalize_console.deliveries import statistics

MOST_DAYS, USUAL_DAYS = 92, 30


class Period(Strict):
    """The parameters ``from`` and ``to``, both days included; without them the last 30 days."""

    def get_fields(self) -> dict[str, serializers.Field]:
        # "from" can't be a name in Python.
        return {"from": serializers.DateField(required=False), "to": serializers.DateField(required=False)}

    def validate(self, data: dict[str, Any]) -> Any:
        last = data.get("to") or timezone.now().date()
        first = data.get("from") or datetime.date.fromordinal(max(1, last.toordinal() - USUAL_DAYS + 1))
        if not 0 <= (last - first).days < MOST_DAYS:
            raise serializers.ValidationError(
                f"Ask for 1 to {MOST_DAYS} days, from the earlier to the later."
            )
        return {"first": first, "last": last}


class DailyStatistics(Endpoint):
    """The website's numbers, a row for each day."""

    scopes = {"GET": Scope.READ_STATISTICS}

    @extend_schema(
        operation_id="getDailyStatistics",
        summary="Statistics day by day",
        description=(
            "Up to 92 days, in UTC. What a message reached counts on the day it was accepted; what visitors "
            "did, on the day they did it, and shown, clicked and closed on the message's day."
        ),
        parameters=[Period],
        responses={200: schemas.Days, **schemas.errors(400, 401, 403, 429, 503)},
        examples=[examples.DAYS],
    )
    def get(self, request: Request) -> Response:
        period = asked(Period, request)
        website_id = caller_of(request).website_id
        return Response({"days": statistics.per_day(website_id, period["first"], period["last"])})
