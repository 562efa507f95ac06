"""Recipients: reading and changing what is known of them, their devices, erasing and exporting one."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from signalize_console.activity import changes, events
from signalize_console.activity.models import EventKind
from signalize_console.api import examples, schemas
from signalize_console.api.authentication import caller_of
from signalize_console.api.endpoint import Endpoint, asked, sent
from signalize_console.api.errors import ErrorCode, Unprocessable
from signalize_console.api.paging import Page, page_of
from signalize_console.api.parsing import Choice, PlainText, Strict
from signalize_console.api.profiles import (
    BulkProfile,
    RecipientProfile,
    known,
    shown,
    shown_with_devices,
)
from signalize_console.api.scopes import Scope
from signalize_console.automations.disclosing import disclose
from signalize_console.deliveries.erasing import erase
from signalize_console.recipients.models import Recipient, Subscription, SubscriptionState
from signalize_console.recipients.upserting import Known, TooManyAttributes, upsert

MOST = 1_000


class RecipientPage(Page):
    customerId = PlainText(required=False, max_length=128)  # noqa: N815
    subscribed = Choice(choices=["true", "false"], required=False)


class Bulk(Strict):
    """The body of ``POST /v3/recipients``."""

    recipients = serializers.ListField(child=BulkProfile(), min_length=1, max_length=MOST)

    def validate_recipients(self, recipients: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({one["clientId"] for one in recipients}) < len(recipients):
            raise serializers.ValidationError("Each recipient may stand here once.")
        return recipients


class Recipients(Endpoint):
    """All recipients of the website."""

    scopes = {"GET": Scope.READ_RECIPIENTS, "POST": Scope.WRITE_RECIPIENTS}

    @extend_schema(
        operation_id="listRecipients",
        summary="List recipients, the newest first",
        parameters=[RecipientPage],
        responses={
            200: schemas.page("RecipientPage", schemas.Recipient),
            **schemas.errors(400, 401, 403, 429, 503),
        },
        examples=[examples.page_of(examples.RECIPIENT)],
    )
    def get(self, request: Request) -> Response:
        query = asked(RecipientPage, request)
        rows = Recipient.objects.filter(website=caller_of(request).website_id)
        if "customerId" in query:
            rows = rows.filter(customer_id=query["customerId"])
        if "subscribed" in query:
            active = Exists(Subscription.objects.active().filter(recipient=OuterRef("pk")))
            rows = rows.filter(active if query["subscribed"] == "true" else ~active)
        page, cursor = page_of(rows.prefetch_related("subscriptions"), query)
        items = [shown(recipient, recipient.subscriptions.all()) for recipient in page]
        return Response({"items": items, "nextCursor": cursor})

    @extend_schema(
        operation_id="upsertRecipients",
        summary="Create or change up to 1,000 recipients",
        description="What is left out stays; an attribute of null is removed.",
        request=Bulk,
        responses={200: schemas.Upserted, **schemas.errors(400, 401, 403, 413, 415, 422, 429, 503)},
        examples=[examples.BULK, examples.UPSERTED],
    )
    def post(self, request: Request) -> Response:
        profiles = sent(Bulk, request)["recipients"]
        created, updated = _upsert(request, [known(one["clientId"], one) for one in profiles])
        return Response({"created": created, "updated": updated})


class OneRecipient(Endpoint):
    """One recipient."""

    scopes = {
        "GET": Scope.READ_RECIPIENTS,
        "PATCH": Scope.WRITE_RECIPIENTS,
        "DELETE": Scope.WRITE_RECIPIENTS,
    }

    @extend_schema(
        operation_id="getRecipient",
        summary="Read a recipient, with devices",
        responses={200: schemas.RecipientWithDevices, **schemas.errors(401, 403, 404, 429, 503)},
        examples=[examples.RECIPIENT_WITH_DEVICES],
    )
    def get(self, request: Request, client_id: str) -> Response:
        return Response(shown_with_devices(recipient_of(request, client_id)))

    @extend_schema(
        operation_id="upsertRecipient",
        summary="Create or change a recipient",
        description="What is left out stays; an attribute of null is removed. 201: it was not known before.",
        request=RecipientProfile,
        responses={
            200: schemas.RecipientWithDevices,
            201: schemas.RecipientWithDevices,
            **schemas.errors(400, 401, 403, 404, 413, 415, 422, 429, 503),
        },
        examples=[examples.PROFILE, examples.RECIPIENT_WITH_DEVICES],
    )
    def patch(self, request: Request, client_id: str) -> Response:
        created, _updated = _upsert(request, [known(client_id, sent(RecipientProfile, request))])
        return Response(shown_with_devices(recipient_of(request, client_id)), status=201 if created else 200)

    @extend_schema(
        operation_id="eraseRecipient",
        summary="Erase a recipient",
        description="With subscriptions, attributes and events. Statistics stay, and name nobody.",
        responses={
            204: OpenApiResponse(description="Nothing of it is left."),
            **schemas.errors(401, 403, 404, 429, 503),
        },
    )
    def delete(self, request: Request, client_id: str) -> Response:
        erase(recipient_of(request, client_id))
        return Response(status=204)


class RecipientExport(Endpoint):
    """What is stored of one recipient."""

    scopes = {"GET": Scope.READ_RECIPIENTS}

    @extend_schema(
        operation_id="exportRecipient",
        summary="All that is stored of a recipient",
        description="For a person who asks (GDPR, article 15). Endpoints are left out: they are secrets.",
        responses={200: OpenApiTypes.OBJECT, **schemas.errors(401, 403, 404, 429, 503)},
        examples=[examples.EXPORT],
    )
    def get(self, request: Request, client_id: str) -> Response:
        return Response(exported(recipient_of(request, client_id)))


class RecipientDevice(Endpoint):
    """One subscription of a recipient."""

    scopes = {"DELETE": Scope.WRITE_RECIPIENTS}

    @extend_schema(
        operation_id="unsubscribeDevice",
        summary="Unsubscribe a device",
        description="Nothing is sent to it any more, until the visitor subscribes again.",
        responses={
            204: OpenApiResponse(description="It is unsubscribed."),
            **schemas.errors(401, 403, 404, 429, 503),
        },
    )
    def delete(self, request: Request, client_id: str, device_id: int) -> Response:
        recipient = recipient_of(request, client_id)
        device = get_object_or_404(Subscription, pk=device_id, recipient=recipient)
        ended = Subscription.objects.filter(pk=device.pk).end(SubscriptionState.UNSUBSCRIBED, "api")
        if ended:
            events.record(EventKind.UNSUBSCRIBED, recipient, push_service=device.push_service)
        return Response(status=204)


def recipient_of(request: Request, client_id: str) -> Recipient:
    """The website's own recipient, with subscriptions, or 404."""
    rows = Recipient.objects.prefetch_related("subscriptions")
    return get_object_or_404(rows, client_id=client_id, website=caller_of(request).website_id)


def exported(recipient: Recipient) -> dict[str, Any]:
    told = disclose(recipient)
    for subscription in told["subscriptions"]:
        subscription.pop("endpoint", None)
    return told


def _upsert(request: Request, profiles: list[Known]) -> tuple[int, int]:
    try:
        website_id = caller_of(request).website_id
        with changes.noted(website_id, [profile.address for profile in profiles]):
            return upsert(website_id, profiles)
    except TooManyAttributes as error:
        raise Unprocessable(str(error), ErrorCode.NOT_ACCEPTED) from error
