"""Templates in the console."""

from django.contrib import admin

from signalize_console.console.access import PerWebsite
from signalize_console.console.content import DELIVERY, LOOK, TextInline
from signalize_console.messaging.models import MessageTemplate, TemplateText


class TemplateTextInline(TextInline):
    model = TemplateText


@admin.register(MessageTemplate)
class MessageTemplateAdmin(PerWebsite):
    list_display = ["name", "website", "created_at"]
    list_filter = ["website"]
    list_select_related = ["website"]
    search_fields = ["name"]
    fieldsets = [(None, {"fields": ["website", "name"]}), LOOK, DELIVERY]
    inlines = [TemplateTextInline]
