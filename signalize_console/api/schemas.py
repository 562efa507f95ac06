"""The shapes of answers, for the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from signalize_console.activity.models import REPORTS
from signalize_console.messaging.content import Content, Text, Variant
from signalize_console.messaging.models import Audience
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.messaging.variables import VariableType

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    "header",
    description="Makes a repeat safe: one key, one message, for 30 days.",
)


class FieldError(serializers.Serializer):
    field = serializers.CharField(allow_null=True, help_text="Its path, or null for the whole request.")
    code = serializers.CharField()
    message = serializers.CharField()


class Error(serializers.Serializer):
    """Signalize's six fields, and two of ours."""

    timestamp = serializers.CharField(help_text="UTC, to the minute.")
    status = serializers.IntegerField()
    error = serializers.CharField()
    message = serializers.CharField(help_text="What is wrong, and what to do.")
    path = serializers.CharField()
    errorCode = serializers.CharField(help_text="Stable; docs/errors.md explains each.")  # noqa: N815
    requestId = serializers.CharField(help_text="Also in the header X-Request-Id, and in the log.")  # noqa: N815
    errors = FieldError(many=True)  # type: ignore[assignment]


def errors(*statuses: int) -> dict[int, type[Error]]:
    return dict.fromkeys(statuses, Error)


def page(name: str, item: type[serializers.Serializer]) -> Any:
    """The shape of one page of a list."""
    return inline_serializer(
        name,
        {
            "items": item(many=True),
            "nextCursor": serializers.CharField(allow_null=True, help_text="For the next page; null: none."),
        },
    )


class Unreachable(serializers.Serializer):
    clientId = serializers.CharField(required=False)  # noqa: N815
    customerId = serializers.CharField(required=False)  # noqa: N815
    reason = serializers.ChoiceField(choices=["unknown", "notSubscribed"])


class Accepted(serializers.Serializer):
    """The message is stored and will be sent, whatever happens to this server."""

    messageId = serializers.IntegerField()  # noqa: N815
    recipients = serializers.IntegerField(help_text="How many of the named recipients are reachable.")
    deliveries = serializers.IntegerField(help_text="To how many of their subscriptions it goes.")
    unreachable = Unreachable(many=True)


class Rendered(serializers.Serializer):
    language = serializers.CharField()
    notification = serializers.DictField(help_text="As the browser gets it.")


class Rehearsed(serializers.Serializer):
    """What would happen. Nothing was stored."""

    dryRun = serializers.BooleanField()  # noqa: N815
    recipients = serializers.IntegerField()
    deliveries = serializers.IntegerField()
    unreachable = Unreachable(many=True)
    rendered = Rendered(many=True)


class AudienceRehearsed(serializers.Serializer):
    """What would happen. Nothing was stored."""

    dryRun = serializers.BooleanField()  # noqa: N815
    deliveries = serializers.IntegerField()
    warnings = serializers.ListField(child=serializers.CharField(), required=False)
    rendered = Rendered(many=True)


class Created(serializers.Serializer):
    """The message is stored and will be sent, whatever happens to this server."""

    messageId = serializers.IntegerField()  # noqa: N815
    templateId = serializers.IntegerField(required=False)  # noqa: N815
    warnings = serializers.ListField(child=serializers.CharField(), required=False)


class PushMessage(serializers.Serializer):
    messageId = serializers.IntegerField()  # noqa: N815
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=MessageState.values)
    audience = serializers.ChoiceField(choices=Audience.values)
    transactional = serializers.BooleanField()
    createdAt = serializers.IntegerField(help_text="Milliseconds since 1970.")  # noqa: N815
    sendAt = serializers.IntegerField(allow_null=True)  # noqa: N815
    validUntil = serializers.IntegerField(allow_null=True)  # noqa: N815
    finishedAt = serializers.IntegerField(allow_null=True)  # noqa: N815
    pausedBecause = serializers.CharField(help_text="Where the engine paused it by itself.")  # noqa: N815


Statistics = type(
    "Statistics",
    (serializers.Serializer,),
    {
        name: serializers.IntegerField()
        for name in ("targeted", *(state.value for state in DeliveryState), *sorted(REPORTS))
    },
)


