"""Push messages: sending one to an audience, listing them, asking what became of one, and steering it."""

import datetime
from typing import Any

from django.db.models import Count
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from signalize_console.activity.models import REPORTS, Event
from signalize_console.api import examples, schemas
from signalize_console.api.acceptance import accept
from signalize_console.api.audience import NewMessage, ToAudience
from signalize_console.api.authentication import caller_of
from signalize_console.api.endpoint import Endpoint, asked, sent
from signalize_console.api.errors import Conflict, ErrorCode, Unprocessable
from signalize_console.api.paging import Page, page_of
from signalize_console.api.parsing import Choice, Milliseconds, Strict, milliseconds
from signalize_console.api.schedule import Schedule
from signalize_console.api.scopes import Scope
from signalize_console.deliveries import retention, statistics
from signalize_console.deliveries.idempotency import NotAccepted
from signalize_console.deliveries.models import Delivery
from signalize_console.deliveries.rescheduling import reschedule
from signalize_console.messaging.models import Audience, PushMessage
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.recipients.models import Recipient

MOST_INLINE = 1_000


class MessagePage(Page):
    state = Choice(choices=[state.value for state in MessageState], required=False)


class DeliveryPage(Page):
    state = Choice(choices=[state.value for state in DeliveryState], required=False)


class PushMessages(Endpoint):
    """All push messages of the website."""

    scopes = {"GET": Scope.READ_MESSAGES, "POST": Scope.WRITE_MESSAGES}

    @extend_schema(
        operation_id="sendToAudience",
        summary="Send a push message to an audience",
        description=(
            "To everyone who opted in on the website, or to those that segmentFilter names. "
            "With the status TEMPLATE a template is stored and nothing sent; messageId is the template's id."
        ),
        request=NewMessage,
        parameters=[schemas.IDEMPOTENCY_KEY],
        responses={
            200: schemas.AudienceRehearsed,
            201: schemas.Created,
            **schemas.errors(400, 401, 403, 409, 413, 415, 422, 429, 503),
        },
        examples=examples.SEND_TO_AUDIENCE,
    )
    def post(self, request: Request) -> Response:
        data = sent(NewMessage, request)
        return accept(request, data, ToAudience(caller_of(request), data).act)

    @extend_schema(
        operation_id="listPushMessages",
        summary="List push messages, the newest first",
        parameters=[MessagePage],
        responses={
            200: schemas.page("PushMessagePage", schemas.PushMessage),
            **schemas.errors(400, 401, 403, 429, 503),
        },
        examples=[examples.page_of(examples.PUSH_MESSAGE)],
    )
    def get(self, request: Request) -> Response:
        query = asked(MessagePage, request)
        rows = PushMessage.objects.filter(website=caller_of(request).website_id).prefetch_related("texts")
        if "state" in query:
            rows = rows.filter(state=query["state"])
        messages, cursor = page_of(rows, query)
        return Response({"items": [_shown(message) for message in messages], "nextCursor": cursor})


class Change(Strict):
    """The body of ``PATCH``: an action, or another time."""

    action = Choice(choices=["pause", "resume", "cancel"], required=False)
    sendAt = Milliseconds(required=False)  # noqa: N815
    schedule = Schedule(required=False)

    def validate(self, data: dict[str, Any]) -> Any:
        if len(data) != 1:
            raise serializers.ValidationError("Give one of action, sendAt and schedule.")
        return data


