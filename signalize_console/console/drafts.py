"""A draft on its way from the composer's form: read as it stands, or saved though words are still missing."""

from typing import Any

from django.forms import BaseModelForm, all_valid
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signalize_console.messaging.content import Content, Text, Variant
from signalize_console.messaging.models import PushMessage, PushMessageText
from signalize_console.messaging.revisions import revision

MOST_TEXTS = 50
# What may come later: nothing is sent without them.
COMES_LATER = ["title", "link"]
CHANGED = gettext_lazy(
    "Somebody else changed this draft. Copy what you want to keep of yours, and reload to see theirs."
)
FLAGS = {"require_interaction", "silent", "standard"}


def read(posted: Any) -> tuple[PushMessage, dict[str, PushMessageText]]:
    """An unsaved message and its texts by their prefix in the form, with nothing judged."""
    names = {field.name for field in Content._meta.get_fields()} - {"ttl", "urgency", "tag"}
    message = PushMessage(**{name: _value(posted, name, name) for name in names})
    texts = {}
    for number in range(MOST_TEXTS):
        prefix = f"texts-{number}"
        if f"{prefix}-title" in posted and not posted.get(f"{prefix}-DELETE"):
            words = {field.name: field.name for field in Text._meta.get_fields()}
            said = {name: _value(posted, f"{prefix}-{name}", name) for name in words}
            texts[prefix] = PushMessageText(**{**said, "variant": said["variant"] or Variant.A})
    return message, texts


def _value(posted: Any, key: str, name: str) -> Any:
    written = posted.get(key, "")
    return bool(written) if name in FLAGS else written.replace("\0", "").strip()[:2000]


def is_stale(posted: Any, message: PushMessage) -> bool:
    """Whether a draft isn't any more what the form was filled with: to save it would undo what others did."""
    return message.pk is not None and posted.get("revision") != revision(message)


def problem_of(form: BaseModelForm, formset: Any) -> str:
    """Why the draft can't be saved as it is; empty if it can."""
    for one in formset.forms:
        for name in COMES_LATER:
            one.fields[name].required = False
    if all_valid([formset]) and form.is_valid():
        is_blank = any(not one.has_changed() and one.instance.pk is None for one in formset.forms[1:])
        return _("An added text is still empty.") if is_blank else ""
    errors = [*_errors(form), *formset.non_form_errors()]
    errors += [error for one in formset.forms for error in _errors(one)]
    return str(errors[0]) if errors else _("Something in the form is missing.")


def _errors(form: Any) -> list[str]:
    """Each with the name of its field, as people see it."""
    return [
        f"{capfirst(form.fields[name].label)}: {error}" if name in form.fields else str(error)
        for name, listed in form.errors.items()
        for error in listed
    ]


def numbers_of(formset: Any) -> dict[str, Any]:
    """The hidden fields of the form, once its texts have rows in the database."""
    ids = {f"texts-{number}-id": form.instance.pk for number, form in enumerate(formset.forms)}
    return {"texts-INITIAL_FORMS": len(ids), **ids}
