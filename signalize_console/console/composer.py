"""What the composer asks of us while somebody writes: to save, to remark, and to send a test."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import BaseModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from signalize_console.console import drafts, links
from signalize_console.console.cautions import in_one_line
from signalize_console.console.composer_words import told
from signalize_console.console.content import TextInline
from signalize_console.console.testing import TestingViews
from signalize_console.console.written import whole
from signalize_console.messaging import coverage, lint
from signalize_console.messaging.limits import PLATFORMS
from signalize_console.messaging.models import Audience, MessageTemplate, PushMessage, PushMessageText
from signalize_console.messaging.revisions import revision
from signalize_console.messaging.states import MessageState
from signalize_console.websites.models import Website

LACKING = gettext_lazy("Each of its texts needs a title and a link before it can be a template.")
TO_NAMED = gettext_lazy(
    "It was written to named recipients, and may speak of them: a template would keep that when they are "
    "erased. Write a new one."
)


class ComposerViews(TestingViews, ModelAdmin):
    """Views of PushMessageAdmin beside its form. Each answers in JSON, but for the start from a template."""

    def composer_urls(self) -> list[URLPattern]:
        def view(address: str, answer: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(address, self.admin_site.admin_view(answer), name=f"messaging_pushmessage_{name}")

        return [
            view("save/", require_POST(self.save_view), "save"),
            view("<int:message_id>/save/", require_POST(self.save_view), "save_again"),
            view("remarks/", require_POST(self.remarks_view), "remarks"),
            view("links/", require_POST(self.links_view), "links"),
            view("<int:message_id>/links/", require_GET(self.links_of_view), "links_of"),
            view("placeholders/", require_GET(self.placeholders_view), "placeholders"),
            view("<int:message_id>/to-template/", require_POST(self.to_template_view), "to_template"),
            view("from-template/", require_POST(self.from_template_view), "from_template"),
            *self.testing_urls(view),
        ]

    def composer_context(self, request: HttpRequest, message: PushMessage | None) -> dict[str, Any]:
        may_write = self.has_change_permission if message else self.has_add_permission
        urls = {}
        if may_write(request):
            urls["save"] = self._url("save_again", message.pk) if message else self._url("save")
        if self.may_send(request):
            named = {"test": self._url("test", 0), "browsers": self._url("browsers")}
            urls |= {**named, "addBrowser": self._url("add_browser")}
        return {
            "composer": told(request, self.admin_site, **urls),
            "platforms": PLATFORMS,
            "may_make_template": self.may_make_template(request),
            "templates": [] if message else self._templates(request),
        }

    @transaction.atomic
    def save_view(self, request: HttpRequest, message_id: int | None = None) -> HttpResponse:
        """Saves a draft that may still lack words. Says what the form must know to go on from there."""
        draft = self._draft(request, message_id)
        if draft and drafts.is_stale(request.POST, draft):
            return JsonResponse({"problem": drafts.CHANGED, "stale": True}, status=409)
        form, formset = self._filled(request, draft)
        problem = drafts.problem_of(form, formset)
        if problem:
            return JsonResponse({"problem": problem}, status=422)
        draft = formset.instance = self.save_form(request, form, change=draft is not None)
        self.save_model(request, draft, form, change=message_id is not None)
        self.save_related(request, form, [formset], change=message_id is not None)
        change = reverse("admin:messaging_pushmessage_change", args=[draft.pk])
        saved = revision(self.get_queryset(request).get(pk=draft.pk))
        said = {"id": draft.pk, "url": change, "save": self._url("save_again", draft.pk), "revision": saved}
        return JsonResponse(
            {**said, "at": f"{timezone.localtime():%H:%M}", "fields": drafts.numbers_of(formset)}
        )

    def remarks_view(self, request: HttpRequest) -> HttpResponse:
        """What there is to say about the form as it is; nothing is stored."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        message, texts = drafts.read(request.POST)
        website = self._website(request, request.POST.get("website"))
        return JsonResponse({"remarks": _told(lint.remarks(message, list(texts.values()), website), texts)})

    def links_view(self, request: HttpRequest) -> HttpResponse:
        """As ``remarks_view``, of where the links lead: that takes the network, and a while."""
        if not links.may_ask(request.user):
            raise PermissionDenied
        message, texts = drafts.read(request.POST)
        website = self._website(request, request.POST.get("website"))
        said = links.remarks(message, list(texts.values()), website, request.user)
        return JsonResponse({"remarks": _told(said.remarks, texts), "wait": said.wait})

    def links_of_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """The part of the review that comes late."""
        if not links.may_ask(request.user):
            raise PermissionDenied
        message = get_object_or_404(self.get_queryset(request), pk=message_id)
        texts = list(message.texts.all())
        said = links.remarks(message, texts, message.website, request.user)
        found = [in_one_line(one, texts) for one in said.remarks]
        return TemplateResponse(request, "console/links.html", {"said": said, "found": found})

    def placeholders_view(self, request: HttpRequest) -> HttpResponse:
        """The names that a website's recipients have values for."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        website = self._website(request, request.GET.get("website"))
        return JsonResponse({"names": coverage.names(website) if website else []})

    @transaction.atomic
    def from_template_view(self, request: HttpRequest) -> HttpResponse:
        """A draft that says what a template says."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        template = get_object_or_404(self._templates(request), pk=whole(request.POST.get("template")))
        draft = PushMessage(website=template.website)
        texts = draft.use(template)
        draft.save()
        for text in texts:
            text.push_message = draft
            text.save()
        return HttpResponseRedirect(reverse("admin:messaging_pushmessage_change", args=[draft.pk]))

    @transaction.atomic
    def to_template_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        message = get_object_or_404(self.get_queryset(request), pk=message_id)
        if not (self.has_view_permission(request, message) and self.may_make_template(request)):
            raise PermissionDenied
        return self.to_template(request, message)

    def to_template(self, request: HttpRequest, message: PushMessage) -> HttpResponse:
        """A template that says what this message says, under its title until somebody names it."""
        texts = message.texts.all()
        problem = "" if texts and all(text.title and text.link for text in texts) else LACKING
        if message.audience == Audience.RECIPIENTS:
            problem = TO_NAMED
        if problem:
            messages.error(request, problem)
            return HttpResponseRedirect(self._url("change", message.pk))
        template = MessageTemplate.made_of(message, message.title)
        self.admin_site.get_model_admin(MessageTemplate).log_addition(request, template, [{"added": {}}])
        messages.success(request, _("This is a template now. Give it a name that says what it is for."))
        return HttpResponseRedirect(reverse("admin:messaging_messagetemplate_change", args=[template.pk]))

    def may_make_template(self, request: HttpRequest) -> bool:
        return self.admin_site.get_model_admin(MessageTemplate).has_add_permission(request)

    def _draft(self, request: HttpRequest, message_id: int | None) -> PushMessage | None:
        """Locked, so that nobody sends it meanwhile."""
        if message_id is None:
            if not self.has_add_permission(request):
                raise PermissionDenied
            return None
        mine = self.get_queryset(request).filter(pk=message_id, state=MessageState.DRAFT)
        draft = mine.select_for_update(of=("self",)).first()
        if draft is None or not self.has_change_permission(request, draft):
            raise PermissionDenied(_("This message is no draft any more."))
        return draft

    def _filled(self, request: HttpRequest, draft: PushMessage | None) -> tuple[BaseModelForm, Any]:
        """The change form with what was sent, and its texts."""
        form = self.get_form(request, draft, change=draft is not None)(request.POST, instance=draft)
        for formset_class, inline in self.get_formsets_with_inlines(request, draft):
            if isinstance(inline, TextInline):
                options = self.get_formset_kwargs(request, draft or PushMessage(), inline, "texts")
                return form, formset_class(**options)
        raise PermissionDenied

    def _website(self, request: HttpRequest, written: str | None) -> Website | None:
        """One that this member of the staff may choose in the form."""
        field: Any = self.get_form(request)().fields["website"]
        return field.queryset.filter(pk=whole(written)).first()

    def _templates(self, request: HttpRequest) -> Any:
        admin_of_templates = self.admin_site.get_model_admin(MessageTemplate)
        if not admin_of_templates.has_view_permission(request):
            return MessageTemplate.objects.none()
        return admin_of_templates.get_queryset(request).select_related("website")

    @staticmethod
    def _url(name: str, *args: int) -> str:
        return reverse(f"admin:messaging_pushmessage_{name}", args=args)


def _told(said: list[lint.Remark], texts: dict[str, PushMessageText]) -> list[dict[str, Any]]:
    rows = {id(text): prefix for prefix, text in texts.items()}
    return [
        {
            "sentence": one.sentence,
            "field": f"{rows[id(one.text)]}-{one.field}" if one.text else one.field,
            "language": one.text.label if one.text and len(texts) > 1 else "",
            "serious": one.is_serious,
        }
        for one in said
    ]
