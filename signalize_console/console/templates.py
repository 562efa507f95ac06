"""Templates in the console."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

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

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.duplicate_view))
        name = "messaging_messagetemplate_duplicate"
        return [path("<int:template_id>/duplicate/", view, name=name), *super().get_urls()]

    @transaction.atomic
    def duplicate_view(self, request: HttpRequest, template_id: int) -> HttpResponse:
        if not (self.has_view_permission(request) and self.has_add_permission(request)):
            raise PermissionDenied
        template = get_object_or_404(self.get_queryset(request).prefetch_related("texts"), pk=template_id)
        copy = MessageTemplate.made_of(template, template.name)
        self.log_addition(request, copy, [{"added": {}}])
        messages.success(request, _("This is a copy. Give it a name of its own."))
        return HttpResponseRedirect(reverse("admin:messaging_messagetemplate_change", args=[copy.pk]))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context |= {"composer": told(request, self.admin_site), "platforms": PLATFORMS}
        return super().render_change_form(request, context, *args, **kwargs)
