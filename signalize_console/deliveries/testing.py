"""Test messages: a draft as it is now, to the browsers of whoever writes it. They count in no statistics."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from signalize_console.deliveries import outbox
from signalize_console.deliveries.browsers import TestBrowser
from signalize_console.messaging.content import Content, Text, Variant, by_variant
from signalize_console.messaging.models import PushMessage, PushMessageText


@transaction.atomic
def send_test(
    message: PushMessage, browsers: Sequence[TestBrowser], *, by: str, label: str = ""
) -> outbox.Accepted:
    """Sends what the draft says to these browsers: the text with this label, or in each one's language.

    Raises NotAccepted, in words for people.
    """
    texts = [text for text in message.texts.all() if text.label == label or not label]
    texts = texts if label else by_variant(texts)[Variant.A]
    if not texts or not all(text.title and text.link for text in texts):
        raise outbox.NotAccepted(_("A title and a link are needed before it can be sent."))
    if not any(text.standard for text in texts):
        texts[0].standard = True
    kept = [field.name for field in Content._meta.get_fields()]
    test = PushMessage(
        website=message.website,
        transactional=message.transactional,
        test=True,
        sent_by=by,
        **{name: getattr(message, name) for name in kept},
    )
    names = [field.name for field in Text._meta.get_fields()]
    copies = [PushMessageText(**{name: getattr(text, name) for name in names}) for text in texts]
    for copy in copies:
        copy.variant = Variant.A
    return outbox.send(test, copies, [browser.recipient for browser in browsers])
