"""What other systems tell of a recipient, and how a recipient is shown."""

import zoneinfo
from collections.abc import Iterable
from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from signalize_console.api.addressing import A_CLIENT_ID, LONGEST_CUSTOMER_ID
from signalize_console.api.parsing import PlainText, Strict, Values, milliseconds
from signalize_console.messaging.content import LANGUAGE
from signalize_console.recipients.models import CLIENT_ID, Recipient, Subscription, SubscriptionState
from signalize_console.recipients.upserting import Known

ZONES = frozenset(zoneinfo.available_timezones())


class ClientId(PlainText):
    def __init__(self, **options: Any) -> None:
        super().__init__(validators=[RegexValidator(CLIENT_ID, A_CLIENT_ID)], max_length=32, **options)


@extend_schema_field(
    {"anyOf": [{"type": "string", "format": "time-zone"}, {"type": "string", "maxLength": 0}]}
)
class TimeZone(PlainText):
    """A name of the IANA database, or nothing."""

    def to_internal_value(self, data: Any) -> str:
        zone = super().to_internal_value(data)
        if zone and zone not in ZONES:
            raise serializers.ValidationError("Give a time zone of the IANA database, such as Europe/Berlin.")
        return zone


class Profile(Strict):
    """What is left out stays; an attribute of null is removed."""

    language = PlainText(
        required=False,
        allow_blank=True,
        max_length=16,
        validators=[RegexValidator(f"{LANGUAGE}|^$", "Give a language tag such as en, de or pt-BR.")],
    )
    timeZone = TimeZone(required=False, allow_blank=True, max_length=64)  # noqa: N815
    attributes = Values(required=False)
    interests = serializers.ListField(child=PlainText(max_length=64), max_length=100, required=False)


class RecipientProfile(Profile):
    customerId = PlainText(required=False, allow_blank=True, max_length=LONGEST_CUSTOMER_ID)  # noqa: N815


class BulkProfile(RecipientProfile):
    clientId = ClientId()  # noqa: N815


def known(address: str, data: dict[str, Any]) -> Known:
    interests = data.get("interests")
    return Known(
        address,
        data.get("customerId"),
        data.get("language"),
        data.get("timeZone"),
        data.get("attributes"),
        None if interests is None else sorted(set(interests)),
    )


def shown(recipient: Recipient, subscriptions: Iterable[Subscription]) -> dict[str, Any]:
    """With its subscriptions, already read."""
    return {
        "clientId": recipient.client_id,
        "customerId": recipient.customer_id or None,
        "language": recipient.language,
        "timeZone": recipient.time_zone,
        "attributes": recipient.attributes,
        "interests": recipient.interests,
        "firstSeenAt": milliseconds(recipient.created_at),
        "lastSeenAt": milliseconds(recipient.seen_at),
        "subscribed": any(one.state == SubscriptionState.ACTIVE for one in subscriptions),
    }


def shown_with_devices(recipient: Recipient) -> dict[str, Any]:
    subscriptions = sorted(recipient.subscriptions.all(), key=lambda one: one.pk)
    devices = [
        {
            "deviceId": one.pk,
            "pushService": one.push_service,
            "state": one.state,
            "subscribedAt": milliseconds(one.created_at),
            "lastSeenAt": milliseconds(one.seen_at),
            "endedAt": milliseconds(one.ended_at),
            "endedReason": one.ended_reason,
        }
        for one in subscriptions
    ]
    return {**shown(recipient, subscriptions), "devices": devices}
