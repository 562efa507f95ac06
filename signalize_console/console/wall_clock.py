"""A form's date and time, understood also where the clocks are changed."""

import datetime
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from signalize_console.messaging.wall_clock import instant


class WallClockField(forms.SplitDateTimeField):
    """Gives the instant in UTC. Django's own field refuses the hours of a change of the clocks."""

    widget = AdminSplitDateTime

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for part, name in zip(self.widget.widgets, (_("date"), _("time")), strict=True):
            part.attrs["aria-label"] = format_lazy("{}: {}", self.label or "", name)

    def compress(self, data_list: Any) -> datetime.datetime | None:
        if not data_list:
            return None
        date, time = data_list
        if date in self.empty_values:
            raise forms.ValidationError(self.error_messages["invalid_date"], code="invalid_date")
        if time in self.empty_values:
            raise forms.ValidationError(self.error_messages["invalid_time"], code="invalid_time")
        return instant(datetime.datetime.combine(date, time), timezone.get_current_timezone())
