"""Tokens that push services accept, and contacts that Apple accepts."""

import time

import pytest

from signalize_console.pushservice.checks import Refused, check_vapid
from signalize_console.webpush.vapid import Signer, check_subject, generate_keys, public_key_of

ORIGIN = "https://web.push.apple.com"


@pytest.fixture
def keys() -> tuple[str, bytes]:
    return generate_keys()


def test_a_push_service_accepts_the_token(keys: tuple[str, bytes]) -> None:
    header = Signer(keys[1], "mailto:web@example.com").authorization(ORIGIN)

    claims = check_vapid(header, ORIGIN, keys[0])

    assert claims["sub"] == "mailto:web@example.com"
    assert 11 * 3600 < claims["exp"] - time.time() <= 12 * 3600


def test_each_push_service_gets_a_token_of_its_own(keys: tuple[str, bytes]) -> None:
    signer = Signer(keys[1], "mailto:web@example.com")
    signer.authorization("https://fcm.googleapis.com")

    check_vapid(signer.authorization(ORIGIN), ORIGIN, keys[0])
    with pytest.raises(Refused, match="aud"):
        check_vapid(signer.authorization("https://fcm.googleapis.com"), ORIGIN, keys[0])


def test_a_token_serves_for_an_hour(keys: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Signer(keys[1], "mailto:web@example.com")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    first = signer.authorization(ORIGIN)

    monkeypatch.setattr(time, "time", lambda: now + 3599)
    assert signer.authorization(ORIGIN) == first
    monkeypatch.setattr(time, "time", lambda: now + 3601)
    assert signer.authorization(ORIGIN) != first
    # A clock that is set back must not keep a token alive.
    monkeypatch.setattr(time, "time", lambda: now - 7200)
    assert signer.authorization(ORIGIN) != first


def test_the_public_key_belongs_to_the_private_one(keys: tuple[str, bytes]) -> None:
    assert public_key_of(keys[1]) == keys[0]
    assert len(keys[0]) == 87


@pytest.mark.parametrize(
    "subject", ["mailto:web@example.com", "https://example.com/contact", "mailto:a.b+c@sub.example.co.uk"]
)
def test_it_takes_a_real_contact(subject: str) -> None:
    check_subject(subject)


@pytest.mark.parametrize(
    "subject",
    ["", "web@example.com", "mailto:web@localhost", "mailto: web@example.com", "mailto:<web@example.com>", "mailto:web",
     "https://localhost", "https://dummy.devhost", "http://example.com", "https://exa mple.com", "mailto:a@b", "mailto:a@x.local"],
)  # fmt: skip
def test_it_refuses_what_apple_refuses(subject: str) -> None:
    with pytest.raises(ValueError, match="real address"):
        check_subject(subject)
