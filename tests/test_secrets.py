"""Secrets are compared in constant time: how long a refusal takes tells nothing."""

import hmac
from collections.abc import Callable

import pytest
from django.utils import timezone

from signalize_console.api.authentication import Caller
from signalize_console.api.models import ApiKey
from signalize_console.deliveries import tokens
from signalize_console.recipients import subscribing
from tests.makers import make_subscription, make_website

pytestmark = pytest.mark.django_db


def use_a_token() -> None:
    tokens.read(tokens.make(1, timezone.now().date()))


def use_an_api_key() -> None:
    assert Caller.admit(ApiKey.issue(make_website(), "shop")[1])


def use_an_auth_secret() -> None:
    subscription = make_subscription(make_website())
    assert subscribing.unsubscribe(
        subscription.website, subscribing.Proof(subscription.endpoint, subscription.auth)
    )


@pytest.mark.parametrize("use", [use_a_token, use_an_api_key, use_an_auth_secret])
def test_it_is_compared_in_constant_time(use: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[object] = []
    compare = hmac.compare_digest

    def note(one: object, other: object) -> bool:
        compared.append(one)
        return compare(one, other)  # type: ignore[type-var]

    monkeypatch.setattr(hmac, "compare_digest", note)

    use()

    assert compared
