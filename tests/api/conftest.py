"""A website, a key for it, a system that calls with it, and a visitor who can be reached."""

import pytest

from signalize_console.api.models import ApiKey
from signalize_console.api.scopes import EVERYTHING
from signalize_console.websites.models import Website
from tests.api.calling import Api
from tests.makers import make_subscription, make_website


@pytest.fixture
def website(db: None) -> Website:
    return make_website()


@pytest.fixture
def key(website: Website) -> str:
    return ApiKey.issue(website, "shop", EVERYTHING)[1]


@pytest.fixture
def api(key: str) -> Api:
    return Api(key)


@pytest.fixture
def reachable(website: Website) -> dict[str, str]:
    """How to name a recipient with an active subscription."""
    return {"clientId": make_subscription(website).recipient.client_id}
