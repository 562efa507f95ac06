"""Templates in the console."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from signalize_console.console.access import PerWebsite
from signalize_console.console.composer_words import told
from signalize_console.console.content import DELIVERY, LOOK, ContentForm, TextInline
from signalize_console.messaging.limits import PLATFORMS
from signalize_console.messaging.models import MessageTemplate, TemplateText


class TemplateTextInline(TextInline):
    model = TemplateText


@admin.register(MessageTemplate)
class MessageTemplateAdmin(PerWebsite):
    when_empty = _("A template is a message to send again and again, by hand, by API or by an automation.")
    list_display = ["name", "website", "created_at"]
    list_filter = ["website"]
    list_select_related = ["website"]
    search_fields = ["name"]
    fieldsets = [(None, {"fields": ["website", "name"]}), LOOK, DELIVERY]
    inlines = [TemplateTextInline]
    form = ContentForm
    change_form_template = "console/template.html"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context |= {"composer": told(request, self.admin_site), "platforms": PLATFORMS}
        return super().render_change_form(request, context, *args, **kwargs)
