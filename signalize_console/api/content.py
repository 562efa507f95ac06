"""What is said: ``webPush`` of a request, as Signalize writes it, and what we add to it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from rest_framework import serializers

from signalize_console.api.parsing import Choice, PlainText, Strict
from signalize_console.messaging.content import DEFAULT_TTL, LANGUAGE, MAX_TTL, TOPIC, Urgency
from signalize_console.messaging.models import PushMessage, PushMessageText
from signalize_console.websites.origins import validate_link


class LinkField(PlainText):
    def to_internal_value(self, data: Any) -> str:
        link = super().to_internal_value(data)
        try:
            validate_link(link)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error
        return link


class Button(Strict):
    title = PlainText(max_length=50)
    link = LinkField(required=False)


class MessageText(Strict):
    """One element of ``webPushMessageTexts``."""

    language = PlainText(
        max_length=16, validators=[RegexValidator(LANGUAGE, "Give a language tag such as en, de or pt-BR.")]
    )
    standard = serializers.BooleanField(default=False)
    title = PlainText(max_length=200)
    message = PlainText(max_length=1000, allow_blank=True, default="")
    link = LinkField()
    actions = serializers.ListField(child=Button(), max_length=2, default=list)

    def validate(self, data: dict[str, Any]) -> Any:
        buttons = [*data.pop("actions"), {}, {}]
        return PushMessageText(
            **data,
            first_button=buttons[0].get("title", ""),
            first_button_link=buttons[0].get("link", ""),
            second_button=buttons[1].get("title", ""),
            second_button_link=buttons[1].get("link", ""),
        )


class WebPush(Strict):
    """Becomes a PushMessage and its texts, neither saved yet."""

    webPushMessageTexts = serializers.ListField(child=MessageText(), min_length=1, max_length=50)  # noqa: N815
    icon = LinkField(required=False)
    image = LinkField(required=False)
    badge = LinkField(required=False)
    requireInteraction = serializers.BooleanField(required=False, source="require_interaction")  # noqa: N815
    silent = serializers.BooleanField(required=False)
    ttl = serializers.IntegerField(min_value=60, max_value=MAX_TTL, default=DEFAULT_TTL, help_text="Seconds.")
    urgency = Choice(choices=Urgency.values, default=Urgency.NORMAL)
    topic = PlainText(
        required=False, validators=[RegexValidator(TOPIC, "Give up to 32 letters, digits, - and _.")]
    )

    def validate_webPushMessageTexts(self, texts: list[PushMessageText]) -> list[PushMessageText]:  # noqa: N802
        languages = [text.language.lower() for text in texts]
        if len(set(languages)) < len(languages):
            raise serializers.ValidationError("Each language may stand here once.")
        if len(texts) == 1:
            texts[0].standard = True
        if sum(text.standard for text in texts) != 1:
            raise serializers.ValidationError("Mark exactly one text as standard: for all other languages.")
        return texts

    def validate(self, data: dict[str, Any]) -> Any:
        texts = data.pop("webPushMessageTexts")
        return PushMessage(**data), texts
