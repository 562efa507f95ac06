"""A segment's condition as one says it: "language is de"."""

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

FIELDS = {
    "attribute": _("attribute"),
    "interest": _("interest"),
    "language": _("language"),
    "customerId": _("customer id"),
    "platform": _("platform"),
    "pushService": _("push service"),
    "subscribed": _("subscribed"),
    "firstVisit": _("first visit"),
    "lastVisit": _("last visit"),
    "visits": _("number of visits"),
    "pageViews": _("number of page views"),
    "event": _("number of events"),
    "purchase": _("number of purchases"),
    "purchaseValue": _("worth of purchases"),
    "messageAccepted": _("number of messages received"),
    "messageShown": _("number of messages shown"),
    "messageClicked": _("number of messages clicked"),
    "messageClosed": _("number of messages closed"),
}
OPERATORS = {
    "equals": _("is"),
    "notEquals": _("is not"),
    "contains": _("contains"),
    "in": _("is one of"),
    "exists": _("is known"),
    "greater": _("is more than"),
    "less": _("is less than"),
    "atLeast": _("is at least"),
    "atMost": _("is at most"),
    "before": _("is before"),
    "after": _("is after"),
}
UNITS = {
    "daysAgo": _("%s days ago"),
    "hoursAgo": _("%s hours ago"),
    "daysAhead": _("%s days ahead"),
    "hoursAhead": _("%s hours ahead"),
    "days": _("in the last %s days"),
    "hours": _("in the last %s hours"),
}


def condition_in_words(condition: Mapping[str, Any]) -> str:
    parts = [str(FIELDS.get(condition["field"], condition["field"]))]
    parts += [f"“{condition[name]}”" for name in ("name", "product") if name in condition]
    parts += [f"#{condition['message']}"] if "message" in condition else []
    parts += [_value(condition["within"])] if "within" in condition else []
    parts += [json.dumps(condition["properties"])] if condition.get("properties") else []
    is_known = condition.get("op") == "exists"
    op, value = condition.get("op", "atLeast"), condition.get("value", 1)
    return " ".join([*parts, str(OPERATORS.get(op, op)), *([] if is_known else [_value(value)])])


def _value(value: Any) -> str:
    if isinstance(value, dict) and len(value) == 1:
        ((unit, amount),) = value.items()
        return str(UNITS.get(unit, "%s")) % amount
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    return f"“{value}”" if isinstance(value, str) else json.dumps(value)
