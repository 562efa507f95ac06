"""The form's part about when, how often and how fast a message is sent."""

from typing import Any

from django.forms import ModelForm
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signalize_console.messaging.models import PushMessage

TIMING: Any = (
    gettext_lazy("When"),
    {
        "fields": [
            *("scheduled_at", "in_local_time", "repeat", "per_minute", "canary", "valid_until"),
            "transactional",
        ]
    },
)


SPLIT_FIELDS = ("split_percent", "split_minutes")
SPLIT: Any = (
    gettext_lazy("Text A or text B"),
    {
        "fields": [SPLIT_FIELDS],
        "classes": ["split"],
        "description": gettext_lazy("The one that is clicked more goes to everybody else."),
    },
)


class TimingForm(ModelForm):
    instance: PushMessage

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if "scheduled_at" in self.fields:
            zone = _("Time zone: %s.") % timezone.get_current_timezone_name()
            help_text = self.fields["scheduled_at"].help_text
            self.fields["scheduled_at"].help_text = f"{help_text} {zone}"
        for name in SPLIT_FIELDS:
            if name in self.fields:
                self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        self.instance.time_zone = timezone.get_current_timezone_name()
        for name in SPLIT_FIELDS:
            data[name] = data.get(name) or getattr(self.instance, name)
        if not data.get("scheduled_at"):
            if data.get("in_local_time"):
                self.add_error("scheduled_at", _("Give the time that the recipients' clocks show."))
            elif data.get("repeat"):
                self.add_error("scheduled_at", _("Give the time of the first one; it repeats from then on."))
        if data.get("in_local_time"):
            self._refuse_beside_local_time(data)
        return data

    def _refuse_beside_local_time(self, data: dict[str, Any]) -> None:
        """Both need one time for all: what goes out over 26 hours can't be paced or watched."""
        for name in ("per_minute", "canary"):
            if data.get(name):
                self.add_error(name, _("Not together with the recipients' own time. Choose one of both."))
