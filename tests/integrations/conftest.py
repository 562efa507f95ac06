"""The running web, the engine, and the push service double, for what lives outside of the console."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.db import connection

from signalize_console.api.models import ApiKey
from signalize_console.api.scopes import EVERYTHING
from signalize_console.websites.models import Website
from tests.deliveries.conftest import double, running_double, subscribe, work
from tests.makers import make_website
from tests.web import Web
from tests.webhooks.conftest import receiver, running_receiver

__all__ = ["double", "receiver", "running_double", "running_receiver", "subscribe", "work"]


@pytest.fixture
def website(transactional_db: None) -> Website:
    return make_website()


@pytest.fixture
def web(website: Website) -> Iterator[Web]:
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    with Web(DATABASE_URL=url, threads=4) as web:
        yield web


@pytest.fixture
def key(website: Website) -> str:
    return ApiKey.issue(website, "integration", EVERYTHING)[1]
