"""Customers: all recipients with one customer id, in one go."""

from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from signalize_console.activity import changes
from signalize_console.api import examples, schemas
from signalize_console.api.authentication import caller_of
from signalize_console.api.endpoint import Endpoint, sent
from signalize_console.api.errors import ErrorCode, Unprocessable
from signalize_console.api.profiles import Profile, known, shown_with_devices
from signalize_console.api.recipients import exported
from signalize_console.api.scopes import Scope
from signalize_console.deliveries.erasing import erase
from signalize_console.recipients.models import Recipient
from signalize_console.recipients.upserting import TooManyAttributes, update_customer

# More browsers than one person has; what is beyond is somebody's mistake, and asked for in turns.
MOST = 100


class Customer(Endpoint):
    """The recipients with one customer id."""

    scopes = {
        "GET": Scope.READ_RECIPIENTS,
        "PATCH": Scope.WRITE_RECIPIENTS,
        "DELETE": Scope.WRITE_RECIPIENTS,
    }

    @extend_schema(
        operation_id="getCustomer",
        summary="A customer's recipients, with devices",
        description="Up to 100. GET /v3/recipients?customerId=… has pages.",
        responses={200: schemas.Customer, **schemas.errors(401, 403, 404, 429, 503)},
        examples=[examples.CUSTOMER],
    )
    def get(self, request: Request, customer_id: str) -> Response:
        return Response(_shown(request, customer_id))

    @extend_schema(
        operation_id="changeCustomer",
        summary="Change all recipients of a customer",
        description="What is left out stays; an attribute of null is removed.",
        request=Profile,
        responses={
            200: schemas.Updated,
            **schemas.errors(400, 401, 403, 404, 413, 415, 422, 429, 503),
        },
        examples=[examples.CUSTOMER_PROFILE, examples.UPDATED],
    )
    def patch(self, request: Request, customer_id: str) -> Response:
        data = sent(Profile, request)
        try:
            website_id = caller_of(request).website_id
            with changes.noted(website_id, customer_ids=[customer_id]):
                updated = update_customer(website_id, known(customer_id, data))
        except TooManyAttributes as error:
            raise Unprocessable(str(error), ErrorCode.NOT_ACCEPTED) from error
        if not updated:
            raise Http404
        return Response({"updated": updated})

    @extend_schema(
        operation_id="eraseCustomer",
        summary="Erase all recipients of a customer",
        description="With subscriptions, attributes and events. Statistics stay, and name nobody.",
        responses={200: schemas.Erased, **schemas.errors(401, 403, 404, 429, 503)},
        examples=[examples.ERASED],
    )
    @transaction.atomic
    def delete(self, request: Request, customer_id: str) -> Response:
        recipients = recipients_of(request, customer_id)
        for recipient in recipients:
            erase(recipient)
        return Response({"erased": len(recipients)})


class CustomerExport(Endpoint):
    """What is stored of one customer."""

    scopes = {"GET": Scope.READ_RECIPIENTS}

    @extend_schema(
        operation_id="exportCustomer",
        summary="All that is stored of a customer",
        responses={200: OpenApiTypes.OBJECT, **schemas.errors(401, 403, 404, 429, 503)},
        examples=[examples.CUSTOMER_EXPORT],
    )
    def get(self, request: Request, customer_id: str) -> Response:
        recipients = recipients_of(request, customer_id)
        return Response(
            {"customerId": customer_id, "recipients": [exported(recipient) for recipient in recipients]}
        )


def recipients_of(request: Request, customer_id: str) -> list[Recipient]:
    """The customer's recipients, the one seen last first; or 404."""
    found = Recipient.objects.filter(website=caller_of(request).website_id, customer_id=customer_id)
    recipients = list(found.order_by("-seen_at", "-pk").prefetch_related("subscriptions")[:MOST])
    if not recipients or "\0" in customer_id:
        raise Http404
    return recipients


def _shown(request: Request, customer_id: str) -> dict[str, Any]:
    recipients = recipients_of(request, customer_id)
    return {
        "customerId": customer_id,
        "recipients": [shown_with_devices(recipient) for recipient in recipients],
    }
