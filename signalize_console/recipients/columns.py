"""What the columns of other systems' files are called, and which of our facts each one is.

Known: Signalize, OneSignal, Pushpad, django-push-notifications, web-push-php, a browser's own
PushSubscription, and our own export. Names are compared without case, spaces, hyphens and underscores.
"""

import re
from collections.abc import Iterable
from typing import Any

NAMES: dict[str, tuple[str, ...]] = {
    "endpoint": ("endpoint", "registrationid", "identifier", "subscriptionendpoint", "pushendpoint", "token"),
    "p256dh": ("p256dh", "keys.p256dh", "userpublickey", "publickey", "webp256", "p256dhkey"),
    "auth": ("auth", "keys.auth", "userauth", "authtoken", "webauth", "authsecret", "authkey"),
    "vapidPublicKey": ("vapidpublickey", "applicationserverkey", "serverpublickey", "publicvapidkey"),
    "vapidPrivateKey": ("vapidprivatekey", "serverprivatekey", "privatevapidkey"),
    "clientId": ("clientid", "etcoid", "coid", "recipientid"),
    "customerId": ("customerid", "uid", "externaluserid", "externalid", "userid", "user"),
    "language": ("language", "lang", "locale"),
    "timeZone": ("timezone", "timezoneid", "tz"),
    "attributes": ("attributes", "tags", "data"),
    "interests": ("interests", "topics", "categories"),
    "subscribedAt": ("subscribedat", "createdat", "datecreated", "created"),
    "active": ("active", "isactive", "state", "status"),
    "inactive": ("invalididentifier", "unsubscribed", "optedout"),
}
FACTS = {name: fact for fact, names in NAMES.items() for name in names}
REQUIRED = ("endpoint", "p256dh", "auth")
# Which of several columns of one fact counts: the one that stands first above.
RANK = {name: number for names in NAMES.values() for number, name in enumerate(names)}


class ColumnsMissing(ValueError):
    """The file lacks what a subscription needs."""


def simple(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", name.lower())


def columns_of(names: Iterable[str]) -> dict[str, str]:
    """For each of our facts the column that tells it."""
    found: dict[str, str] = {}
    for name in names:
        fact = FACTS.get(simple(name))
        if fact and (fact not in found or RANK[simple(name)] < RANK[simple(found[fact])]):
            found[fact] = name
    return found


def ensure_complete(names: Iterable[str]) -> None:
    """Raises ColumnsMissing where a file with these columns can't be one of subscriptions."""
    given = ["".join(one for one in name if one.isprintable()) for name in names if name]
    missing = [fact for fact in REQUIRED if fact not in columns_of(given)]
    if missing:
        raise ColumnsMissing(
            f"There is no column for: {', '.join(missing)}. The first row must name the columns; "
            f"these were found: {', '.join(given)[:200] or 'none'}."
        )


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """``{"keys": {"auth": …}}`` as ``keys.auth``. Of a row of Django's dumpdata, its ``fields``."""
    if "model" in record and isinstance(record.get("fields"), dict):
        record = record["fields"]
    if isinstance(record.get("subscription"), dict):
        record = {**record, **record["subscription"]}
    keys = record.get("keys")
    nested = {f"keys.{name}": value for name, value in keys.items()} if isinstance(keys, dict) else {}
    return {**record, **nested}
