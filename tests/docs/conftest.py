"""A website with the names that the documentation uses, its running web, and a customer who can be reached."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from signalize_console.api.models import ApiKey
from signalize_console.api.scopes import EVERYTHING
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.integrations.conftest import web
from tests.makers import make_recipient, make_subscription, make_website
from tests.web import ROOT, Web

__all__ = ["web"]


@pytest.fixture
def website(transactional_db: None) -> Website:
    return make_website(secure_code="ABCDEF12")


@pytest.fixture
def customer(website: Website) -> Subscription:
    recipient = make_recipient(website, customer_id="K-4711", client_id="108bf9a8e3f34c6e8e7d5a1b2c3dedb1")
    return make_subscription(website, recipient=recipient)


@pytest.fixture
def run(web: Web, website: Website) -> Callable[..., str]:
    """Runs a program where the console and a key are given, as the examples expect; what it prints."""
    key = ApiKey.issue(website, "docs", EVERYTHING)[1]
    env = {**os.environ, "SIGNALIZE_SERVER": web.origin, "SIGNALIZE_API_KEY": key}

    def run(*command: str | Path, code: str = "", **more: str) -> str:
        stdin = code.replace("https://push.example.com", web.origin).replace("sk_…", key)
        done = subprocess.run(
            command,
            input=stdin,
            cwd=ROOT,
            env={**env, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run
