"""Numbers as reports write them: what is unknown is called so, and never zero."""

from decimal import Decimal
from typing import Any

from django import template
from django.template.defaultfilters import floatformat
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def number(value: float | Decimal | None) -> Any:
    """12,345; with two places where it isn't whole."""
    if value is None:
        return format_html('<span class="unknown">{}</span>', _("unknown"))
    if isinstance(value, int):
        return number_format(value, force_grouping=True)
    return floatformat(value, "0g" if value == int(value) else "2g")


@register.filter
def money(value: Decimal | None) -> Any:
    """12,345.60, in whatever currency it is."""
    return number(None) if value is None else floatformat(value, "2g")


@register.filter
def percent(value: float | None) -> Any:
    """A share: 4.2 %. None has nothing to be a share of."""
    if value is None:
        return "–"
    return f"{floatformat(100 * value, '1g')} %"
