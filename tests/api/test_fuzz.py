"""schemathesis with all its checks against the running web server. ``make fuzz`` does it at length."""

import pytest

from signalize_console.api import examples
from signalize_console.api.models import ApiKey
from signalize_console.api.scopes import EVERYTHING
from tests.api.fuzz import fuzz
from tests.makers import make_recipient, make_subscription, make_website
from tests.web import Web, database_url


@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
def test_whatever_is_sent_the_answer_is_a_documented_one() -> None:
    website = make_website()
    make_subscription(website, recipient=make_recipient(website, client_id=examples.CLIENT_ID))
    key = ApiKey.issue(website, "fuzz", EVERYTHING, requests_per_minute=10**9)[1]
    with Web(threads=4, DATABASE_URL=database_url()) as web:
        assert fuzz(web, key, examples=55) > 5_000
