"""Lists over millions of rows: no exact count where it would read them all."""

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import connection
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from signalize_console.audiences.words import SERVICES
from signalize_console.console.access import PerWebsite
from signalize_console.console.page_by_key import COUNTED, PageByKey
from signalize_console.webpush.push_services import HOSTS, SUFFIXES

ESTIMATE = """
SELECT coalesce(sum(greatest(part.reltuples, 0)), 0)::bigint
FROM pg_class part
WHERE part.oid = %(table)s::regclass
   OR part.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %(table)s::regclass)
"""


class EstimatingPaginator(Paginator):
    """Counts exactly up to 10,000; above that, PostgreSQL's estimate or simply "more"."""

    @cached_property
    def count(self) -> int:
        queryset: Any = self.object_list
        counted = queryset.order_by()[: COUNTED + 1].count()
        if counted <= COUNTED:
            return int(counted)
        if queryset.query.where:
            return COUNTED
        with connection.cursor() as cursor:
            cursor.execute(ESTIMATE, {"table": queryset.model._meta.db_table})
            return max(int(cursor.fetchone()[0]), COUNTED)


class OfPushService(admin.SimpleListFilter):
    """By push service. The names are known: nobody needs to read all rows for them."""

    title = _("push service")
    parameter_name = "push_service"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        names = {**HOSTS, **SUFFIXES}.values()
        return [(name, SERVICES[name]) for name in [*sorted(set(names)), "other"]]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(push_service=self.value()) if self.value() else queryset


class ByKey(PerWebsite):
    """A list that grows without end: the newest first, page by page by its id."""

    change_list_template = "console/list_by_key.html"
    paginator = EstimatingPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    ordering = ["-id"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PageByKey if self.ordering == ["-id"] else ChangeList

    def get_sortable_by(self, request: HttpRequest) -> Any:
        return () if self.ordering == ["-id"] else super().get_sortable_by(request)

    def list_key(self, request: HttpRequest) -> str:
        """By what the list is ordered and turned over: indexed, and unique among its rows."""
        return "id"

    def in_order(self, request: HttpRequest) -> Any:
        """All rows that come in the order of ``list_key`` from an index."""
        return self.model._default_manager.all()

    def is_found_by_index(self, request: HttpRequest) -> bool:
        """Whether the rows are few, or come in their order from an index, whatever the filters."""
        return bool(request.GET.get("q"))


class ReadOnly(ByKey):
    """A list to look at: nothing can be added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
