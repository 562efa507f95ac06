"""One record of a file becomes a subscription that can move in, or is refused with the reason."""

import datetime
import json
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from signalize_console.recipients.columns import columns_of, ensure_complete, flat
from signalize_console.recipients.identity import MOST_ATTRIBUTES
from signalize_console.recipients.imports import Import
from signalize_console.recipients.models import endpoint_hash
from signalize_console.recipients.spreadsheets import plain
from signalize_console.webpush import vapid
from signalize_console.webpush.encryption import BadSubscriptionKeys, decode_keys
from signalize_console.webpush.push_services import EndpointRefused, PushServices
from signalize_console.websites.models import VapidKey

NO = {"0", "false", "f", "no", "n", "unsubscribed", "expired", "inactive", "quarantined", "disabled"}
YES = {"1", "true", "t", "yes", "y"}
LENGTHS = {"customerId": 128, "language": 35, "timeZone": 64}
MOST_INTERESTS, LONGEST_INTEREST = 100, 64
MOST_KEYS = 100
HEX = set("0123456789abcdef")


class RowRefused(ValueError):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason[:300]


@dataclass(frozen=True, slots=True)
class Checked:
    """A row as it is staged, in the order of ImportRow's columns."""

    vapid_key_id: int
    endpoint: str
    endpoint_hash: bytes
    p256dh: str
    auth: str
    push_service: str
    client_id: str
    customer_id: str
    language: str
    time_zone: str
    attributes: str
    interests: list[str]
    subscribed_at: datetime.datetime | None


class Checker:
    """Checks the records of one import. Keys that come with the file are stored as they are met."""

    def __init__(self, of: Import) -> None:
        self.of = of
        self.push_services = PushServices.from_text(settings.PUSH_SERVICES)
        self.keys: dict[tuple[str, str], int | RowRefused] = {}
        self.columns: dict[tuple[str, ...], dict[str, str]] = {}
        self.now = timezone.now()

    def check(self, record: dict[str, Any]) -> Checked:
        """Raises RowRefused; ColumnsMissing, where it is the first and lacks what every row must have."""
        record = flat(record)
        names = tuple(record)
        if not self.columns:
            ensure_complete(names)
        if names not in self.columns:
            self.columns = {names: columns_of(names)}
        facts = {fact: record[name] for fact, name in self.columns[names].items()}
        self._check_active(facts)
        texts = {name: _text(name, facts.get(name)) for name in ("endpoint", "p256dh", "auth", *LENGTHS)}
        p256dh, auth = base64url(texts["p256dh"]), base64url(texts["auth"])
        try:
            endpoint = self.push_services.parse(texts["endpoint"])
        except EndpointRefused as error:
            raise RowRefused("endpoint", str(error)) from error
        try:
            decode_keys(p256dh, auth)
        except BadSubscriptionKeys as error:
            raise RowRefused("auth" if str(error).startswith("auth") else "p256dh", str(error)) from error
        for name, most in LENGTHS.items():
            if len(texts[name]) > most:
                raise RowRefused(name, f"It is longer than {most} characters.")
        return Checked(
            self._vapid_key(_text("", facts.get("vapidPublicKey")), _text("", facts.get("vapidPrivateKey"))),
            endpoint.url,
            endpoint_hash(endpoint.url),
            p256dh,
            auth,
            endpoint.service,
            _client_id(_text("clientId", facts.get("clientId"))),
            texts["customerId"],
            texts["language"],
            texts["timeZone"],
            _attributes(facts.get("attributes")),
            _interests(facts.get("interests"), facts.get("attributes")),
            self._time(facts.get("subscribedAt")),
        )

    @staticmethod
    def _check_active(facts: dict[str, Any]) -> None:
        if str(facts.get("active", "")).lower() in NO or str(facts.get("inactive", "")).lower() in YES:
            raise RowRefused("active", "It isn't subscribed any more, says the file.")

    def _vapid_key(self, public: str, private: str) -> int:
        """The key that this subscription was made with: of the row, else of the file."""
        pair = (public, private)
        if pair not in self.keys:
            try:
                self.keys[pair] = self._find_or_keep(base64url(public), private)
            except RowRefused as error:
                self.keys[pair] = error  # a file that lacks its keys asks once, not for each row
        found = self.keys[pair]
        if isinstance(found, RowRefused):
            raise RowRefused(found.field, found.reason)
        return found

    def _find_or_keep(self, public: str, private: str) -> int:
        if not public and not private:
            if self.of.vapid_key_id is None:
                said = (
                    "Which VAPID key it was made with isn't known. Add its columns, or give the file's key."
                )
                raise RowRefused("vapidPrivateKey", said)
            return self.of.vapid_key_id
        if not private:
            known = VapidKey.objects.filter(website=self.of.website, public_key=public).first()
            if known is None:
                raise RowRefused("vapidPrivateKey", "Without it nothing can be sent to this subscription.")
            return known.pk
        try:
            secret = vapid.parse_private_key(private)
            if public and vapid.public_key_of(secret) != public:
                raise RowRefused("vapidPrivateKey", "It doesn't belong to vapidPublicKey.")
            key, is_new = self.of.website.keep_vapid_key(secret)
        except ValueError as error:
            raise RowRefused("vapidPrivateKey", str(error)) from error
        if is_new and len(self.of.made_keys) >= MOST_KEYS:
            key.delete()
            raise RowRefused("vapidPrivateKey", f"The file has more than {MOST_KEYS} different keys.")
        if is_new:
            self.of.made_keys.append(key.pk)
        return key.pk

    def _time(self, value: Any) -> datetime.datetime | None:
        """ISO 8601 or Unix time; what is neither isn't worth losing a subscriber."""
        try:
            number = float(value)
            when = datetime.datetime.fromtimestamp(number / (1000 if number > 1e11 else 1), datetime.UTC)
        except (TypeError, ValueError, OverflowError, OSError):
            try:
                when = parse_datetime(str(value)) or self.now
            except ValueError:
                return None
        if timezone.is_naive(when):
            when = when.replace(tzinfo=datetime.UTC)
        return when if datetime.datetime(2015, 1, 1, tzinfo=datetime.UTC) < when < self.now else None


