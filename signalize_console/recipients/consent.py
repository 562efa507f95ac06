"""The consent log: who agreed to what, where and when, and who took it back."""

import hashlib

from django.db import connection

from signalize_console.recipients.models import Consent, ConsentKind, Recipient

# Consent that was not taken back is proven for as long as there is a log. So many people at a time, each with
# all lines: of one who is half forgotten the withdrawal might be gone, and the consent still there.
FORGET_WITHDRAWN = """
DELETE FROM recipients_consent line USING (
    SELECT client_id_hash, website_id FROM recipients_consent withdrawn
    WHERE kind = 'withdrawn' AND occurred_at < now() - make_interval(days => %s)
      AND NOT EXISTS (
        SELECT FROM recipients_consent later
        WHERE later.client_id_hash = withdrawn.client_id_hash AND later.website_id = withdrawn.website_id
          AND later.occurred_at > withdrawn.occurred_at)
    LIMIT %s
) person
WHERE line.client_id_hash = person.client_id_hash AND line.website_id = person.website_id
"""
CHUNK = 10_000


def forget_withdrawn(days: int) -> None:
    """All lines of who took the consent back so many days ago, and has not given it again."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET_WITHDRAWN, [days, CHUNK])
        while cursor.rowcount >= CHUNK:
            cursor.execute(FORGET_WITHDRAWN, [days, CHUNK])


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
