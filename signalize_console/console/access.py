"""Whose things a staff user sees: those of all websites, or of the ones that they are limited to.

Each class of the admin is a ``PerWebsite``; what else stands on a page goes through ``of_own_websites``.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from signalize_console.console import audit
from signalize_console.console.models import WebsiteLimit
from signalize_console.websites.models import Website


def website_ids(user: Any) -> frozenset[int] | None:
    """The websites that this user is limited to; None: to none in particular."""
    if user.is_superuser:
        return None
    if not hasattr(user, "limited_to"):
        found = WebsiteLimit.objects.filter(user_id=user.pk).values_list("websites", flat=True)
        limit = list(found)
        user.limited_to = frozenset(filter(None, limit)) if limit else None
    ids: frozenset[int] | None = user.limited_to
    return ids


def of_own_websites(user: Any, rows: Any, path: str = "website") -> Any:
    """Those rows that the user may see. ``path`` leads from a row to its website."""
    ids = website_ids(user)
    return rows if ids is None else rows.filter(**{f"{path}__in": ids})


def own_websites(user: Any) -> QuerySet[Website]:
    return of_own_websites(user, Website.objects.all(), "id")


def website_of(obj: Model, path: str) -> int | None:
    """The id of a row's website."""
    *steps, last = path.split("__")
    for step in steps:
        obj = getattr(obj, step)
    field: Any = obj._meta.get_field(last)
    number: int | None = getattr(obj, field.attname)
    return number


def choices_of(site: Any, user: Any, model: type[Model]) -> Any:
    """What may be chosen of another class in a form or a filter."""
    registered = site._registry.get(model)
    has_website = any(field.name == "website" for field in model._meta.fields)
    path = registered.website_path if registered else "website" if has_website else ""
    rows = model._default_manager.all()
    return of_own_websites(user, rows, path) if path else rows


class OwnRelated(admin.RelatedFieldListFilter):
    """The filter's choices without what belongs to other people's websites."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        ordering = self.field_admin_ordering(field, request, model_admin)
        rows = choices_of(model_admin.admin_site, request.user, field.remote_field.model)
        return [(row.pk, str(row)) for row in rows.order_by(*ordering)]


class OwnChoices(BaseModelAdmin):
    """Forms and inlines offer only what is the user's to choose."""

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> Any:
        ordered = super().get_field_queryset(db, db_field, request)
        rows = choices_of(self.admin_site, request.user, db_field.remote_field.model)
        return rows.order_by(*ordered.query.order_by) if ordered is not None else rows


class PerWebsite(OwnChoices, admin.ModelAdmin):
    """``website_path`` leads from a row to its website; "" where a class belongs to no website: then only
    people without a limit may use it, or look at it where ``all_may_look``.

    ``of_all_too``: a row without a website concerns everyone; they may look at it, not touch it.
    """

    website_path: ClassVar[str] = "website"
    # What a list without rows says of them.
    when_empty: ClassVar[Any] = ""
    all_may_look: ClassVar[bool] = False
    of_all_too: ClassVar[bool] = False

    def get_queryset(self, request: HttpRequest) -> Any:
        rows, ids = super().get_queryset(request), website_ids(request.user)
        if ids is None or not self.website_path:
            return rows
        own = Q(**{f"{self.website_path}__in": ids})
        return rows.filter(own | Q(**{self.website_path: None}) if self.of_all_too else own)

    def is_own(self, request: HttpRequest, obj: Model | None, *, to_look: bool = False) -> bool:
        ids = website_ids(request.user)
        if ids is None:
            return True
        if not self.website_path:
            return to_look and self.all_may_look
        website = website_of(obj, self.website_path) if obj else None
        return obj is None or website in ids or (to_look and self.of_all_too and website is None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and self.is_own(request, obj, to_look=True)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self.is_own(request, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self.is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self.is_own(request, obj)

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [
            (one, OwnRelated)
            if isinstance(one, str) and get_fields_from_path(self.model, one)[-1].is_relation
            else one
            for one in super().get_list_filter(request)
        ]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What stands in the way comes before a right that nobody has, such as to delete what was sent."""
        rows, count, perms_needed, protected = super().get_deleted_objects(objs, request)
        return rows, count, set() if protected else perms_needed, protected

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *place: Any
    ) -> HttpResponse | None:
        chosen = audit.chosen_by(request, queryset, self.website_path)
        response = super().response_action(request, queryset, *place)
        if response is not None and response.status_code < 400:
            audit.record_action(request, self.opts.label_lower, chosen)
        return response

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, "added", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, "changed", obj, audit.fields_in(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._record(request, "deleted", obj)
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, deed: str, obj: Any, detail: str = "") -> None:
        website = website_of(obj, self.website_path) if self.website_path else None
        audit.record(request.user, deed, self.opts.label_lower, obj.pk, website_id=website, detail=detail)
