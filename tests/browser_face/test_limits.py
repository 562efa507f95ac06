"""How often a stranger may ask: counted across processes, before any query, with no address stored."""

import datetime
import functools
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext

from signalize_console.browser import limits
from signalize_console.browser.limits import Limit, TooOften
from signalize_console.websites.models import Website
from tests.browser_face.calling import FIELDS, path_of, post
from tests.makers import make_website

ADDRESS = "8.8.8.8"
request = RequestFactory().get("/", REMOTE_ADDR=ADDRESS)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    limits._valkey().flushdb()
    yield
    limits._valkey().flushdb()


def passed(limit: Limit, times: int, asked: Any = request, code: str = "abc") -> int:
    count = 0
    for _time in range(times):
        try:
            limit.check(asked, code)
        except TooOften:
            continue
        count += 1
    return count


def test_a_burst_passes_and_then_a_trickle() -> None:
    limit = Limit("test", a_minute=6, burst=5, together_a_second=1_000)

    assert passed(limit, 20) == 5
    with pytest.raises(TooOften) as refused:
        limit.check(request, "abc")
    assert 9 <= refused.value.seconds <= 10


def test_each_client_has_their_own_whatever_website_they_name() -> None:
    limit = Limit("test", a_minute=6, burst=5, together_a_second=1_000)
    other = RequestFactory().get("/", REMOTE_ADDR="8.8.4.4")

    assert [passed(limit, 9), passed(limit, 9, other), passed(limit, 9, code="xyz")] == [5, 5, 0]


def test_a_household_of_ipv6_is_one_client() -> None:
    limit = Limit("test", a_minute=6, burst=5, together_a_second=1_000)
    asked = [RequestFactory().get("/", REMOTE_ADDR=f"2a00:1450:4001:82f::{n}") for n in range(1, 10)]

    assert sum(passed(limit, 1, one) for one in asked) == 5


def test_all_together_are_limited_too_and_a_proxy_only_so() -> None:
    limit = Limit("test", a_minute=6, burst=5, together_a_second=10)
    for private in ("127.0.0.1", "10.0.0.7", "::1", "", "nonsense"):
        limits._valkey().flushdb()
        started = time.monotonic()
        assert (
            20
            <= passed(limit, 40, RequestFactory().get("/", REMOTE_ADDR=private))
            <= 21 + 10 * (time.monotonic() - started)
        )


@pytest.mark.django_db
def test_the_excess_is_answered_before_any_query(django_assert_num_queries: Any) -> None:
    website = make_website()
    body = {"endpoint": "x", "auth": "y"}
    first = [post(path_of(website, "unsubscribe"), body, address=ADDRESS).status_code for _time in range(20)]

    with django_assert_num_queries(0):
        answer = post(path_of(website, "unsubscribe"), body, address=ADDRESS)

    assert first == [204] * 20
    assert (answer.status_code, list(answer.json())) == (429, FIELDS)
    assert answer.json()["errorCode"] == "too_many_requests"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


@pytest.mark.django_db
def test_every_public_address_is_limited() -> None:
    """Whatever is added to the visitor's door: after enough of them it says 429, without a query."""
    from signalize_console.browser.urls import urlpatterns

    website: Website = make_website()
    for route in [str(one.pattern) for one in urlpatterns if str(one.pattern).startswith("browser/")]:
        path = "/" + route.replace("<str:secure_code>", website.secure_code)
        for method in ("get", "post", "options"):
            ask = functools.partial(getattr(Client(), method), path, REMOTE_ADDR=ADDRESS)
            assert any(_refused(ask) for _time in range(600)), (method, path)


def _refused(ask: Callable[[], Any]) -> bool:
    """Whether it is answered 429; then nothing may have been looked up."""
    with CaptureQueriesContext(connection) as queries:
        is_refused = ask().status_code == 429
    assert not (is_refused and len(queries))
    return bool(is_refused)


def test_no_address_is_stored() -> None:
    passed(limits.READING, 1)

    valkey = limits._valkey()
    keys = list(valkey.scan_iter())
    stored = " ".join([*keys, *(str(valkey.get(key)) for key in keys)])
    assert ADDRESS not in stored
    assert re.search(r"signalize:limit:reading::[0-9a-f]{24}\b", stored)
    assert all(0 < valkey.ttl(key) <= 2 * 86_400 for key in keys)


def test_another_day_has_another_salt() -> None:
    today = datetime.date(2026, 11, 25)
    limits._salt.cache_clear()
    salts = {limits._salt(today), limits._salt(today + datetime.timedelta(days=1))}
    limits._salt.cache_clear()
    assert salts > {limits._salt(today)}
    limits._salt.cache_clear()


def test_without_the_broker_everybody_is_let_in(caplog: pytest.LogCaptureFixture) -> None:
    limit = Limit("test", a_minute=6, burst=5, together_a_second=1_000)
    for cached in (limits._valkey, limits._take):
        cached.cache_clear()
    try:
        with override_settings(CELERY_BROKER_URL="redis://127.0.0.1:1/0"):
            assert passed(limit, 30) == 30
        assert caplog.text.count("Requests are not being limited") == 1
    finally:
        limits._Breaker.until = 0.0
        for cached in (limits._valkey, limits._take):
            cached.cache_clear()
    assert settings.CELERY_BROKER_URL
    assert passed(limit, 30) == 5
