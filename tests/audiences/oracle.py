"""What a segment means, said once more in plain Python: the compiler's SQL must agree with it."""

import datetime
import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.audiences.worlds import AT, Known

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "equals": operator.eq,
    "notEquals": operator.ne,
    "greater": operator.gt,
    "less": operator.lt,
    "atLeast": operator.ge,
    "atMost": operator.le,
    "before": operator.lt,
    "after": operator.gt,
}


def holds(tree: dict[str, Any], one: Known) -> bool:
    if "all" in tree:
        return all(holds(member, one) for member in tree["all"])
    if "any" in tree:
        return any(holds(member, one) for member in tree["any"])
    if "not" in tree:
        return not holds(tree["not"], one)
    return FIELDS[tree["field"]](tree, one)


def same(found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(found, int | float) and isinstance(wanted, int | float):
        return Decimal(repr(found)) == Decimal(repr(wanted))
    return type(found) is type(wanted) and found == wanted


def member(condition: dict[str, Any], facts: dict[str, Any]) -> bool:  # noqa: PLR0911 - a case a line
    found, op, wanted = facts.get(condition["name"]), condition["op"], condition.get("value")
    if op == "exists":
        return found is not None
    if condition["type"] == "date":
        if not isinstance(found, str) or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]|\Z)", found):
            return False
        return COMPARE[op](found[:10], day(wanted))
    if op == "in":
        return any(same(found, each) for each in wanted)
    if op in {"equals", "notEquals"}:
        return same(found, wanted) is (op == "equals")
    if op == "contains":
        return isinstance(found, str) and wanted.lower() in found.lower()
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    return COMPARE[op](Decimal(repr(found)), Decimal(repr(wanted)))


def day(wanted: Any) -> str:
    if isinstance(wanted, str):
        return wanted
    days = wanted["daysAhead"] if "daysAhead" in wanted else -wanted["daysAgo"]
    return (AT + datetime.timedelta(days=days)).date().isoformat()


def moment(wanted: Any) -> datetime.datetime:
    if isinstance(wanted, str):
        return datetime.datetime.fromisoformat(wanted)
    ((unit, amount),) = wanted.items()
    distance = datetime.timedelta(**{unit.removesuffix("Ago").removesuffix("Ahead"): amount})
    return AT + distance if unit.endswith("Ahead") else AT - distance


def word(condition: dict[str, Any], found: str) -> bool:
    if condition["op"] == "exists":
        return found != ""
    if condition["op"] == "in":
        return found in condition["value"]
    return (found == condition["value"]) is (condition["op"] == "equals")


def language(condition: dict[str, Any], one: Known) -> bool:
    spoken = one.recipient.language.lower()
    if condition["op"] == "exists":
        return spoken != ""
    wanted = condition["value"] if condition["op"] == "in" else [condition["value"]]
    speaks = any(spoken == tag.lower() or spoken.startswith(tag.lower() + "-") for tag in wanted)
    return speaks is not (condition["op"] == "notEquals")


def interest(condition: dict[str, Any], one: Known) -> bool:
    if condition["op"] == "exists":
        return bool(one.recipient.interests)
    wanted = condition["value"] if condition["op"] == "in" else [condition["value"]]
    return bool(set(wanted) & set(one.recipient.interests))


def in_period(condition: dict[str, Any], at: datetime.datetime) -> bool:
    if at > AT:
        return False
    return "within" not in condition or at > AT - datetime.timedelta(**condition["within"])


def events(condition: dict[str, Any], one: Known, kind: str) -> list[Any]:
    return [event for event in one.events if event.kind == kind and in_period(condition, event.occurred_at)]


def count(condition: dict[str, Any], number: int | Decimal) -> bool:
    return COMPARE[condition.get("op", "atLeast")](number, condition.get("value", 1))


