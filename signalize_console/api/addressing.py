"""Whom a call means: recipients by their recipient id or customer id."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from signalize_console.api.parsing import SOME_TEXT, PlainText, Values
from signalize_console.recipients.models import CLIENT_ID, Recipient

LONGEST_CUSTOMER_ID = 128
A_CLIENT_ID = "A recipient id is 32 hexadecimal digits in lower case."
CLIENT_ID_SCHEMA = {"type": "string", "pattern": CLIENT_ID, "description": "From et_signalize.getClientId()."}
CUSTOMER_ID_SCHEMA = {"type": "string", "maxLength": LONGEST_CUSTOMER_ID, "pattern": SOME_TEXT}
VALUES_SCHEMA: dict[str, Any] = Values._spectacular_annotation["field"]  # type: ignore[attr-defined]

# One question for each index; a customer id may be asked for together with one of its recipients.
FIND = """
SELECT id, client_id, customer_id FROM recipients_recipient
WHERE website_id = %(website)s AND client_id = ANY(%(client_ids)s)
UNION
SELECT id, client_id, customer_id FROM recipients_recipient
WHERE website_id = %(website)s AND customer_id = ANY(%(customer_ids)s) AND customer_id <> ''
"""
WITH_VALUES = FIND.replace("customer_id FROM", "customer_id, language, attributes FROM")

# A reference is ("clientId", "…") or ("customerId", "…").
Reference = tuple[str, str]


class Named(NamedTuple):
    """Who is addressed, and the values of their placeholders."""

    reference: Reference
    data: dict[str, Any]


def _named_schema(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: schema, "data": VALUES_SCHEMA},
        "required": [name],
        "additionalProperties": False,
    }


@extend_schema_field(
    {
        "oneOf": [
            _named_schema("clientId", CLIENT_ID_SCHEMA),
            _named_schema("customerId", CUSTOMER_ID_SCHEMA),
        ]
    }
)
class RecipientReference(serializers.Field):
    """``{"clientId": "…"}`` or ``{"customerId": "…"}``, with ``data``.

    By hand: a call has a thousand of them.
    """

    customer_id = PlainText(max_length=LONGEST_CUSTOMER_ID)
    values = Values()

    def to_internal_value(self, data: Any) -> Named:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError("Give an object with clientId or customerId.")
        for name in data:
            if name not in {"clientId", "customerId", "data"}:
                raise serializers.ValidationError({str(name)[:100]: ["This field is unknown."]})
        if ("clientId" in data) == ("customerId" in data):
            raise serializers.ValidationError("Give either clientId or customerId.")
        values = self._within("data", self.values, data["data"]) if "data" in data else {}
        if "clientId" in data:
            given = data["clientId"]
            if not isinstance(given, str) or not re.fullmatch(CLIENT_ID, given) or given.endswith("\n"):
                raise serializers.ValidationError({"clientId": [A_CLIENT_ID]})
            return Named(("clientId", given), values)
        return Named(("customerId", self._within("customerId", self.customer_id, data["customerId"])), values)

    @staticmethod
    def _within(name: str, field: serializers.Field, data: Any) -> Any:
        try:
            return field.run_validation(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({name: error.detail}) from error


@dataclass(frozen=True)
class Resolved:
    """Each recipient once, with the reference it was named by; and the references that name nobody."""

    named: dict[int, Reference]
    recipients: list[Recipient]
    unknown: list[Reference]

    def unreachable(self, without_subscription: Sequence[int]) -> list[dict[str, str]]:
        silent = [(*self.named[recipient_id], "notSubscribed") for recipient_id in without_subscription]
        unknown = [(*reference, "unknown") for reference in self.unknown]
        return [{name: value, "reason": reason} for name, value, reason in [*silent, *unknown]]

    def only(self, chosen: set[int]) -> "Resolved":
        """The same, of these recipients."""
        return replace(self, recipients=[one for one in self.recipients if one.pk in chosen])

    def why_nobody(self) -> str:
        if not self.recipients:
            return (
                "None of these recipients is known on this website. "
                "Send the id that et_signalize.getClientId() gives on its pages."
            )
        return "None of these recipients has an active subscription: they have not opted in, or left again."


def resolve(website_id: int, references: Sequence[Reference], *, with_values: bool = False) -> Resolved:
    """One query, whatever the number. A customer id may name several recipients: each browser is one.

    ``with_values`` also reads what placeholders are filled with.
    """
    wanted = dict.fromkeys(references)
    values = {
        "website": website_id,
        "client_ids": [value for name, value in wanted if name == "clientId"],
        "customer_ids": [value for name, value in wanted if name == "customerId"],
    }
    recipients = list(Recipient.objects.raw(WITH_VALUES if with_values else FIND, values))
    named: dict[int, Reference] = {}
    for recipient in recipients:
        by_id = ("clientId", recipient.client_id)
        named[recipient.pk] = by_id if by_id in wanted else ("customerId", recipient.customer_id)
    found = {("clientId", one.client_id) for one in recipients} | {
        ("customerId", one.customer_id) for one in recipients
    }
    return Resolved(named, recipients, [reference for reference in wanted if reference not in found])
