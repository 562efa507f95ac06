"""A website and who may do everything; the push service double as the engine's tests have it."""

import pytest
from django.test import Client

from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.deliveries.conftest import double, running_double, subscribe, work
from tests.makers import make_website
from tests.webhooks.conftest import running_receiver

__all__ = ["double", "running_double", "running_receiver", "subscribe", "work"]


@pytest.fixture
def website() -> Website:
    return make_website()


@pytest.fixture
def boss() -> Client:
    return log_in(superuser=True)