def visits(condition: dict[str, Any], one: Known) -> bool:
    begun, before = 0, None
    for at in sorted(event.occurred_at for event in events(condition, one, "page_view")):
        begun += before is None or at - before > datetime.timedelta(minutes=30)
        before = at
    return count(condition, begun)


def page_views(condition: dict[str, Any], one: Known) -> bool:
    views = [
        event
        for event in events(condition, one, "page_view")
        if condition.get("page", "").lower() in event.properties.get("page", "").lower()
    ]
    return count(condition, len(views))


def own_events(condition: dict[str, Any], one: Known) -> bool:
    found = [
        event
        for event in events(condition, one, "event")
        if event.name == condition["name"]
        and all(member(each, event.properties) for each in condition.get("properties", []))
    ]
    return count(condition, len(found))


def product_ids(properties: dict[str, Any]) -> set[str]:
    products = [properties.get("product"), *properties.get("products", [])]
    products += [each["product"] for each in properties.get("basket", {}).get("products", [])]
    return {str(each["id"]) for each in products if isinstance(each, dict)}


def orders(condition: dict[str, Any], one: Known) -> list[Any]:
    return [
        event
        for event in events(condition, one, "event")
        if event.name == "order"
        and ("product" not in condition or condition["product"] in product_ids(event.properties))
    ]


def worth(properties: dict[str, Any]) -> Decimal:
    text = str(properties.get("value", properties.get("orderPrice", "")))
    return Decimal(text) if re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", text) else Decimal(0)


def purchase_value(condition: dict[str, Any], one: Known) -> bool:
    total = sum((worth(event.properties) for event in orders(condition, one)), Decimal(0))
    return COMPARE[condition["op"]](total, Decimal(repr(condition["value"])))


def messages(condition: dict[str, Any], pairs: list[tuple[int, datetime.datetime]]) -> bool:
    found = [
        message
        for message, at in pairs
        if in_period(condition, at) and condition.get("message", message) == message
    ]
    return count(condition, len(found))


def last_message(condition: dict[str, Any], one: Known) -> bool:
    so_far = [at for _message, at in one.accepted if at <= AT]
    return bool(so_far) and COMPARE[condition["op"]](max(so_far), moment(condition["value"]))


def on_list(condition: dict[str, Any], one: Known) -> bool:
    wanted = condition["value"] if condition["op"] == "in" else [condition["value"]]
    return bool(one.lists & set(wanted)) is not (condition["op"] == "notEquals")


def reported(kind: str) -> Callable[[dict[str, Any], Known], bool]:
    def condition_holds(condition: dict[str, Any], one: Known) -> bool:
        pairs = [(event.push_message_id, event.occurred_at) for event in one.events if event.kind == kind]
        return messages(condition, pairs)

    return condition_holds


def timed(look: Callable[[Known], datetime.datetime]) -> Callable[[dict[str, Any], Known], bool]:
    return lambda condition, one: COMPARE[condition["op"]](look(one), moment(condition["value"]))


FIELDS: dict[str, Callable[[dict[str, Any], Known], bool]] = {
    "attribute": lambda condition, one: member(condition, one.recipient.attributes),
    "interest": interest,
    "language": language,
    "customerId": lambda condition, one: word(condition, one.recipient.customer_id),
    "platform": lambda condition, one: word(condition, one.subscription.platform),
    "pushService": lambda condition, one: word(condition, one.subscription.push_service),
    "subscribed": timed(lambda one: one.subscription.created_at),
    "firstVisit": timed(lambda one: one.recipient.created_at),
    "lastVisit": timed(lambda one: one.recipient.seen_at),
    "visits": visits,
    "pageViews": page_views,
    "event": own_events,
    "purchase": lambda condition, one: count(condition, len(orders(condition, one))),
    "purchaseValue": purchase_value,
    "messageShown": reported("shown"),
    "messageClicked": reported("clicked"),
    "messageClosed": reported("closed"),
    "list": on_list,
    "lastMessage": last_message,
    "messageAccepted": lambda condition, one: messages(condition, one.accepted),
}
