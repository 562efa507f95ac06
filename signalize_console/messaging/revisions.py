"""Which state of a draft somebody has seen: what they change or send must still be that one."""

import hashlib
import json

from django.core.serializers.json import DjangoJSONEncoder

from signalize_console.messaging.content import Text
from signalize_console.messaging.models import WRITTEN, PushMessage

SAID = sorted(field.name for field in Text._meta.local_fields)


def revision(message: PushMessage) -> str:
    """A digest of all that people write in a message that stands in the database."""
    fields = [message.serializable_value(name) for name in sorted(WRITTEN)]
    texts = [[getattr(text, name) for name in SAID] for text in message.texts.all()]
    left_out = sorted(segment.pk for segment in message.excluded_segments.all())
    whole = json.dumps([fields, texts, left_out], cls=DjangoJSONEncoder)
    return hashlib.sha256(whole.encode()).hexdigest()[:32]
