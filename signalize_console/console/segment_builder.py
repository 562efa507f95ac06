"""What the segment builder offers: fields with their operators and inputs, and values that really occur."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from signalize_console.audiences import operators, suggestions, words
from signalize_console.audiences.fields import FIELDS, Field
from signalize_console.audiences.lists import RecipientList
from signalize_console.audiences.sentences import Named
from signalize_console.audiences.tree import SEGMENT
from signalize_console.messaging.models import PushMessage
from signalize_console.websites.models import Website

MOST_OFFERED = 200
GROUPS: list[tuple[Any, list[str]]] = [
    (gettext_lazy("Who they are"), ["attribute", "interest", "language", "customerId", "list"]),
    (gettext_lazy("Browser"), ["platform", "pushService", "subscribed"]),
    (gettext_lazy("Visits"), ["firstVisit", "lastVisit", "visits", "pageViews"]),
    (gettext_lazy("What they did"), ["event", "purchase", "purchaseValue"]),
    (
        gettext_lazy("Messages"),
        ["messageAccepted", "lastMessage", "messageShown", "messageClicked", "messageClosed"],
    ),
]
# The input for a value; "in" takes several of them.
KINDS = [
    (operators.COUNT, "whole"),
    (operators.AMOUNT, "number"),
    (operators.TIME, "time"),
    (operators.NUMBERED, "numbered"),
]
TYPES = {
    "text": gettext_lazy("text"),
    "number": gettext_lazy("number"),
    "boolean": gettext_lazy("yes or no"),
    "date": gettext_lazy("date"),
}
# Where the values of a field or member come from: suggestions.SOURCES, or the choices below.
SUGGESTED = {
    "attribute": {"name": "attributes", "value": "attribute"},
    "interest": {"value": "interests"},
    "language": {"value": "languages"},
    "list": {"value": "lists"},
    "event": {"name": "events", "properties": "properties"},
    "pageViews": {"page": "pages"},
    "purchase": {"product": "products"},
    "purchaseValue": {"product": "products"},
}
COUNTED = {
    "equals": gettext_lazy("exactly"),
    "notEquals": gettext_lazy("any number but"),
    "greater": gettext_lazy("more than"),
    "less": gettext_lazy("less than"),
    "atLeast": gettext_lazy("at least"),
    "atMost": gettext_lazy("at most"),
}


def catalogue() -> dict[str, Any]:
    """All that the builder's script knows."""
    return {
        "groups": [
            {"label": str(label), "fields": [_field(name, FIELDS[name]) for name in names]}
            for label, names in GROUPS
        ],
        "types": [
            {"value": name, "label": str(TYPES[name]), "operators": _operators(known, words.OPERATORS)}
            for name, known in operators.TYPES.items()
        ],
        "limits": SEGMENT._asdict(),
        "words": _words(),
    }


def _field(name: str, field: Field) -> dict[str, Any]:
    kind = next((kind for some, kind in KINDS if field.operators is some), "text")
    choices = {"platform": words.PLATFORMS, "pushService": words.SERVICES}.get(name)
    labels = COUNTED if kind in {"whole", "number"} else words.OPERATORS
    return {
        "value": name,
        "label": str(words.FIELDS[name]),
        "kind": "choice" if choices else kind,
        "choices": [{"value": one, "label": str(label)} for one, label in (choices or {}).items()],
        "operators": _operators(field.operators, labels) if field.operators else None,
        "members": [*field.needs, *field.takes, *(["properties"] if field.has_properties else [])],
        "suggested": SUGGESTED.get(name, {}),
    }


def _operators(known: operators.Operators, labels: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"value": op, "label": str(labels[op])} for op in known]


def _words() -> dict[str, str]:
    """The texts of the builder itself."""
    return {
        "all": _("All of these hold"),
        "any": _("At least one of these holds"),
        "none": _("None of these holds"),
        "notAll": _("Not all of these hold"),
        "join": _("How the conditions are joined"),
        "group": _("Group"),
        "condition": _("Condition"),
        "addCondition": _("Add condition"),
        "addGroup": _("Add group"),
        "remove": _("Remove"),
        "removeGroup": _("Remove group"),
        "field": _("What to look at"),
        "not": _("not"),
        "operator": _("Comparison"),
        "value": _("Value"),
        "values": _("One value a line"),
        "name": _("Name"),
        "type": _("Kind of value"),
        "product": _("Any product"),
        "page": _("Any page"),
        "message": _("Message"),
        "anyMessage": _("any message"),
        "choose": _("Choose …"),
        "within": _("In which time"),
        "ever": _("ever"),
        "lastDays": _("in the last days:"),
        "lastHours": _("in the last hours:"),
        "amount": _("How many"),
        "unit": _("Days, hours or a date"),
        "daysAgo": _("days ago"),
        "hoursAgo": _("hours ago"),
        "daysAhead": _("days from now"),
        "hoursAhead": _("hours from now"),
        "fixed": _("a date"),
        "yes": _("yes"),
        "no": _("no"),
        "addProperty": _("Add a property"),
        "unfinished": _("Fill in what is missing."),
        "chooseWebsite": _("Choose a website first."),
        "failed": _("The console could not be reached. What you see may be out of date."),
        "badJson": _("This JSON can't be read, so it is shown as it is."),
        "asJson": _("Edit as JSON"),
        "byClicking": _("Edit by clicking"),
    }


def offered(website: Website, of: str, name: str) -> list[dict[str, Any]]:
    """Values to choose from; of lists and messages their numbers, with what they are called."""
    if of == "lists":
        rows = RecipientList.objects.filter(website=website).values_list("pk", "name")[:MOST_OFFERED]
        return [{"value": number, "label": label} for number, label in rows]
    if of == "messages":
        sent = PushMessage.objects.filter(website=website).exclude(day=None).prefetch_related("texts")
        return [{"value": one.pk, "label": str(one)} for one in sent[:MOST_OFFERED]]
    return suggestions.suggestions(website, of, name) if of in suggestions.SOURCES else []


def names_in(website_id: int, tree: Any) -> Named:
    """What the lists and messages that a website's definition names are called."""
    return names_of([(website_id, tree)])[website_id]


def names_of(definitions: Iterable[tuple[int, Any]]) -> dict[int, Named]:
    """The same of many, by their websites: a website's own lists and messages only, in a few queries."""
    lists: set[int] = set()
    messages: set[int] = set()
    found: dict[int, dict[str, dict[int, str]]] = {}
    for website_id, tree in definitions:
        found.setdefault(website_id, {"list": {}, "message": {}})
        for one in _conditions(tree):
            if one["field"] == "list":
                lists.update(one["value"] if isinstance(one["value"], list) else [one["value"]])
            if "message" in one:
                messages.add(one["message"])
    if lists:
        for on in RecipientList.objects.filter(pk__in=lists, website__in=found):
            found[on.website_id]["list"][on.pk] = str(on)
    if messages:
        for sent in PushMessage.objects.filter(pk__in=messages, website__in=found).prefetch_related("texts"):
            found[sent.website_id]["message"][sent.pk] = str(sent)
    return dict(found)


def _conditions(tree: Any) -> Iterator[dict[str, Any]]:
    if "field" in tree:
        yield tree
    for member in [*tree.get("all", []), *tree.get("any", []), *([tree["not"]] if "not" in tree else [])]:
        yield from _conditions(member)
