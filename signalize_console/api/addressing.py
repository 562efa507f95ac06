"""Whom a call means: recipients by their recipient id or customer id."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.validators import RegexValidator
from django.db.models import Q
from rest_framework import serializers

from signalize_console.api.parsing import PlainText, Strict
from signalize_console.recipients.models import CLIENT_ID, Recipient
from signalize_console.websites.models import Website

# A reference is ("clientId", "…") or ("customerId", "…").
Reference = tuple[str, str]


class RecipientReference(Strict):
    """``{"clientId": "…"}`` or ``{"customerId": "…"}``."""

    clientId = PlainText(  # noqa: N815
        required=False,
        validators=[RegexValidator(CLIENT_ID, "A recipient id is 32 hexadecimal digits in lower case.")],
    )
    customerId = PlainText(required=False, max_length=128)  # noqa: N815

    def validate(self, data: dict[str, str]) -> Any:
        if len(data) != 1:
            raise serializers.ValidationError("Give either clientId or customerId.")
        return next(iter(data.items()))


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

    def why_nobody(self) -> str:
        if not self.recipients:
            return (
                "None of these recipients is known on this website. "
                "Send the id that et_signalize.getClientId() gives on its pages."
            )
        return "None of these recipients has an active subscription: they have not opted in, or left again."


def resolve(website: Website, references: Sequence[Reference]) -> Resolved:
    """One query, whatever the number. A customer id may name several recipients: each browser is one."""
    wanted = dict.fromkeys(references)
    client_ids = [value for name, value in wanted if name == "clientId"]
    customer_ids = [value for name, value in wanted if name == "customerId"]
    recipients = list(
        Recipient.objects.filter(website=website)
        .filter(Q(client_id__in=client_ids) | Q(customer_id__in=customer_ids) & ~Q(customer_id=""))
        .only("id", "client_id", "customer_id")
    )
    named: dict[int, Reference] = {}
    for recipient in recipients:
        by_client = ("clientId", recipient.client_id)
        named[recipient.pk] = by_client if by_client in wanted else ("customerId", recipient.customer_id)
    found = {("clientId", one.client_id) for one in recipients} | {
        ("customerId", one.customer_id) for one in recipients
    }
    return Resolved(named, recipients, [reference for reference in wanted if reference not in found])
