"""Events that another system reports on behalf of a recipient; they feed automations as the page's own do."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from signalize_console.activity.models import LONGEST_NAME
from signalize_console.activity.on_behalf import Happened, record
from signalize_console.api import examples, schemas
from signalize_console.api.customers import recipients_of
from signalize_console.api.endpoint import Endpoint, sent
from signalize_console.api.parsing import Milliseconds, PlainText, Strict, Values
from signalize_console.api.recipients import recipient_of
from signalize_console.api.scopes import Scope

MOST = 100


class EventDoor(Strict):
    name = PlainText(max_length=LONGEST_NAME, help_text="order, insertToBasket, …, or one of your own.")
    properties = Values(default=dict)
    occurredAt = Milliseconds(required=False, help_text="Left out: now.")  # noqa: N815


class Events(Strict):
    """The body of ``POST …/events``."""

    events = serializers.ListField(child=EventDoor(), min_length=1, max_length=MOST)


class RecipientEvents(Endpoint):
    """Events of one recipient."""

    scopes = {"POST": Scope.WRITE_RECIPIENTS}

    @extend_schema(
        operation_id="reportEvents",
        summary="Report events on behalf of a recipient",
        request=Events,
        responses={201: schemas.Recorded, **schemas.errors(400, 401, 403, 404, 413, 415, 429, 503)},
        examples=[examples.EVENTS, examples.RECORDED],
    )
    def post(self, request: Request, client_id: str) -> Response:
        happened = _happened(request)
        return Response({"recorded": record(recipient_of(request, client_id), happened)}, status=201)


class CustomerEvents(Endpoint):
    """Events of one customer."""

    scopes = {"POST": Scope.WRITE_RECIPIENTS}

    @extend_schema(
        operation_id="reportCustomerEvents",
        summary="Report events on behalf of a customer",
        description="Stored once, with the recipient that was seen last: one person, one event.",
        request=Events,
        responses={201: schemas.Recorded, **schemas.errors(400, 401, 403, 404, 413, 415, 429, 503)},
        examples=[examples.EVENTS, examples.RECORDED],
    )
    def post(self, request: Request, customer_id: str) -> Response:
        happened = _happened(request)
        return Response({"recorded": record(recipients_of(request, customer_id)[0], happened)}, status=201)


def _happened(request: Request) -> list[Happened]:
    events: list[dict[str, Any]] = sent(Events, request)["events"]
    return [Happened(one["name"], one["properties"], one.get("occurredAt")) for one in events]
