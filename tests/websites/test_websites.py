"""Origins, links, and keys that nobody reads from the database."""

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import override_settings

from signalize_console.webpush.vapid import public_key_of
from signalize_console.websites.models import Website
from signalize_console.websites.origins import validate_link, validate_origin
from signalize_console.websites.sealing import seal, unseal
from tests.makers import make_website


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example",
        "https://a.b.example:8443",
        "http://localhost:8000",
        "http://127.0.0.1",
        "http://[::1]:80a"[:-1] + "81",
    ],
)
def test_it_takes_origins_as_browsers_send_them(origin: str) -> None:
    validate_origin(origin)


@pytest.mark.parametrize(
    "origin",
    ["", "*", "null", "shop.example", "https://shop.example/", "https://shop.example/path", "http://shop.example", "https://shop.example:443",
     "https://Shop.example", "https://user@shop.example", "https://*.example", "ftp://x", "https://shop.example ", "http://localhost:80"],
)  # fmt: skip
def test_it_refuses_other_origins(origin: str) -> None:
    with pytest.raises(ValidationError):
        validate_origin(origin)


@pytest.mark.parametrize(
    "link", ["https://shop.example/a?b=c#d", "http://localhost:8000/demo/", "https://müller.example/ä"]
)
def test_it_takes_links_that_a_notification_may_open(link: str) -> None:
    validate_link(link)


@pytest.mark.parametrize(
    "link",
    ["", "/path", "javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "http://shop.example/", "https://", "https://a@b.example/",
     "https://shop.example/\n", "https://shop.example\\@evil", "//shop.example", "vbscript:x", "https://" + "x" * 2001, "http://[::1"],
)  # fmt: skip
def test_it_refuses_other_links(link: str) -> None:
    with pytest.raises(ValidationError):
        validate_link(link)


@pytest.mark.django_db
def test_a_website_gets_a_key_pair_whose_private_half_is_sealed() -> None:
    website = make_website()
    key = website.vapid_key

    assert public_key_of(key.private_key) == key.public_key
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed_private_key FROM websites_vapidkey")
        assert key.private_key not in bytes(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_website_has_one_current_key() -> None:
    website = make_website()
    with pytest.raises(IntegrityError), transaction.atomic():
        website.make_vapid_key()


def test_what_is_sealed_opens_only_with_the_key_and_for_its_owner() -> None:
    sealed = seal(b"secret", "owner")

    assert unseal(sealed, "owner") == b"secret"
    assert seal(b"secret", "owner") != sealed
    for changed, owner in ((sealed, "other"), (sealed[:-1] + b"x", "owner")):
        with pytest.raises(ImproperlyConfigured):
            unseal(changed, owner)
    with (
        override_settings(KEY_ENCRYPTION_KEYS=["A" * 43]),
        pytest.raises(ImproperlyConfigured, match="another"),
    ):
        unseal(sealed, "owner")
    with (
        override_settings(KEY_ENCRYPTION_KEYS=["short"]),
        pytest.raises(ImproperlyConfigured, match="32 bytes"),
    ):
        seal(b"secret", "owner")


def test_it_allows_its_own_origins_exactly() -> None:
    website = Website(origins=["https://shop.example"])

    assert website.allows("https://shop.example")
    for origin in (
        None,
        "null",
        "https://shop.example:443",
        "https://a.shop.example",
        "https://shop.example.evil",
        "http://shop.example",
    ):
        assert not website.allows(origin)
