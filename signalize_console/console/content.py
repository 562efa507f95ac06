"""What the forms of templates and push messages share: the texts, and how the fields are laid out."""

from typing import Any, ClassVar

from django.contrib.admin import StackedInline
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet, ModelForm, Textarea
from django.utils.translation import gettext_lazy as _

LOOK: Any = (
    _("Look"),
    {"fields": ["icon", "image", "badge", "require_interaction", "silent"], "classes": ["collapse"]},
)
DELIVERY: Any = (_("Delivery options"), {"fields": ["urgency", "ttl", "topic"], "classes": ["collapse"]})


class TextForm(ModelForm):
    class Meta:
        fields = [
            *("language", "standard", "title", "message", "link"),
            *("first_button", "first_button_link", "second_button", "second_button_link"),
        ]
        widgets = {"message": Textarea(attrs={"rows": 3})}


class TextFormSet(BaseInlineFormSet):
    """At least one text, and exactly one of them the standard one."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        if not kept:
            raise ValidationError(_("Write the text in at least one language."))
        if len(kept) == 1:
            kept[0].instance.standard = True
        elif sum(bool(form.cleaned_data["standard"]) for form in kept) != 1:
            raise ValidationError(_("Mark exactly one text as standard: it is for all other languages."))


class TextInline(StackedInline):
    """The texts of a template or a push message, one below the other."""

    form = TextForm
    formset = TextFormSet
    extra = 0
    min_num = 1
    max_num = 50
    fieldsets: ClassVar[Any] = [
        (None, {"fields": [("language", "standard"), "title", "message", "link"]}),
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
