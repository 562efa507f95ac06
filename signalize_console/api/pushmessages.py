"""Push messages: sending one to named recipients, and asking what became of it."""

from typing import Any

from django.db.models import Count
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from signalize_console.activity.models import REPORTS, Event
from signalize_console.api import schemas
from signalize_console.api.addressing import RecipientReference, Resolved, resolve
from signalize_console.api.authentication import website_of
from signalize_console.api.content import WebPush
from signalize_console.api.errors import ErrorCode, Unprocessable
from signalize_console.api.models import ApiKey
from signalize_console.api.parsing import Choice, Milliseconds, Strict, milliseconds
from signalize_console.deliveries import outbox
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import Audience, PushMessage
from signalize_console.messaging.states import DeliveryState

KEY_HEADER, REPLAYED_HEADER = "Idempotency-Key", "Idempotency-Replayed"
LONGEST_KEY = 255


class NewMessage(Strict):
    """The body of ``POST /v3/subscriptions/pushmessages``."""

    recipients = serializers.ListField(
        child=RecipientReference(), min_length=1, max_length=outbox.MAX_RECIPIENTS
    )
    webPush = WebPush()  # noqa: N815
    validUntil = Milliseconds(required=False)  # noqa: N815
    sendAt = Milliseconds(required=False)  # noqa: N815
    status = Choice(choices=["ACTIVE"], required=False)
    transactional = serializers.BooleanField(default=True)


class SubscriptionPushMessages(APIView):
    """Messages to recipients that the caller names."""

    @extend_schema(
        operation_id="sendToRecipients",
        summary="Send a push message to recipients",
        description="Named by recipient id (clientId, from et_signalize.getClientId()) or by customer id.",
        request=NewMessage,
        parameters=[
            OpenApiParameter(
                KEY_HEADER, str, "header", description="Makes a repeat safe: one key, one message."
            )
        ],
        responses={201: schemas.Accepted, **schemas.errors(400, 401, 413, 415, 422, 503)},
        examples=[OpenApiExample("An order confirmation", schemas.SEND_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        new = NewMessage(data=request.data)
        new.is_valid(raise_exception=True)
        website = website_of(request)
        resolved = resolve(website, new.validated_data["recipients"])
        message, texts = self._message(request, new.validated_data)
        try:
            accepted = outbox.send(
                message,
                texts,
                resolved.recipients,
                idempotency_key=_key_of(request),
                fingerprint=request.data,
            )
        except outbox.NobodyReachable as error:
            raise Unprocessable(resolved.why_nobody(), ErrorCode.NOBODY_REACHABLE) from error
        except outbox.KeyReused as error:
            raise Unprocessable(str(error), ErrorCode.IDEMPOTENCY_KEY_REUSED) from error
        except outbox.NotAccepted as error:
            raise Unprocessable(str(error), ErrorCode.NOT_ACCEPTED) from error
        headers = {REPLAYED_HEADER: "true"} if accepted.replayed else {}
        return Response(_answer(accepted, resolved), status=201, headers=headers)

    @staticmethod
    def _message(request: Request, data: dict[str, Any]) -> tuple[PushMessage, list[Any]]:
        assert isinstance(request.auth, ApiKey)
        message, texts = data["webPush"]
        message.website = request.auth.website
        message.transactional = data["transactional"]
        message.valid_until = data.get("validUntil")
        message.scheduled_at = data.get("sendAt")
        message.sent_by = f"API key {request.auth.name}"
        return message, texts


class PushMessages(APIView):
    """One push message."""

    @extend_schema(
        operation_id="getPushMessage",
        summary="What became of a push message",
        responses={200: schemas.Report, **schemas.errors(401, 404, 503)},
    )
    def get(self, request: Request, message_id: int) -> Response:
        message = get_object_or_404(PushMessage, pk=message_id, website=website_of(request))
        states = Delivery.objects.of(message).by_state()
        statistics: dict[str, int] = {"targeted": sum(states.values())}
        statistics |= {state.value: states.get(state, 0) for state in DeliveryState}
        reports = Event.objects.filter(push_message_id=message.pk, kind__in=REPORTS)
        counted: dict[str, int] = dict(reports.order_by().values_list("kind").annotate(count=Count("*")))
        return Response(
            {
                "messageId": message.pk,
                "state": message.state,
                "transactional": message.transactional,
                "createdAt": milliseconds(message.created_at),
                "sendAt": milliseconds(message.scheduled_at),
                "validUntil": milliseconds(message.valid_until),
                "statistics": {**statistics, **{kind: counted.get(kind, 0) for kind in sorted(REPORTS)}},
                "deliveries": _deliveries(message) if message.audience == Audience.RECIPIENTS else [],
            }
        )


def _key_of(request: Request) -> str:
    key = request.headers.get(KEY_HEADER, "")
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise serializers.ValidationError(
            {KEY_HEADER: [f"Give up to {LONGEST_KEY} printable ASCII characters."]}
        )
    return key


def _answer(accepted: outbox.Accepted, resolved: Resolved) -> dict[str, Any]:
    return {
        "messageId": accepted.message_id,
        "recipients": len(resolved.recipients) - len(accepted.unreachable),
        "deliveries": accepted.deliveries,
        "unreachable": resolved.unreachable(accepted.unreachable),
    }


def _deliveries(message: PushMessage) -> list[dict[str, Any]]:
    """At most 1,000 recipients' deliveries, in two queries."""
    reported: dict[int | None, set[str]] = {}
    for delivery_id, kind in Event.objects.filter(push_message_id=message.pk).values_list(
        "delivery_id", "kind"
    ):
        reported.setdefault(delivery_id, set()).add(kind)
    deliveries = Delivery.objects.of(message).select_related("recipient").order_by("id")
    return [
        {
            "clientId": delivery.recipient.client_id,
            "customerId": delivery.recipient.customer_id or None,
            "pushService": delivery.push_service,
            "state": delivery.state,
            "reason": delivery.reason,
            **{kind: kind in reported.get(delivery.pk, ()) for kind in sorted(REPORTS)},
        }
        for delivery in deliveries[:10_000]
    ]
