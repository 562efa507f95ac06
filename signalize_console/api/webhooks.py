"""Webhooks: where other systems are told what happens, and the log of what they were told."""

from typing import Any

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from signalize_console.api import examples, schemas
from signalize_console.api.authentication import caller_of
from signalize_console.api.content import LinkField
from signalize_console.api.endpoint import Endpoint, asked, sent
from signalize_console.api.errors import Conflict, ErrorCode
from signalize_console.api.paging import Page, page_of
from signalize_console.api.parsing import Choice, Flag, Strict, milliseconds
from signalize_console.api.scopes import Scope
from signalize_console.webhooks import endpoints
from signalize_console.webhooks.models import (
    LONGEST_URL,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookKind,
    WebhookState,
    validate_url,
)
from signalize_console.websites.models import Website


class WebhookUrl(LinkField):
    """https, without a fragment."""

    def check(self, link: str) -> None:
        validate_url(link)


class NewWebhook(Strict):
    """The body of ``POST /v3/webhooks``."""

    url = WebhookUrl(max_length=LONGEST_URL)
    kinds = serializers.ListField(child=Choice(choices=WebhookKind.values), min_length=1, max_length=20)


class WebhookChange(Strict):
    """The body of ``PATCH``; what is left out stays."""

    url = WebhookUrl(required=False, max_length=LONGEST_URL)
    kinds = serializers.ListField(
        child=Choice(choices=WebhookKind.values), min_length=1, max_length=20, required=False
    )
    active = Flag(required=False)


class WebhookLogPage(Page):
    state = Choice(choices=WebhookState.values, required=False)


class Webhooks(Endpoint):
    """Webhooks of the website."""

    scopes = {"GET": Scope.READ_WEBHOOKS, "POST": Scope.WRITE_WEBHOOKS}

    @extend_schema(
        operation_id="listWebhooks",
        summary="List webhooks",
        parameters=[Page],
        responses={
            200: schemas.page("WebhookPage", schemas.Webhook),
            **schemas.errors(400, 401, 403, 429, 503),
        },
        examples=[examples.page_of(examples.WEBHOOK)],
    )
    def get(self, request: Request) -> Response:
        rows = WebhookEndpoint.objects.filter(website=caller_of(request).website_id)
        page, cursor = page_of(rows, asked(Page, request))
        return Response({"items": [_shown(endpoint) for endpoint in page], "nextCursor": cursor})

    @extend_schema(
        operation_id="createWebhook",
        summary="Make a webhook",
        description="The answer has the secret for checking signatures: it is never shown again.",
        request=NewWebhook,
        responses={
            201: schemas.WebhookWithSecret,
            **schemas.errors(400, 401, 403, 413, 415, 429, 503),
        },
        examples=[examples.NEW_WEBHOOK, examples.WEBHOOK_WITH_SECRET],
    )
    def post(self, request: Request) -> Response:
        data = sent(NewWebhook, request)
        website = Website(pk=caller_of(request).website_id)
        try:
            endpoint, secret = endpoints.create(website, data["url"], data["kinds"])
        except ValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error
        endpoint.refresh_from_db()
        return Response({**_shown(endpoint), "secret": secret}, status=201)


