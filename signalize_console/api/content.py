"""What is said: ``webPush`` of a request, as Signalize writes it, and what we add to it."""

from typing import Any
from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from rest_framework import serializers

from signalize_console.api.parsing import Choice, Flag, PlainText, Strict, Whole
from signalize_console.messaging.content import (
    DEFAULT_TTL,
    LANGUAGE,
    MAX_TTL,
    TOPIC,
    Urgency,
    Variant,
    by_variant,
)
from signalize_console.messaging.models import PushMessage, PushMessageText
from signalize_console.messaging.placeholders import validate_text_link
from signalize_console.websites.origins import validate_link

LONGEST_LINK = 2_000


class LinkField(PlainText):
    """The address of a picture."""

    def check(self, link: str) -> None:
        validate_link(link)

    def to_internal_value(self, data: Any) -> str:
        link = super().to_internal_value(data)
        try:
            self.check(link)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages, "invalid_link") from error
        return link


class TextLinkField(LinkField):
    """The page that a click opens; it may hold placeholders."""

    def check(self, link: str) -> None:
        validate_text_link(link)


class Button(Strict):
    title = PlainText(max_length=50)
    link = TextLinkField(required=False)


class MessageText(Strict):
    """One element of ``webPushMessageTexts``."""

    language = PlainText(
        max_length=16, validators=[RegexValidator(LANGUAGE, "Give a language tag such as en, de or pt-BR.")]
    )
    variant = Choice(
        choices=Variant.values,
        default=Variant.A,
        help_text="With texts of a variant B, half of the recipients read A and half B.",
    )
    standard = Flag(default=False)
    title = PlainText(max_length=200)
    message = PlainText(max_length=1000, allow_blank=True, default="")
    link = TextLinkField(required=False, help_text="Left out: the website's first origin.")
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


class Utm(Strict):
    """Parameters for web analytics, added to every link that hasn't got them."""

    source = PlainText(max_length=100, required=False)  # type: ignore[assignment]
    medium = PlainText(max_length=100, required=False)
    campaign = PlainText(max_length=100, required=False)
    term = PlainText(max_length=100, required=False)
    content = PlainText(max_length=100, required=False)


class WebPush(Strict):
    """Becomes a PushMessage and its texts, neither saved yet."""

    webPushMessageTexts = serializers.ListField(child=MessageText(), min_length=1, max_length=50)  # noqa: N815
    icon = LinkField(required=False)
    image = LinkField(required=False)
    badge = LinkField(required=False)
    tag = PlainText(max_length=64, required=False)
    requireInteraction = Flag(required=False, source="require_interaction")  # noqa: N815
    silent = Flag(required=False)
    ttl = Whole(min_value=60, max_value=MAX_TTL, default=DEFAULT_TTL, help_text="Seconds.")
    urgency = Choice(choices=Urgency.values, default=Urgency.NORMAL)
    topic = PlainText(
        required=False, validators=[RegexValidator(TOPIC, "Give up to 32 letters, digits, - and _.")]
    )
    utm = Utm(required=False)

    def validate_webPushMessageTexts(self, texts: list[PushMessageText]) -> list[PushMessageText]:  # noqa: N802
        variants = by_variant(texts)
        languages = [[text.language.lower() for text in its] for its in variants.values()]
        if any(len(set(its)) < len(its) for its in languages):
            raise serializers.ValidationError("Each language may stand here once.")
        if any(set(its) != set(languages[0]) for its in languages):
            raise serializers.ValidationError("The texts of variants A and B need the same languages.")
        for its in variants.values():
            if len(its) == 1:
                its[0].standard = True
            if sum(text.standard for text in its) != 1:
                raise serializers.ValidationError(
                    "Mark exactly one text as standard: for all other languages."
                )
        return texts

    def validate(self, data: dict[str, Any]) -> Any:
        texts = data.pop("webPushMessageTexts")
        utm = data.pop("utm", {})
        return PushMessage(**data), texts, utm


def finish_links(texts: list[PushMessageText], home: str, utm: dict[str, str]) -> None:
    """Gives a text without a link that of the website, and every link its ``utm_…`` parameters."""
    for text in texts:
        text.link = with_utm(text.link or home, utm)
        if text.first_button_link:
            text.first_button_link = with_utm(text.first_button_link, utm)
        if text.second_button_link:
            text.second_button_link = with_utm(text.second_button_link, utm)


def with_utm(link: str, utm: dict[str, str]) -> str:
    """Raises a ValidationError where the link would become too long."""
    page, sharp, fragment = link.partition("#")
    present = page.partition("?")[2]
    taken = {parameter.partition("=")[0] for parameter in present.split("&")}
    added = "&".join(
        f"utm_{name}={quote(value, safe='')}" for name, value in utm.items() if f"utm_{name}" not in taken
    )
    if added:
        page += ("&" if present else "" if page.endswith("?") else "?") + added
    whole = f"{page}{sharp}{fragment}"
    if len(whole) > LONGEST_LINK:
        message = f"A link may have {LONGEST_LINK:,} characters, with its utm parameters. Shorten it."
        raise serializers.ValidationError({"webPush": {"utm": [message]}})
    return whole
