"""Another key-encryption key: old and new side by side, everything sealed anew, and the old one thrown away."""

import base64
import os
from io import StringIO

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from signalize_console.webhooks import endpoints, resealing
from signalize_console.webhooks.models import WebhookEndpoint
from signalize_console.websites.models import VapidKey, Website
from tests.makers import make_website

pytestmark = pytest.mark.django_db
NOW = 0.0


def make_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def secrets() -> list[object]:
    """All that is sealed, opened."""
    return [
        *(key.private_key for key in VapidKey.objects.order_by("pk")),
        *(website.identity_secret for website in Website.objects.order_by("pk")),
        *(endpoint.secrets(NOW) for endpoint in WebhookEndpoint.objects.order_by("pk")),
    ]


def reseal() -> str:
    said = StringIO()
    call_command("reseal_keys", stdout=said)
    return said.getvalue()


def test_all_secrets_move_to_the_new_key(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "CHUNK", 2)
    for name in ("One", "Two", "Three"):
        website = make_website(name=name)
        website.rotate_vapid_key()
        website.make_identity_secret()
        endpoint, _secret = endpoints.create(website, "https://hooks.example.com/", ["shown"])
        endpoints.rotate_secret(endpoint)
    make_website(name="Without an identity secret")
    before, old, new = secrets(), settings.KEY_ENCRYPTION_KEYS, make_key()

    settings.KEY_ENCRYPTION_KEYS = [new, *old]
    assert secrets() == before
    assert reseal().startswith("16 secrets were sealed anew, 0 were")
    assert reseal().startswith("0 secrets were sealed anew, 16 were")

    settings.KEY_ENCRYPTION_KEYS = [new]
    assert secrets() == before
    settings.KEY_ENCRYPTION_KEYS = old
    with pytest.raises(ImproperlyConfigured, match="another"):
        secrets()


def test_every_sealed_column_is_named() -> None:
    sealed = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name.startswith("sealed_")
    }
    assert {(of.model, of.column) for of in resealing.COLUMNS} == sealed


def test_what_opens_with_no_key_is_said(settings: Settings) -> None:
    make_website()
    settings.KEY_ENCRYPTION_KEYS = [make_key(), make_key()]
    with pytest.raises(CommandError, match="another SIGNALIZE_KEY_ENCRYPTION_KEY"):
        reseal()


def test_one_that_changes_meanwhile_keeps_its_change(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    website = make_website()
    website.make_identity_secret()
    settings.KEY_ENCRYPTION_KEYS = [make_key(), *settings.KEY_ENCRYPTION_KEYS]
    real = resealing.reseal

    def meanwhile(sealed: bytes, bound_to: str) -> bytes | None:
        made = real(sealed, bound_to)
        if bound_to.startswith("website"):
            Website.objects.get(pk=website.pk).make_identity_secret()
        return made

    monkeypatch.setattr(resealing, "reseal", meanwhile)
    assert reseal().startswith("1 secrets")
    assert Website.objects.get(pk=website.pk).identity_secret
