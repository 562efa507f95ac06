"""A segment as a sentence: "Language is “de” and (interest is “sport” or purchases: at least 1)"."""

from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from signalize_console.audiences.fields import FIELDS
from signalize_console.audiences.operators import COUNT
from signalize_console.audiences.words import FIELDS as NAMES
from signalize_console.audiences.words import OPERATORS, PLATFORMS, SERVICES

# What numbers stand for, by the field or member that holds them: {"list": {7: "Autumn fair"}}.
Named = Mapping[str, Mapping[int, str]]
KNOWN: dict[str, dict[str, Any]] = {"platform": PLATFORMS, "pushService": SERVICES}


def sentence(tree: Mapping[str, Any], named: Named | None = None) -> str:
    """Of a tree that ``tree.parse`` has taken."""
    said = _tree(tree, named or {}, outermost=True)
    return said[:1].upper() + said[1:]


def _tree(tree: Mapping[str, Any], named: Named, *, outermost: bool = False) -> str:
    if "not" in tree:
        return _("not (%s)") % _tree(tree["not"], named, outermost=True)
    if "all" in tree:
        return _joined(tree["all"], _(" and "), named, outermost)
    if "any" in tree:
        return _joined(tree["any"], _(" or "), named, outermost)
    return _condition(tree, named)


def _joined(members: list[Any], word: str, named: Named, outermost: bool) -> str:
    said = word.join(_tree(member, named) for member in members)
    return said if outermost or len(members) == 1 else f"({said})"


def _condition(facts: Mapping[str, Any], named: Named) -> str:
    name = facts["field"]
    subject = _subject(facts, named)
    if FIELDS[name].operators is COUNT or name == "purchaseValue":
        return f"{subject}: {_how_often(facts)}"
    return f"{subject} {_comparison(facts, named.get(name, KNOWN.get(name, {})))}"


def _subject(facts: Mapping[str, Any], named: Named) -> str:
    """The field with what narrows it."""
    parts = [str(NAMES.get(facts["field"], facts["field"]))]
    if "message" in facts:
        parts.append(_quoted(facts["message"], named.get("message", {})))
    parts += [_("“%s”") % facts[one] for one in ("name", "product", "page") if one in facts]
    if facts.get("properties"):
        wanted = _(" and ").join(
            f"{_('“%s”') % one['name']} {_comparison(one, {})}" for one in facts["properties"]
        )
        parts.append(_("with %s") % wanted)
    if "within" in facts:
        parts.append(_("in the last %s") % _period(facts["within"]))
    return " ".join(parts)


def _how_often(facts: Mapping[str, Any]) -> str:
    op, value = facts.get("op", "atLeast"), facts.get("value", 1)
    if (op, value) in {("equals", 0), ("less", 1), ("atMost", 0)} and facts["field"] != "purchaseValue":
        return _("none")
    words = {
        "equals": _("exactly %s"),
        "notEquals": _("any number but %s"),
        "greater": _("more than %s"),
        "less": _("less than %s"),
        "atLeast": _("at least %s"),
        "atMost": _("at most %s"),
    }
    return words[op] % value


def _comparison(facts: Mapping[str, Any], known: Mapping[Any, Any]) -> str:
    op, value = facts["op"], facts.get("value")
    if isinstance(value, dict):
        return _relative(op, value)
    if op in {"before", "after"} and (moment := parse_datetime(str(value))):
        value = f"{moment:%Y-%m-%d %H:%M %Z}".strip()
    said = str(OPERATORS[op])
    if op == "exists":
        return said
    some = value if isinstance(value, list) else [value]
    return f"{said} {', '.join(_quoted(one, known) for one in some)}"


def _relative(op: str, value: Mapping[str, int]) -> str:
    """“more than 7 days ago”."""
    ((unit, amount),) = value.items()
    span = _period({unit.removesuffix("Ago").removesuffix("Ahead"): amount})
    words = {
        ("before", False): _("more than %s ago"),
        ("after", False): _("less than %s ago"),
        ("equals", False): _("%s ago"),
        ("before", True): _("less than %s from now"),
        ("after", True): _("more than %s from now"),
        ("equals", True): _("%s from now"),
    }
    return words[op, unit.endswith("Ahead")] % span


def _period(value: Mapping[str, int]) -> str:
    ((unit, amount),) = value.items()
    said = (
        ngettext("%d hour", "%d hours", amount) if unit == "hours" else ngettext("%d day", "%d days", amount)
    )
    return said % amount


def _quoted(value: Any, known: Mapping[Any, Any]) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in known:
        return _("“%s”") % known[value]
    return _("“%s”") % value if isinstance(value, str) else str(value)
