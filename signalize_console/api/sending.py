"""Sending a push message: to recipients that the caller names, or to an audience."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from signalize_console.api import examples, schemas
from signalize_console.api.acceptance import accept
from signalize_console.api.addressing import Named, RecipientReference, Resolved, resolve
from signalize_console.api.authentication import caller_of
from signalize_console.api.composing import Composed, Outgoing, refusal
from signalize_console.api.endpoint import Endpoint, sent
from signalize_console.api.errors import ErrorCode, Unprocessable
from signalize_console.api.parsing import Choice, Flag
from signalize_console.api.scopes import Scope
from signalize_console.api.segments import SegmentFilter
from signalize_console.audiences import counting
from signalize_console.deliveries import outbox
from signalize_console.messaging import rendering
from signalize_console.messaging.placeholders import MissingValue
from signalize_console.messaging.variables import Breach, absent
from signalize_console.websites.models import Website


class NewRecipientsMessage(Outgoing):
    """The body of ``POST /v3/subscriptions/pushmessages``."""

    recipients = serializers.ListField(
        child=RecipientReference(), min_length=1, max_length=outbox.MAX_RECIPIENTS
    )
    segmentFilter = SegmentFilter(required=False)  # noqa: N815
    status = Choice(choices=["ACTIVE"], required=False)
    transactional = Flag(default=True)


class SubscriptionPushMessages(Endpoint):
    """Messages to recipients that the caller names."""

    scopes = {"POST": Scope.WRITE_MESSAGES}

    @extend_schema(
        operation_id="sendToRecipients",
        summary="Send a push message to recipients",
        description="Named by recipient id (clientId, from et_signalize.getClientId()) or by customer id.",
        request=NewRecipientsMessage,
        parameters=[schemas.IDEMPOTENCY_KEY],
        responses={
            200: schemas.Rehearsed,
            201: schemas.Accepted,
            **schemas.errors(400, 401, 403, 409, 413, 415, 422, 429, 503),
        },
        examples=examples.SEND_TO_RECIPIENTS,
    )
    def post(self, request: Request) -> Response:
        data = sent(NewRecipientsMessage, request)
        sending = ToRecipients(request, data)
        return accept(request, data, sending.act, sending.why_nobody)


class ToRecipients:
    """One call that names its recipients."""

    resolved: Resolved

    def __init__(self, request: Request, data: dict[str, Any]) -> None:
        self.caller, self.data = caller_of(request), data
        self.named: list[Named] = data["recipients"]
        self.places = {one.reference: number for number, one in reversed([*enumerate(self.named)])}

    def act(self) -> dict[str, Any]:
        composed = Composed(self.caller, self.data)
        composed.message.transactional = self.data["transactional"]
        given = {f"recipients[{n}].data": one.data for n, one in enumerate(self.named) if one.data}
        composed.check_fit({"data": composed.message.data, **given})
        references = [one.reference for one in self.named]
        self.resolved = resolve(self.caller.website_id, references, with_values=composed.is_personal)
        if "segmentFilter" in self.data:
            self.resolved = self._filtered(self.data["segmentFilter"])
        values = self._check_presence(composed) if composed.is_personal else {}
        try:
            accepted = outbox.send(composed.message, composed.texts, self.resolved.recipients, data=values)
        except outbox.ValuesMissing as error:
            raise refusal([self._breach(*missing) for missing in error.missing]) from error
        said = {
            "recipients": len(self.resolved.recipients) - len(accepted.unreachable),
            "deliveries": accepted.deliveries,
            "unreachable": self.resolved.unreachable(accepted.unreachable),
        }
        if self.data["dryRun"]:
            return {"said": {"dryRun": True, **said, "rendered": self._rendered(composed, values)}}
        return {"message_id": accepted.message_id, "said": {"messageId": accepted.message_id, **said}}

    def _filtered(self, tree: dict[str, Any]) -> Resolved:
        """Of those named only who is in the segment; for the others the message was not meant."""
        website, ids = Website(pk=self.caller.website_id), [one.pk for one in self.resolved.recipients]
        try:
            chosen = counting.among(website, tree, timezone.now(), ids)
        except counting.TooSlow as error:
            raise Unprocessable(str(error), ErrorCode.NOT_ACCEPTED) from error
        return self.resolved.only(chosen)

    def why_nobody(self) -> str:
        if "segmentFilter" in self.data and not self.resolved.recipients:
            return "None of these recipients is known on this website and in the segment."
        return self.resolved.why_nobody()

    def _check_presence(self, composed: Composed) -> outbox.Data:
        """Each recipient's own values; refuses if the template asks for more."""
        values = {
            recipient.pk: self.named[self.places[self.resolved.named[recipient.pk]]].data
            for recipient in self.resolved.recipients
        }
        breaches = [
            self._breach(recipient.pk, breach.name, breach.sentence)
            for recipient in self.resolved.recipients
            for breach in absent(
                composed.variables,
                {**recipient.attributes, **composed.message.data, **values[recipient.pk]},
            )
        ]
        if breaches:
            raise refusal(breaches)
        return values

    def _breach(self, recipient_id: int, name: str, sentence: str = "") -> tuple[str, Breach]:
        number = self.places[self.resolved.named[recipient_id]]
        sentence = sentence or "This placeholder has no value and no fallback."
        return f"recipients[{number}].data", Breach(name, "missing", sentence)

    def _rendered(self, composed: Composed, values: outbox.Data) -> list[dict[str, Any]]:
        """What the first recipient would see, in each language."""
        first = self.resolved.recipients[0]
        filled = None
        if composed.is_personal:
            filled = {**first.attributes, **composed.message.data, **values[first.pk]}
        return rendered(composed, filled)


def rendered(composed: Composed, values: dict[str, Any] | None) -> list[dict[str, Any]]:
    """How each text would look; one that lacks a value shows its placeholders."""
    shown = []
    for text in composed.texts:
        try:
            notification = rendering.notification(composed.message, text, values)
        except MissingValue:
            notification = rendering.notification(composed.message, text)
        shown.append({"language": text.language, "notification": notification})
    return shown
