"""Lists by cursor: ``{"items": […], "nextCursor": "…" | null}``. Nothing is skipped while rows are added."""

import base64
import binascii
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from signalize_console.api.parsing import PlainText, Strict

Row = TypeVar("Row", bound=Model)
DEFAULT_LIMIT, MAX_LIMIT = 50, 200
LARGEST = 2**63 - 1


@extend_schema_field({"type": "string", "description": "`nextCursor` of the page before."})
class Cursor(PlainText):
    """An opaque text that holds the last id of the page before."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            last = int(base64.urlsafe_b64decode(super().to_internal_value(data).encode() + b"=="))
        except (ValueError, binascii.Error, UnicodeError):
            last = -1
        if not 0 <= last <= LARGEST:
            raise serializers.ValidationError("Give nextCursor of the page before, as it was.")
        return last


class Page(Strict):
    """The parameters of every list."""

    cursor = Cursor(required=False)
    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)


def page_of(
    rows: QuerySet[Row], asked: dict[str, Any], *, newest_first: bool = True
) -> tuple[list[Row], str | None]:
    """One page of ``rows``, by id, and the cursor of the next one."""
    if "cursor" in asked:
        rows = rows.filter(pk__lt=asked["cursor"]) if newest_first else rows.filter(pk__gt=asked["cursor"])
    found = list(rows.order_by("-pk" if newest_first else "pk")[: asked["limit"] + 1])
    page = found[: asked["limit"]]
    is_last = len(found) <= asked["limit"]
    return page, None if is_last else cursor_after(page[-1].pk)


def cursor_after(last: int) -> str:
    return base64.urlsafe_b64encode(str(last).encode()).rstrip(b"=").decode()
