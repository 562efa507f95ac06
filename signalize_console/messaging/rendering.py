"""How a push message looks for one recipient: Declarative Web Push JSON, one form for all browsers.

Safari shows it without a script; elsewhere our service worker reads the same members.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from signalize_console.messaging.content import Text, Variant
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.placeholders import Values, fill, fill_link
from signalize_console.webpush.encryption import ADVISED_PLAINTEXT

TOKEN_BYTES = 160


class TooLarge(ValueError):
    """The rendered message would not fit what every push service takes."""


def text_for(texts: Sequence[Text], language: str, variant: str = "") -> Text:
    """The text in this language, else in its main language (de for de-AT), else the standard one.

    Of this variant, if it has that; else of the first.
    """
    texts = [text for text in texts if text.variant == (variant or Variant.A)] or texts
    by_language = {text.language.lower(): text for text in texts}
    tag = language.lower()
    return (
        by_language.get(tag)
        or by_language.get(tag.split("-")[0])
        or next((text for text in texts if text.standard), texts[0])
    )


def text_read(message: PushMessage, language: str, variant: str | None) -> Text | None:
    """What a recipient of this language read, whose delivery has this variant. None: it has no texts."""
    texts = list(message.texts.all())
    return text_for(texts, language, variant or message.winner) if texts else None


def tag_of(message: PushMessage) -> str:
    """By which a browser knows that a notification takes the place of another one."""
    return message.tag or message.topic or f"push-message-{message.pk}"


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
        "title": _marked(message, text, words(text.title)),
        "body": words(text.message),
        "navigate": links(text.link),
        "lang": text.language,
        "icon": message.icon,
        "image": message.image,
        "badge": message.badge,
        "tag": tag_of(message),
        "silent": message.silent,
        "requireInteraction": message.require_interaction,
        "actions": [
            {"action": f"button-{number}", "title": words(label), "navigate": links(link)}
            for number, (label, link) in enumerate(text.buttons, start=1)
        ],
    }
    return {name: value for name, value in members.items() if value not in ("", False, [])}


def _marked(message: PushMessage, text: Text, title: str) -> str:
    """A test says so where it is read; everything else stays as recipients will see it."""
    if not message.test:
        return title
    with override(text.language):
        return _("Test: %s") % title


def withdrawal(message: PushMessage, text: Text) -> dict[str, Any]:
    """What takes the place of a message that was taken back, if a browser gets to see it at all."""
    with override(text.language):
        title = _("This message was withdrawn")
    return {
        "title": title,
        "navigate": f"{message.website.origins[0]}/",
        "lang": text.language,
        "tag": tag_of(message),
        "silent": True,
    }


def payload(
    content: dict[str, Any],
    token: str,
    expires_at: float,
    *,
    spread: int = 0,
    person: str = "",
    declarative: bool = False,
) -> bytes:
    """The plaintext of one delivery. ``token`` lets the browser report on it; ``expires_at`` is Unix time.

    ``spread``: it reports what it showed at random within so many seconds. ``person``: whoever else uses the
    browser doesn't see the text. ``declarative``: for Safari, which asks no script about a click.
    """
    data: dict[str, Any] = {"token": token, "expires": int(expires_at)}
    if spread:
        data["spread"] = spread
    if person:
        data["person"] = person
    said = {
        "web_push": 8030,
        "notification": {**(reporting(content, token) if declarative else content), "data": data},
    }
    if declarative and person:
        said["mutable"] = True
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def reporting(content: dict[str, Any], token: str) -> dict[str, Any]:
    """The content with links that carry the token in their fragment, for the snippet to report and remove.

    A link with a fragment of its own stays as it is: better no report than a wrong page.
    """

    def carrying(link: str, suffix: str = "") -> str:
        return link if "#" in link else f"{link}#et_push={token}{suffix}"

    changed = {**content, "navigate": carrying(content["navigate"])}
    if "actions" in content:
        changed["actions"] = [
            {**one, "navigate": carrying(one["navigate"], f"~{one['action']}")} for one in content["actions"]
        ]
    return changed


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