class DeliveryReport(serializers.Serializer):
    deliveryId = serializers.IntegerField()  # noqa: N815
    clientId = serializers.CharField(allow_null=True, help_text="null: erased since.")  # noqa: N815
    customerId = serializers.CharField(allow_null=True)  # noqa: N815
    pushService = serializers.CharField()  # noqa: N815
    state = serializers.ChoiceField(choices=DeliveryState.values)
    reason = serializers.CharField()
    attempts = serializers.IntegerField()
    answeredAt = serializers.IntegerField(allow_null=True)  # noqa: N815
    shown = serializers.BooleanField()
    clicked = serializers.BooleanField()
    closed = serializers.BooleanField()


class Report(PushMessage):
    statistics = Statistics()
    deliveries = DeliveryReport(many=True, help_text="Up to 1,000, where the recipients were named.")


class Counts(serializers.Serializer):
    targeted = serializers.IntegerField()
    accepted = serializers.IntegerField()
    shown = serializers.IntegerField()
    clicked = serializers.IntegerField()
    closed = serializers.IntegerField()


class Breakdown(serializers.Serializer):
    messageId = serializers.IntegerField()  # noqa: N815
    byPushService = serializers.DictField(child=Counts())  # noqa: N815
    byLanguage = serializers.DictField(child=Counts(), help_text='"": not known.')  # noqa: N815
    byVariant = serializers.DictField(  # noqa: N815
        child=Counts(), help_text="Of texts with variants: what became of those who got each."
    )
    failedByReason = serializers.DictField(child=serializers.IntegerField())  # noqa: N815


class Variable(serializers.Serializer):
    name = serializers.CharField()
    type = serializers.ChoiceField(choices=VariableType.values)
    example = serializers.JSONField(help_text="A text or a number.")
    required = serializers.BooleanField()  # type: ignore[assignment]
    description = serializers.CharField()


class ShownAction(serializers.Serializer):
    title = serializers.CharField()
    link = serializers.CharField(required=False)


class ShownText(serializers.Serializer):
    language = serializers.CharField()
    variant = serializers.ChoiceField(choices=Variant.values, required=False, help_text="Left out: A.")
    standard = serializers.BooleanField()
    title = serializers.CharField()
    message = serializers.CharField()
    link = serializers.CharField()
    actions = ShownAction(many=True)


class ShownWebPush(serializers.Serializer):
    webPushMessageTexts = ShownText(many=True)  # noqa: N815
    icon = serializers.CharField(required=False)
    image = serializers.CharField(required=False)
    badge = serializers.CharField(required=False)
    tag = serializers.CharField(required=False)
    topic = serializers.CharField(required=False)
    requireInteraction = serializers.BooleanField()  # noqa: N815
    silent = serializers.BooleanField()
    ttl = serializers.IntegerField()
    urgency = serializers.CharField()


class Template(serializers.Serializer):
    templateId = serializers.IntegerField()  # noqa: N815
    name = serializers.CharField()
    createdAt = serializers.IntegerField()  # noqa: N815
    variables = Variable(many=True)
    webPush = ShownWebPush()  # noqa: N815


def shown_text(text: Text) -> dict[str, Any]:
    """A text as ``webPushMessageTexts`` takes it."""
    buttons = [
        (text.first_button, text.first_button_link),
        (text.second_button, text.second_button_link),
    ]
    return {
        "language": text.language,
        **({} if text.variant == Variant.A else {"variant": text.variant}),
        "standard": text.standard,
        "title": text.title,
        "message": text.message,
        "link": text.link,
        "actions": [{"title": title, **({"link": link} if link else {})} for title, link in buttons if title],
    }


def shown_content(content: Content) -> dict[str, Any]:
    """The rest of ``webPush``, as a request takes it; what is empty is left out."""
    texts = {name: getattr(content, name) for name in ("icon", "image", "badge", "tag", "topic")}
    return {
        **{name: value for name, value in texts.items() if value},
        "requireInteraction": content.require_interaction,
        "silent": content.silent,
        "ttl": content.ttl,
        "urgency": content.urgency,
    }