def base64url(text: str) -> str:
    """As browsers write it; some systems keep it as plain base64."""
    return text.rstrip("=").replace("+", "-").replace("/", "_")


def _text(field: str, value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    text = str(value).strip()
    text = plain(text)
    if not text.isprintable():
        raise RowRefused(field, "It has characters that can't be printed.")
    return text


def _client_id(text: str) -> str:
    if not text:
        return secrets.token_hex(16)
    if len(text) != 32 or set(text) - HEX:
        raise RowRefused("clientId", "A recipient id is 32 hexadecimal digits in lower case.")
    return text


def _json(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value) if value.strip()[:1] in {"{", "["} else value
        except (ValueError, RecursionError):
            return None
    return value


def _attributes(value: Any) -> str:
    """Of an object: names with a text, number or boolean each, as a page could have told them. JSON."""
    value = _json(value)
    if not isinstance(value, dict):
        return "{}"
    kept = {
        str(name)[:64]: one[:256] if isinstance(one, str) else one
        for name, one in list(value.items())[:MOST_ATTRIBUTES]
        if isinstance(one, str | int | float | bool)
    }
    for text in (*kept, *kept.values()):
        _text("attributes", str(text).replace("\n", " "))
    try:
        return json.dumps(kept, allow_nan=False)
    except ValueError:
        raise RowRefused("attributes", "There is a number that isn't one.") from None


def _interests(*values: Any) -> list[str]:
    """A list, or words with commas. Pushpad's tags are such a list, too."""
    found: set[str] = set()
    for value in map(_json, values):
        words = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
        found |= {text for word in words if (text := _text("interests", word))}
    if len(found) > MOST_INTERESTS or any(len(one) > LONGEST_INTEREST for one in found):
        raise RowRefused(
            "interests", f"There are more than {MOST_INTERESTS}, or one is longer than {LONGEST_INTEREST}."
        )
    return sorted(found)
