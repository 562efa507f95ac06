"""What the forms of templates and push messages share: the texts, and how the fields are laid out."""

from typing import Any, ClassVar

from django.contrib.admin import StackedInline
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet, ModelForm, Select, Textarea
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from signalize_console.messaging.content import DAY, Variant

LOOK: Any = (_("Look"), {"fields": ["icon", "image", "badge", "require_interaction", "silent"]})
DELIVERY: Any = (_("Delivery options"), {"fields": ["urgency", "ttl", "topic"], "classes": ["collapse"]})

HOUR, MINUTE = 3_600, 60
LIVES = [15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 14 * DAY, 28 * DAY]


def in_words(seconds: int) -> str:
    """A time to live, in the largest unit that it is a whole number of."""
    if seconds % DAY == 0:
        return ngettext("%(count)d day", "%(count)d days", seconds // DAY) % {"count": seconds // DAY}
    if seconds % HOUR == 0:
        return ngettext("%(count)d hour", "%(count)d hours", seconds // HOUR) % {"count": seconds // HOUR}
    if seconds % MINUTE == 0:
        minutes = seconds // MINUTE
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}


class ContentForm(ModelForm):
    """What depends on no language, with the terms of RFC 8030 in words."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "ttl" in self.fields:
            lives = sorted({*LIVES, self.instance.ttl})
            self.fields["ttl"].widget = Select(choices=[(life, in_words(life)) for life in lives])
            self.fields["ttl"].help_text = _(
                "How long it is worth showing. A browser that is switched off for longer doesn't get it."
            )
        if "urgency" in self.fields:
            self.fields["urgency"].help_text = _(
                "Phones that save power show normal ones later. High is for what can't wait, like a code."
            )


class TextForm(ModelForm):
    class Meta:
        fields = [
            *("language", "variant", "standard", "title", "message", "link"),
            *("first_button", "first_button_link", "second_button", "second_button_link"),
        ]
        widgets = {"message": Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "variant" in self.fields:
            self.fields["variant"].required = False

    def clean_variant(self) -> str:
        return self.cleaned_data["variant"] or Variant.A


class TextFormSet(BaseInlineFormSet):
    """At least one text, and exactly one standard one of each variant. Both have the same languages."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if index == 0 and self.instance.pk is None:
            form.fields["language"].initial = get_language()
            form.fields["standard"].initial = True

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        if not kept:
            raise ValidationError(_("Write the text in at least one language."))
        variants = {
            variant: [form for form in kept if form.cleaned_data.get("variant", Variant.A) == variant]
            for variant in Variant
        }
        if not variants[Variant.A]:
            raise ValidationError(_("There is a text B, but no text A."))
        for its in variants.values():
            if len(its) == 1:
                its[0].instance.standard = True
            elif its and sum(bool(form.cleaned_data["standard"]) for form in its) != 1:
                raise ValidationError(_("Mark exactly one text as standard: it is for all other languages."))
        first, second = ({form.cleaned_data["language"].lower() for form in its} for its in variants.values())
        if second and (missing := sorted(first ^ second)):
            said = _("Texts A and B need the same languages. Only one of them has: %s.")
            raise ValidationError(said % ", ".join(missing))


class TextInline(StackedInline):
    """The texts of a template or a push message, one below the other."""

    form = TextForm
    formset = TextFormSet
    extra = 0
    min_num = 1
    max_num = 50
    fieldsets: ClassVar[Any] = [
        (None, {"fields": [("language", "variant", "standard"), "title", "message", "link"]}),
        (
            _("Buttons"),
            {
                "fields": [
                    ("first_button", "first_button_link"),
                    ("second_button", "second_button_link"),
                ],
                "classes": ["collapse"],
            },
        ),
    ]
