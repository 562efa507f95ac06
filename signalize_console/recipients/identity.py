"""Whose browser a recipient is: the customer id that the page tells, signed by the site's backend or not."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website

PERSON_BYTES = 9
MOST_ATTRIBUTES = 50


class TooManyAttributes(ValueError):
    """A recipient has at most MOST_ATTRIBUTES attributes."""


@dataclass(frozen=True)
class Profile:
    """What a page tells of its visitor; None where it says nothing. An attribute of None is removed."""

    customer_id: str | None = None
    signature: str = ""
    attributes: dict[str, Any] | None = None
    interests: list[str] | None = None


def describe(website: Website, recipient: Recipient, profile: Profile) -> bool:
    """Keeps what the page told; True if the browser was somebody else's before.

    Raises TooManyAttributes, and then stores nothing.
    """
    changed = []
    before = recipient.customer_id
    if profile.customer_id is not None:
        is_same = profile.customer_id == before
        signed = is_signed(website, profile.customer_id, profile.signature)
        recipient.customer_verified = signed or (is_same and recipient.customer_verified)
        recipient.customer_id = profile.customer_id
        changed += ["customer_id", "customer_verified"]
    if profile.attributes is not None:
        merged = {**recipient.attributes, **profile.attributes}
        recipient.attributes = {name: value for name, value in merged.items() if value is not None}
        if len(recipient.attributes) > MOST_ATTRIBUTES:
            raise TooManyAttributes(f"A recipient has at most {MOST_ATTRIBUTES} attributes.")
        changed += ["attributes"]
    if profile.interests is not None:
        recipient.interests = sorted(set(profile.interests))
        changed += ["interests"]
    if changed:
        recipient.save(update_fields=changed)
    return before not in ("", recipient.customer_id)


def is_signed(website: Website, customer_id: str, signature: str) -> bool:
    """Whether the signature is the hex HMAC-SHA256 of the customer id under the website's secret."""
    secret = website.identity_secret if customer_id and signature else None
    if secret is None:
        return False
    expected = hmac.new(secret, customer_id.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode())


def person(website_id: int, customer_id: str) -> str:
    """What a browser compares to know whether a message is for whoever uses it now. Empty for nobody."""
    if not customer_id:
        return ""
    digest = hashlib.sha256(f"{website_id} {customer_id}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:PERSON_BYTES]).decode()
