"""All secrets in the database under the newest key-encryption key: which columns hold some, bound to what."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.db.models import Model

from signalize_console.webhooks.models import WebhookEndpoint
from signalize_console.websites.models import VapidKey, Website
from signalize_console.websites.sealing import reseal

CHUNK = 500


class Sealed(NamedTuple):
    """A column of sealed secrets; ``bound_to``: to what of its row each is bound."""

    model: type[Model]
    column: str
    bound_to: Callable[[Any], str]


COLUMNS = [
    Sealed(VapidKey, "sealed_private_key", lambda row: row.public_key),
    Sealed(Website, "sealed_identity_secret", lambda row: f"website {row.pk}"),
    Sealed(WebhookEndpoint, "sealed_secret", lambda row: str(row.public_id)),
    Sealed(WebhookEndpoint, "sealed_former_secret", lambda row: str(row.public_id)),
]


def reseal_all() -> tuple[int, int]:
    """How many were sealed anew, and how many were already. It may run beside all else."""
    sealed, before = 0, 0
    for of in COLUMNS:
        for rows in _chunks(of):
            for row in rows:
                old = bytes(getattr(row, of.column))
                new = reseal(old, of.bound_to(row))
                if new is None:
                    before += 1
                    continue
                # One that was changed meanwhile is sealed with the newest key by that.
                unchanged = of.model._default_manager.filter(pk=row.pk, **{of.column: old})
                sealed += unchanged.update(**{of.column: new})
    return sealed, before


def _chunks(of: Sealed) -> Iterator[list[Any]]:
    rows = of.model._default_manager.exclude(**{of.column: None}).order_by("pk")
    after = 0
    while chunk := list(rows.filter(pk__gt=after)[:CHUNK]):
        yield chunk
        after = chunk[-1].pk