class Webhook(Endpoint):
    """One webhook."""

    scopes = {
        "GET": Scope.READ_WEBHOOKS,
        "PATCH": Scope.WRITE_WEBHOOKS,
        "DELETE": Scope.WRITE_WEBHOOKS,
    }

    @extend_schema(
        operation_id="getWebhook",
        summary="Read a webhook",
        responses={200: schemas.Webhook, **schemas.errors(401, 403, 404, 429, 503)},
        examples=[examples.WEBHOOK],
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        return Response(_shown(webhook_of(request, webhook_id)))

    @extend_schema(
        operation_id="changeWebhook",
        summary="Change a webhook, or switch it off and on",
        request=WebhookChange,
        responses={
            200: schemas.Webhook,
            **schemas.errors(400, 401, 403, 404, 413, 415, 429, 503),
        },
        examples=[examples.WEBHOOK_CHANGE, examples.WEBHOOK],
    )
    def patch(self, request: Request, webhook_id: int) -> Response:
        data = sent(WebhookChange, request)
        endpoint = webhook_of(request, webhook_id)
        try:
            endpoints.change(endpoint, url=data.get("url"), kinds=data.get("kinds"))
        except ValidationError as error:
            raise serializers.ValidationError(error.message_dict) from error
        if "active" in data:
            (endpoints.enable if data["active"] else endpoints.disable)(endpoint)
        return Response(_shown(endpoint))

    @extend_schema(
        operation_id="deleteWebhook",
        summary="Delete a webhook, with its log",
        responses={
            204: OpenApiResponse(description="It is gone."),
            **schemas.errors(401, 403, 404, 429, 503),
        },
    )
    def delete(self, request: Request, webhook_id: int) -> Response:
        webhook_of(request, webhook_id).delete()
        return Response(status=204)


class WebhookSecret(Endpoint):
    """A webhook's secret."""

    scopes = {"POST": Scope.WRITE_WEBHOOKS}

    @extend_schema(
        operation_id="rotateWebhookSecret",
        summary="Give a webhook a new secret",
        description="For 24 hours requests are signed with both.",
        request=None,
        responses={201: schemas.WebhookWithSecret, **schemas.errors(401, 403, 404, 415, 429, 503)},
        examples=[examples.WEBHOOK_WITH_SECRET],
    )
    def post(self, request: Request, webhook_id: int) -> Response:
        endpoint = webhook_of(request, webhook_id)
        secret = endpoints.rotate_secret(endpoint)
        return Response({**_shown(endpoint), "secret": secret}, status=201)


class WebhookDeliveries(Endpoint):
    """What a webhook was told, kept for 30 days."""

    scopes = {"GET": Scope.READ_WEBHOOKS}

    @extend_schema(
        operation_id="listWebhookDeliveries",
        summary="What a webhook was told, the latest first",
        parameters=[WebhookLogPage],
        responses={
            200: schemas.page("WebhookDeliveryPage", schemas.WebhookDelivery),
            **schemas.errors(400, 401, 403, 404, 429, 503),
        },
        examples=[examples.page_of(examples.WEBHOOK_DELIVERY)],
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        query = asked(WebhookLogPage, request)
        rows = WebhookDelivery.objects.filter(endpoint=webhook_of(request, webhook_id))
        if "state" in query:
            rows = rows.filter(state=query["state"])
        page, cursor = page_of(rows, query)
        return Response({"items": [_told(delivery) for delivery in page], "nextCursor": cursor})


class WebhookRedelivery(Endpoint):
    """One event, told once more."""

    scopes = {"POST": Scope.WRITE_WEBHOOKS}

    @extend_schema(
        operation_id="redeliverWebhook",
        summary="Tell an event once more",
        description="Under its old id. One that still waits can't be told once more.",
        request=None,
        responses={
            201: schemas.WebhookDelivery,
            **schemas.errors(401, 403, 404, 409, 415, 429, 503),
        },
        examples=[examples.WEBHOOK_REDELIVERED],
    )
    def post(self, request: Request, webhook_id: int, delivery_id: int) -> Response:
        rows = WebhookDelivery.objects.filter(endpoint=webhook_of(request, webhook_id))
        delivery = get_object_or_404(rows, pk=delivery_id)
        if not endpoints.redeliver(rows.filter(pk=delivery.pk)):
            raise Conflict("It still waits to be told.", ErrorCode.STATE_CONFLICT)
        delivery.refresh_from_db()
        return Response(_told(delivery), status=201)


def webhook_of(request: Request, webhook_id: int) -> WebhookEndpoint:
    """The website's own webhook, or 404."""
    return get_object_or_404(WebhookEndpoint, pk=webhook_id, website=caller_of(request).website_id)


def _shown(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "webhookId": endpoint.pk,
        "url": endpoint.url,
        "kinds": endpoint.kinds,
        "active": endpoint.active,
        "disabledBecause": endpoint.disabled_because,
        "failingSince": milliseconds(endpoint.failing_since),
        "createdAt": milliseconds(endpoint.created_at),
    }


def _told(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "webhookDeliveryId": delivery.pk,
        "eventId": delivery.webhook_id,
        "kind": delivery.kind,
        "state": delivery.state,
        "reason": delivery.reason,
        "attempts": delivery.attempts,
        "statusCode": delivery.status_code,
        "occurredAt": milliseconds(delivery.occurred_at),
        "answeredAt": milliseconds(delivery.answered_at),
    }
