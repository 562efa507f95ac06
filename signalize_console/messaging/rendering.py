"""How a push message looks for one recipient: Declarative Web Push JSON, one form for all browsers.

Safari shows it without a script; elsewhere our service worker reads the same members.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from signalize_console.messaging.content import Text
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.placeholders import Values, fill, fill_link
from signalize_console.webpush.encryption import ADVISED_PLAINTEXT

TOKEN_BYTES = 160


class TooLarge(ValueError):
    """The rendered message would not fit what every push service takes."""


def text_for(texts: Sequence[Text], language: str) -> Text:
    """The text in this language, else in its main language (de for de-AT), else the standard one."""
    by_language = {text.language.lower(): text for text in texts}
    tag = language.lower()
    return (
        by_language.get(tag)
        or by_language.get(tag.split("-")[0])
        or next((text for text in texts if text.standard), texts[0])
    )


def notification(message: PushMessage, text: Text, values: Values | None = None) -> dict[str, Any]:
    """The ``notification`` member (Push API, declarative push message), without what differs per delivery.

    With ``values``, placeholders are filled; raises MissingValue.
    """
    words, links = (
        (lambda written: written, lambda written: written)
        if values is None
        else (lambda written: fill(written, values), lambda written: fill_link(written, values))
    )
    members = {
        "title": words(text.title),
        "body": words(text.message),
        "navigate": links(text.link),
        "lang": text.language,
        "icon": message.icon,
        "image": message.image,
        "badge": message.badge,
        "tag": message.tag or message.topic or f"push-message-{message.pk}",
        "silent": message.silent,
        "requireInteraction": message.require_interaction,
        "actions": [
            {"action": f"button-{number}", "title": words(label), "navigate": links(link)}
            for number, (label, link) in enumerate(text.buttons, start=1)
        ],
    }
    return {name: value for name, value in members.items() if value not in ("", False, [])}


def payload(content: dict[str, Any], token: str, expires_at: float) -> bytes:
    """The plaintext of one delivery. ``token`` lets the browser report on it; ``expires_at`` is Unix time."""
    data = {"token": token, "expires": int(expires_at)}
    return json.dumps(
        {"web_push": 8030, "notification": {**content, "data": data}},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def check_size(message: PushMessage, texts: Sequence[Text], values: Values | None = None) -> None:
    """Raises TooLarge, naming the language and by how much, if a text would not fit."""
    for text in texts:
        content = notification(message, text, values)
        size = len(payload(content, "0" * TOKEN_BYTES, 9_999_999_999))
        if size > ADVISED_PLAINTEXT:
            raise TooLarge(
                _(
                    "The message in %(language)s takes %(size)d bytes; push services carry %(most)d. "
                    "Shorten the texts or the links."
                )
                % {"language": text.language, "size": size, "most": ADVISED_PLAINTEXT}
            )
