"""The opt-in in the console: how visitors are asked, with a preview that is the dialog itself."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from signalize_console.browser.words import OPT_IN
from signalize_console.console.access import PerWebsite, own_websites
from signalize_console.console.badges import badge
from signalize_console.console.content import TextFormSet
from signalize_console.console.paging import ReadOnly
from signalize_console.security_headers import POLICY
from signalize_console.websites import asking
from signalize_console.websites.models import ConsentText, Interest, OptIn, OptInText

COLOURS = ["background", "ink", "accent", "dark_background", "dark_ink", "dark_accent"]


class Names(forms.CharField):
    """A name in other languages, a line each: ``de: Angebote``."""

    widget = forms.Textarea(attrs={"rows": 2, "cols": 30, "placeholder": "de: Angebote"})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return "\n".join(f"{language}: {name}" for language, name in value.items())
        return value

    def clean(self, value: Any) -> dict[str, str]:
        names = {}
        for line in filter(None, map(str.strip, (value or "").splitlines())):
            language, colon, name = (part.strip() for part in line.partition(":"))
            if not (language.isascii() and language.replace("-", "").isalnum() and colon and name):
                raise ValidationError(_("Write one language a line, like de: Angebote"))
            names[language] = name[:60]
        return names


class InterestForm(forms.ModelForm):
    names = Names(label=_("in other languages"), required=False)

    class Meta:
        model = Interest
        fields: ClassVar[Any] = ["name", "key", "names", "place"]


class InterestInline(admin.StackedInline):
    model = Interest
    form = InterestForm
    extra = 0
    fields: ClassVar[Any] = [("name", "key"), ("names", "place")]
    prepopulated_fields: ClassVar[Any] = {"key": ["name"]}


class OptInTextInline(admin.StackedInline):
    model = OptInText
    formset = TextFormSet
    extra = 0
    min_num = 1
    fieldsets: ClassVar[Any] = [
        (None, {"fields": [("language", "standard"), "title", "message", ("yes", "no"), "label"]}),
        (
            _("Link to your privacy notice"),
            {"fields": [("privacy", "privacy_link")], "classes": ["collapse"]},
        ),
    ]

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "message":
            kwargs["widget"] = forms.Textarea(attrs={"rows": 3})
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(OptIn)
class OptInAdmin(PerWebsite):
    list_display = ["website", "status", "kind", "trigger", "after"]
    list_select_related = ["website"]
    fieldsets = [
        (_("How"), {"fields": ["kind", "position", ("trigger", "after"), "paths"]}),
        (_("Look"), {"fields": ["logo", ("background", "ink", "accent")]}),
        (
            _("Look for visitors who like it dark"),
            {"fields": [("dark_background", "dark_ink", "dark_accent")], "classes": ["collapse"]},
        ),
    ]
    inlines = [OptInTextInline, InterestInline]
    change_form_template = "console/opt_in.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("of/<int:website_id>/", view(self.of_website), name="websites_optin_of"),
            path("preview/", view(self.preview), name="websites_optin_preview"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Each website has one: it is made ready when somebody first looks."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OptIn | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if self.has_change_permission(request):
            for website in own_websites(request.user).filter(opt_in=None):
                asking.opt_in_of(website)
        return super().changelist_view(request, {"title": _("Opt-in"), **(extra_context or {})})

    def of_website(self, request: HttpRequest, website_id: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        opt_in = asking.opt_in_of(get_object_or_404(own_websites(request.user), pk=website_id))
        return HttpResponseRedirect(reverse("admin:websites_optin_change", args=[opt_in.pk]))

    @xframe_options_sameorigin
    def preview(self, request: HttpRequest) -> HttpResponse:
        """The page inside the preview's frame: a page of nobody, with the real dialog in it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        answer = render(request, "console/opt_in_preview.html")
        answer["Content-Security-Policy"] = POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
        return answer

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context |= {"help": OPT_IN, "title": _("Opt-in")}
        return super().render_change_form(request, context, *args, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name in COLOURS:
            kwargs["widget"] = forms.TextInput(attrs={"type": "color"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: OptIn, form: Any, change: bool) -> None:
        if "_on" in request.POST or "_off" in request.POST:
            obj.is_on = "_on" in request.POST
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        asking.publish(form.instance)
        for sentence in form.instance.weak_colours():
            messages.warning(request, sentence)

    def response_change(self, request: HttpRequest, obj: OptIn) -> HttpResponse:
        """One stays here: the next thing is to look at it."""
        messages.success(
            request,
            _("Saved. Visitors are asked from now on.") if obj.is_on else _("Saved. Nobody is asked yet."),
        )
        return HttpResponseRedirect(request.path)

    @admin.display(description=_("state"), ordering="is_on")
    def status(self, opt_in: OptIn) -> SafeString:
        return badge("active", _("on")) if opt_in.is_on else badge("off", _("off"))


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnly):
    """What the versions that the consent log names have said."""

    list_display = ["version", "website", "created_at"]
    list_filter = ["website"]
    list_select_related = ["website"]
    fields: ClassVar[Any] = [*list_display, "said"]
