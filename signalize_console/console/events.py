"""What happened, newest first."""

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from signalize_console.activity.models import Event
from signalize_console.console.badges import badge
from signalize_console.console.paging import ReadOnly


@admin.register(Event)
class EventAdmin(ReadOnly):
    when_empty = _("Visits, orders and clicks come in by themselves, as soon as your pages have the script.")
    list_display = ["occurred_at", "what", "name", "website", "recipient", "push_message_id", "delivery_id"]
    list_filter = ["kind", "website"]
    list_select_related = ["website", "recipient"]
    fields: ClassVar[Any] = [*list_display, "properties"]

    @admin.display(description=_("what"), ordering="kind")
    def what(self, event: Event) -> SafeString:
        return badge(event.kind, event.get_kind_display())
