"""The consent log: who agreed to what, where and when, and who took it back."""

import hashlib

from signalize_console.recipients.models import Consent, ConsentKind, Recipient


def log(recipient: Recipient, kind: ConsentKind, origin: str = "", text_version: str = "") -> Consent:
    return Consent.objects.create(
        website_id=recipient.website_id,
        client_id_hash=client_id_hash(recipient.client_id),
        kind=kind,
        origin=origin,
        text_version=text_version,
    )


def client_id_hash(client_id: str) -> bytes:
    return hashlib.sha256(client_id.encode()).digest()
