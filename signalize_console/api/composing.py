"""From a request to a push message: its content, of its own or of a template, and the values to fill in."""

from typing import Any

from rest_framework import serializers

from signalize_console.api.authentication import Caller
from signalize_console.api.content import WebPush, finish_links
from signalize_console.api.errors import ErrorCode, FieldError, Unprocessable
from signalize_console.api.parsing import Flag, Milliseconds, PlainText, Strict, Values, Whole
from signalize_console.api.schedule import Schedule
from signalize_console.messaging.models import MessageTemplate, PushMessage, PushMessageText
from signalize_console.messaging.placeholders import Placeholder, placeholders
from signalize_console.messaging.variables import Breach, Variable, misfits
from signalize_console.websites.models import Website

LARGEST_ID = 10**18
BREACHES = {
    "unknown": ErrorCode.VALUE_UNKNOWN,
    "invalid": ErrorCode.VALUE_INVALID,
    "missing": ErrorCode.VALUE_MISSING,
}


class Outgoing(Strict):
    """What both ways of sending have in common."""

    webPush = WebPush(required=False)  # noqa: N815
    templateId = Whole(min_value=1, max_value=LARGEST_ID, required=False)  # noqa: N815
    data = Values(  # type: ignore[assignment]
        default=dict, help_text="Values for placeholders, the same for everybody."
    )
    validUntil = Milliseconds(required=False)  # noqa: N815
    sendAt = Milliseconds(required=False)  # noqa: N815
    schedule = Schedule(required=False)
    dryRun = Flag(default=False)  # noqa: N815
    idempotencyKey = PlainText(  # noqa: N815
        required=False, max_length=255, help_text="The same as the header Idempotency-Key."
    )

    def validate(self, data: dict[str, Any]) -> Any:
        if "webPush" not in data and "templateId" not in data:
            raise serializers.ValidationError({"webPush": ["Give this field, or templateId."]}, "required")
        if "webPush" in data and "templateId" in data:
            raise serializers.ValidationError("Give either webPush or templateId.")
        if "sendAt" in data and "schedule" in data:
            raise serializers.ValidationError("Give either sendAt or schedule.")
        return data


class Composed:
    """An unsaved push message with its texts, and the contract that its values must fulfil."""

    def __init__(self, caller: Caller, data: dict[str, Any]) -> None:
        self.variables: list[Variable] = []
        if "webPush" in data:
            self.message, self.texts, utm = data["webPush"]
            self._finish_links(caller, utm)
        else:
            self.message = PushMessage()
            template = _template(caller, data["templateId"])
            self.texts = self.message.use(template)
            self.variables = template.variables
        self.message.website_id = caller.website_id
        self.message.data = data["data"]
        self.message.valid_until = data.get("validUntil")
        self.message.scheduled_at = data.get("sendAt") or data.get("schedule")
        self.message.sent_by = f"API key {caller.name}"

    def _finish_links(self, caller: Caller, utm: dict[str, str]) -> None:
        texts: list[PushMessageText] = self.texts
        if utm or not all(text.link for text in texts):
            home = f"{Website.objects.values_list('origins', flat=True).get(pk=caller.website_id)[0]}/"
            finish_links(texts, home, utm)

    @property
    def placeholders(self) -> list[Placeholder]:
        return placeholders(written for text in self.texts for written in text.written)

    @property
    def is_personal(self) -> bool:
        return bool(self.variables or self.placeholders)

    def check_fit(self, given: dict[str, dict[str, Any]]) -> None:
        """Refuses values that nobody uses or of a wrong type. ``given``: the values by their path."""
        names = self.placeholders
        breaches = [
            (path, breach) for path, data in given.items() for breach in misfits(self.variables, names, data)
        ]
        if breaches:
            raise refusal(breaches)


def refusal(breaches: list[tuple[str, Breach]]) -> Unprocessable:
    errors = [
        FieldError(field=f"{path}.{breach.name}", code=BREACHES[breach.kind], message=breach.sentence)
        for path, breach in breaches[:100]
    ]
    first = errors[0]
    return Unprocessable(f"{first['field']}: {first['message']}", ErrorCode(first["code"]), errors)


def _template(caller: Caller, template_id: int) -> MessageTemplate:
    known = MessageTemplate.objects.filter(pk=template_id, website=caller.website_id)
    template = known.prefetch_related("texts").first()
    if template is None:
        message = "Your website has no template with this id."
        error = FieldError(field="templateId", code=ErrorCode.TEMPLATE_UNKNOWN, message=message)
        raise Unprocessable(f"templateId: {message}", ErrorCode.TEMPLATE_UNKNOWN, [error])
    return template
