"""The shapes of answers, for the OpenAPI document and its examples."""

from rest_framework import serializers

from signalize_console.activity.models import REPORTS
from signalize_console.messaging.states import DeliveryState, MessageState

SEND_EXAMPLE = {
    "recipients": [{"clientId": "108bf9a8e3f34c6e8e7d5a1b2c3dedb1"}, {"customerId": "K-4711"}],
    "webPush": {
        "webPushMessageTexts": [
            {
                "language": "en",
                "standard": True,
                "title": "Your order is on its way",
                "message": "It arrives tomorrow between 9 and 12.",
                "link": "https://shop.example/orders/4711",
            },
            {
                "language": "de",
                "title": "Ihre Bestellung ist unterwegs",
                "message": "Sie kommt morgen zwischen 9 und 12 Uhr.",
                "link": "https://shop.example/de/orders/4711",
            },
        ]
    },
}


class Error(serializers.Serializer):
    """Signalize's six fields."""

    timestamp = serializers.CharField(help_text="UTC, to the minute.")
    status = serializers.IntegerField()
    error = serializers.CharField()
    message = serializers.CharField(help_text="What is wrong, and what to do.")
    path = serializers.CharField()
    errorCode = serializers.CharField(help_text="Stable; docs/api.md explains each.")  # noqa: N815


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


Statistics = type(
    "Statistics",
    (serializers.Serializer,),
    {
        name: serializers.IntegerField()
        for name in ("targeted", *(state.value for state in DeliveryState), *sorted(REPORTS))
    },
)


class DeliveryReport(serializers.Serializer):
    clientId = serializers.CharField()  # noqa: N815
    customerId = serializers.CharField(allow_null=True)  # noqa: N815
    pushService = serializers.CharField()  # noqa: N815
    state = serializers.ChoiceField(choices=DeliveryState.values)
    reason = serializers.CharField()
    shown = serializers.BooleanField()
    clicked = serializers.BooleanField()
    closed = serializers.BooleanField()


class Report(serializers.Serializer):
    messageId = serializers.IntegerField()  # noqa: N815
    state = serializers.ChoiceField(choices=MessageState.values)
    transactional = serializers.BooleanField()
    createdAt = serializers.IntegerField(help_text="Milliseconds since 1970.")  # noqa: N815
    sendAt = serializers.IntegerField(allow_null=True)  # noqa: N815
    validUntil = serializers.IntegerField(allow_null=True)  # noqa: N815
    statistics = Statistics()
    deliveries = DeliveryReport(many=True)


def errors(*statuses: int) -> dict[int, type[Error]]:
    return dict.fromkeys(statuses, Error)