class OnePushMessage(Endpoint):
    """One push message."""

    scopes = {"GET": Scope.READ_MESSAGES, "PATCH": Scope.WRITE_MESSAGES}

    @extend_schema(
        operation_id="getPushMessage",
        summary="What became of a push message",
        responses={200: schemas.Report, **schemas.errors(401, 403, 404, 429, 503)},
        examples=[examples.REPORT],
    )
    def get(self, request: Request, message_id: int) -> Response:
        message = message_of(request, message_id)
        states, counted = _counts(message)
        counts: dict[str, int] = {"targeted": sum(states.values())}
        counts |= {state.value: states.get(state, 0) for state in DeliveryState}
        named = Delivery.objects.of(message).order_by("id")[:MOST_INLINE]
        return Response(
            {
                **_shown(message),
                "statistics": {**counts, **{kind: counted.get(kind, 0) for kind in sorted(REPORTS)}},
                "deliveries": deliveries(list(named)) if message.audience == Audience.RECIPIENTS else [],
            }
        )

    @extend_schema(
        operation_id="changePushMessage",
        summary="Pause, resume, cancel or reschedule a push message",
        description="It takes effect within a second. A message can be rescheduled until it starts.",
        request=Change,
        responses={
            200: schemas.PushMessage,
            **schemas.errors(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
        },
        examples=[*examples.CHANGES, examples.PUSH_MESSAGE],
    )
    def patch(self, request: Request, message_id: int) -> Response:
        data = sent(Change, request)
        message = message_of(request, message_id)
        try:
            done = _change(message, data)
        except NotAccepted as error:
            raise Unprocessable(str(error), ErrorCode.NOT_ACCEPTED) from error
        if not done:
            message.refresh_from_db(fields=["state"])
            raise Conflict(f"The message is {message.state}: too late for that.", ErrorCode.STATE_CONFLICT)
        return Response(_shown(message_of(request, message_id)))


def _change(message: PushMessage, data: dict[str, Any]) -> bool:
    if action := data.get("action"):
        acts = {"pause": message.pause, "resume": message.resume, "cancel": message.cancel}
        return acts[action]()
    moment: datetime.datetime = data.get("sendAt") or data["schedule"]
    return reschedule(message, moment)


class PushMessageStatistics(Endpoint):
    """One push message by push service, language and reason."""

    scopes = {"GET": Scope.READ_MESSAGES}

    @extend_schema(
        operation_id="getPushMessageStatistics",
        summary="A push message by push service, language and reason",
        description="While it is being sent, this walks over what still waits: a second for a million.",
        responses={200: schemas.Breakdown, **schemas.errors(401, 403, 404, 429, 503)},
        examples=[examples.BREAKDOWN],
    )
    def get(self, request: Request, message_id: int) -> Response:
        message = message_of(request, message_id)
        return Response({"messageId": message.pk, **statistics.breakdown(message)})


class PushMessageDeliveries(Endpoint):
    """The deliveries of one push message."""

    scopes = {"GET": Scope.READ_MESSAGES}

    @extend_schema(
        operation_id="listDeliveries",
        summary="A push message's deliveries, the oldest first",
        description="Of a message so old that its deliveries are no longer kept, the list is empty.",
        parameters=[DeliveryPage],
        responses={
            200: schemas.page("DeliveryPage", schemas.DeliveryReport),
            **schemas.errors(400, 401, 403, 404, 429, 503),
        },
        examples=[examples.page_of(examples.DELIVERY)],
    )
    def get(self, request: Request, message_id: int) -> Response:
        query = asked(DeliveryPage, request)
        rows = Delivery.objects.of(message_of(request, message_id))
        if "state" in query:
            rows = rows.filter(state=query["state"])
        page, cursor = page_of(rows, query, newest_first=False)
        return Response({"items": deliveries(page), "nextCursor": cursor})


def message_of(request: Request, message_id: int) -> PushMessage:
    """The website's own message, or 404."""
    rows = PushMessage.objects.prefetch_related("texts")
    return get_object_or_404(rows, pk=message_id, website=caller_of(request).website_id)


def _counts(message: PushMessage) -> tuple[dict[str, int], dict[str, int]]:
    """Deliveries by state and reports by kind: counted, or the sums where there is nothing left to count."""
    if not retention.kept(message):
        outcome = statistics.rolled_outcome_of(message)
        return outcome.states, outcome.reports
    reports = Event.objects.filter(push_message_id=message.pk, kind__in=REPORTS)
    by_kind = dict(reports.order_by().values_list("kind").annotate(count=Count("*")))
    return Delivery.objects.of(message).by_state(), by_kind


def _shown(message: PushMessage) -> dict[str, Any]:
    return {
        "messageId": message.pk,
        "title": message.title,
        "state": message.state,
        "audience": message.audience,
        "transactional": message.transactional,
        "createdAt": milliseconds(message.created_at),
        "sendAt": milliseconds(message.scheduled_at),
        "validUntil": milliseconds(message.valid_until),
        "finishedAt": milliseconds(message.finished_at),
        "pausedBecause": message.paused_because if message.state == MessageState.PAUSED else "",
    }


def deliveries(rows: list[Delivery]) -> list[dict[str, Any]]:
    """Two queries, whatever the number. An erased recipient has no id any more."""
    recipients = Recipient.objects.only("client_id", "customer_id").in_bulk(
        {delivery.recipient_id for delivery in rows}
    )
    reported: dict[int | None, set[str]] = {}
    reports = Event.objects.filter(delivery_id__in=[delivery.pk for delivery in rows])
    for delivery_id, kind in reports.values_list("delivery_id", "kind"):
        reported.setdefault(delivery_id, set()).add(kind)
    shown = []
    for delivery in rows:
        recipient = recipients.get(delivery.recipient_id)
        shown.append(
            {
                "deliveryId": delivery.pk,
                "clientId": recipient.client_id if recipient else None,
                "customerId": (recipient.customer_id or None) if recipient else None,
                "pushService": delivery.push_service,
                "state": delivery.state,
                "reason": delivery.reason,
                "attempts": delivery.attempts,
                "answeredAt": milliseconds(delivery.answered_at),
                **{str(kind): kind in reported.get(delivery.pk, ()) for kind in sorted(REPORTS)},
            }
        )
    return shown
