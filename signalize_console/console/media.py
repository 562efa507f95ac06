"""The media library: pictures for messages, and the choice of one beside a form's field."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from signalize_console.console.access import PerWebsite
from signalize_console.console.written import line, whole
from signalize_console.messaging.models import Media
from signalize_console.messaging.pictures import Picture, Unusable, cleaned

SHOWN = 40


class MediaForm(forms.ModelForm):
    """Takes a file, and has it judged and written anew before anything is stored."""

    file = forms.FileField(
        label=_("file"),
        help_text=_("PNG, JPEG or WebP, up to 10 MB. It is made to fit, and loses its metadata."),
    )
    picture: Picture

    class Meta:
        model = Media
        fields: ClassVar[Any] = ["website", "kind"]

    def clean(self) -> Any:
        file, kind = self.cleaned_data.get("file"), self.cleaned_data.get("kind")
        if file and kind:
            try:
                self.picture = cleaned(file, file.size, kind)
            except Unusable as error:
                self.add_error("file", str(error))
        return super().clean()

    def keep(self, by: str) -> Media:
        said = self.cleaned_data
        return Media.keep(said["website"], said["kind"], self.picture, name=said["file"].name, by=by)


@admin.register(Media)
class MediaAdmin(PerWebsite):
    when_empty = _("Icons and pictures that your messages show.")
    form = MediaForm
    list_display = ["shown", "name", "kind", "website", "size", "uploaded_by", "created_at"]
    list_display_links = ["name"]
    list_filter = ["website", "kind"]
    list_select_related = ["website"]
    search_fields = ["name"]
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    fields: ClassVar[Any] = ["website", "kind", "file"]
    actions = None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": _("Media library"), **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("choose/", view(require_GET(self.choose_view)), name="messaging_media_choose"),
            path("upload/", view(require_POST(self.upload_view)), name="messaging_media_upload"),
            *super().get_urls(),
        ]

    def get_fields(self, request: HttpRequest, obj: Media | None = None) -> Any:
        return (
            ["shown", "name", "kind", "website", "size", "uploaded_by", "created_at"] if obj else self.fields
        )

    def has_change_permission(self, request: HttpRequest, obj: Media | None = None) -> bool:
        """A picture is what it is: another one is another file."""
        return False

    def choose_view(self, request: HttpRequest) -> HttpResponse:
        """The newest pictures of a website and kind; ``before`` asks for older ones."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        wanted = {"website": whole(request.GET.get("website")), "kind": line(request.GET.get("kind"), 8)}
        pictures = self.get_queryset(request).filter(**wanted)
        if before := whole(request.GET.get("before")):
            pictures = pictures.filter(pk__lt=before)
        found = list(pictures.order_by("-pk")[: SHOWN + 1])
        more = found[SHOWN - 1].pk if len(found) > SHOWN else None
        return JsonResponse({"pictures": [self._said(request, one) for one in found[:SHOWN]], "before": more})

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form: Any = self.get_form(request)(request.POST, request.FILES)
        if not form.is_valid():
            problems = [str(problem) for listed in form.errors.values() for problem in listed]
            return JsonResponse({"problem": " ".join(problems)}, status=422)
        return JsonResponse(self._said(request, form.keep(str(request.user))), status=201)

    def _said(self, request: HttpRequest, media: Media) -> dict[str, Any]:
        return {
            "url": request.build_absolute_uri(media.path),
            "name": media.name,
            "size": self.size(media),
        }

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Media:
        form.save(commit=False)
        return form.keep(str(request.user))

    def save_model(self, request: HttpRequest, obj: Media, form: Any, change: bool) -> None:
        """It was stored with its file."""

    def delete_model(self, request: HttpRequest, obj: Media) -> None:
        obj.remove()

    @admin.display(description=_("picture"))
    def shown(self, media: Media) -> SafeString:
        return format_html('<img class="media-shown" src="{}" alt="" loading="lazy">', media.path)

    @admin.display(description=_("size"), ordering="weight")
    def size(self, media: Media) -> str:
        return f"{media.width} × {media.height}, {filesizeformat(media.weight)}"
