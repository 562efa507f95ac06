"""Lists over millions of rows, page by page by key: the last page costs what the first does.

Only what an index finds is looked for in all rows. Other filters look at the latest 200,000 and say so; a
link goes on from there.
"""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

BEFORE = "before"
LOOKED_AT = 200_000
# Up to here counting takes no time.
COUNTED = 10_000


class PageByKey(ChangeList):
    """``model_admin`` says by which key, and what an index finds. ``said`` is how many rows there are, as far
    as that is known.
    """

    model_admin: Any
    before: int | None = None
    said: str = ""
    older_url: str | None = None
    newest_url: str | None = None
    look_back_url: str | None = None

    def get_filters_params(self, params: Any = None) -> Any:
        found = super().get_filters_params(params)
        self.before = id_in((found.pop(BEFORE, None) or [None])[-1])
        return found

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Any other order would have to read them all."""
        return [f"-{self.model_admin.list_key(request)}"]

    def get_results(self, request: HttpRequest) -> None:
        key = self.model_admin.list_key(request)
        queryset: Any = self.queryset
        every = queryset.filter(**{f"{key}__lt": self.before}) if self.before else queryset
        looked_at, stopped_at = self._looked_at(request, every)
        rows = list(looked_at[: self.list_per_page + 1])
        self.result_list: Any = rows[: self.list_per_page]
        if len(rows) > self.list_per_page:
            self.older_url = self.get_query_string({BEFORE: getattr(self.result_list[-1], key)})
        elif stopped_at:
            self.look_back_url = self.get_query_string({BEFORE: stopped_at})
        if self.before:
            self.newest_url = self.get_query_string(remove=[BEFORE])
        self.said = self._how_many()
        self.result_count = self.full_result_count = len(self.result_list)
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(self.result_list, self.list_per_page)

    def _looked_at(self, request: HttpRequest, every: Any) -> tuple[Any, int | None]:
        """The rows to look at, and the id before which the rest begins; None: they are all."""
        if not self.has_active_filters or self.model_admin.is_found_by_index(request):
            return every, None
        key, in_order = self.model_admin.list_key(request), self.model_admin.in_order(request)
        newest = self.before or in_order.aggregate(newest=Max(key))["newest"] or 0
        oldest = newest - LOOKED_AT
        return (every.filter(**{f"{key}__gte": oldest}), oldest) if oldest > 1 else (every, None)

    def _how_many(self) -> str:
        is_all = not (self.older_url or self.look_back_url or self.before)
        if not is_all and (self.has_active_filters or self.query):
            return ""
        every = self.model_admin.get_paginator(None, self.root_queryset, self.list_per_page)
        count = len(self.result_list) if is_all else every.count
        words = {
            "one": self.opts.verbose_name,
            "many": self.opts.verbose_name_plural,
            "count": number_format(count, force_grouping=True),
        }
        if count >= COUNTED:
            return _("about %(count)s %(many)s") % words
        return ngettext("%(count)s %(one)s", "%(count)s %(many)s", count) % words


def id_in(said: Any) -> int | None:
    """The id that an address names; None where it names none."""
    text = str(said or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