class Device(serializers.Serializer):
    """One subscription. Its endpoint is a secret and stands nowhere."""

    deviceId = serializers.IntegerField()  # noqa: N815
    pushService = serializers.CharField()  # noqa: N815
    state = serializers.CharField()
    subscribedAt = serializers.IntegerField()  # noqa: N815
    lastSeenAt = serializers.IntegerField()  # noqa: N815
    endedAt = serializers.IntegerField(allow_null=True)  # noqa: N815
    endedReason = serializers.CharField()  # noqa: N815


class Recipient(serializers.Serializer):
    clientId = serializers.CharField()  # noqa: N815
    customerId = serializers.CharField(allow_null=True)  # noqa: N815
    language = serializers.CharField()
    timeZone = serializers.CharField()  # noqa: N815
    attributes = serializers.DictField()
    interests = serializers.ListField(child=serializers.CharField())
    firstSeenAt = serializers.IntegerField()  # noqa: N815
    lastSeenAt = serializers.IntegerField()  # noqa: N815
    subscribed = serializers.BooleanField(help_text="Whether a message would reach it.")


class RecipientWithDevices(Recipient):
    devices = Device(many=True)


class Upserted(serializers.Serializer):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()


class Updated(serializers.Serializer):
    updated = serializers.IntegerField(help_text="How many recipients have this customer id.")


class Erased(serializers.Serializer):
    erased = serializers.IntegerField()


class Customer(serializers.Serializer):
    customerId = serializers.CharField()  # noqa: N815
    recipients = RecipientWithDevices(many=True)


class Recorded(serializers.Serializer):
    recorded = serializers.IntegerField()


class Website(serializers.Serializer):
    websiteId = serializers.IntegerField()  # noqa: N815
    name = serializers.CharField()
    secureCode = serializers.CharField()  # noqa: N815
    origins = serializers.ListField(child=serializers.CharField())
    vapidPublicKey = serializers.CharField()  # noqa: N815
    createdAt = serializers.IntegerField()  # noqa: N815
    subscribers = serializers.IntegerField(help_text="Active subscriptions.")


class Day(serializers.Serializer):
    day = serializers.DateField()
    messages = serializers.IntegerField()
    targeted = serializers.IntegerField()
    accepted = serializers.IntegerField()
    shown = serializers.IntegerField()
    clicked = serializers.IntegerField()
    closed = serializers.IntegerField()
    subscribed = serializers.IntegerField()
    unsubscribed = serializers.IntegerField()


class Days(serializers.Serializer):
    days = Day(many=True)


class Segment(serializers.Serializer):
    segmentId = serializers.IntegerField()  # noqa: N815
    name = serializers.CharField()
    definition = serializers.DictField()
    createdAt = serializers.IntegerField()  # noqa: N815
    subscriptions = serializers.IntegerField(allow_null=True, help_text="When it was counted last.")
    countedAt = serializers.IntegerField(allow_null=True)  # noqa: N815


class Sampled(serializers.Serializer):
    clientId = serializers.CharField()  # noqa: N815
    customerId = serializers.CharField(allow_null=True)  # noqa: N815


class SegmentCount(serializers.Serializer):
    segmentId = serializers.IntegerField()  # noqa: N815
    subscriptions = serializers.IntegerField()
    countedAt = serializers.IntegerField()  # noqa: N815
    sample = Sampled(many=True)


class Webhook(serializers.Serializer):
    webhookId = serializers.IntegerField()  # noqa: N815
    url = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField()
    disabledBecause = serializers.CharField()  # noqa: N815
    failingSince = serializers.IntegerField(allow_null=True)  # noqa: N815
    createdAt = serializers.IntegerField()  # noqa: N815


class WebhookWithSecret(Webhook):
    secret = serializers.CharField(help_text="whsec_…; it is shown only now.")


class WebhookDelivery(serializers.Serializer):
    webhookDeliveryId = serializers.IntegerField()  # noqa: N815
    eventId = serializers.CharField(help_text="The header webhook-id.")  # noqa: N815
    kind = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField()
    attempts = serializers.IntegerField()
    statusCode = serializers.IntegerField(allow_null=True)  # noqa: N815
    occurredAt = serializers.IntegerField()  # noqa: N815
    answeredAt = serializers.IntegerField(allow_null=True)  # noqa: N815
