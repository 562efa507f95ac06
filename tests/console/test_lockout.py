"""Wrong passwords lock a name for the address that they came from, also behind a proxy; and are forgotten."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt, AccessLog
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from signalize_console.console import forgetting
from tests.console.test_roles import member

pytestmark = pytest.mark.django_db
PAGE = "/admin/login/"
STRANGER, OFFICE = "93.184.216.34", "81.2.69.142"


def log_in(address: str, password: str = "x") -> int:
    values = {"username": "ada", "password": password}
    # What the caller claims stands before what our proxy saw.
    return Client().post(PAGE, values, headers={"X-Forwarded-For": f"{OFFICE}, {address}"}).status_code


def test_a_stranger_behind_the_same_proxy_locks_nobody_out(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    member("Administrator", "ada")
    for _try in range(6):
        log_in(STRANGER, "wrong-password")

    assert log_in(STRANGER) == 429
    assert log_in(OFFICE) == 302


@pytest.mark.parametrize(("language", "said"), [("en", "locked until"), ("de", "gesperrt")])
def test_who_is_locked_out_reads_until_when(settings: Settings, language: str, said: str) -> None:
    settings.TRUSTED_PROXIES = 1
    member("Administrator", "ada")
    for _try in range(4):
        log_in(STRANGER, "wrong-password")
    headers = {"X-Forwarded-For": STRANGER, "Accept-Language": language}
    page = Client().post(PAGE, {"username": "ada", "password": "wrong-password"}, headers=headers)

    over = AccessAttempt.objects.get().attempt_time + timedelta(minutes=15)
    assert page.status_code == 429
    assert said in page.content.decode()
    # By the minute, and never too early.
    assert f"<strong>{over + timedelta(minutes=1):%H:%M}</strong>" in page.content.decode()

    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    assert log_in(STRANGER) == 429
    assert AccessAttempt.objects.get().attempt_time > over - timedelta(minutes=15)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assert log_in(STRANGER) == 302


def test_an_address_that_is_none_is_the_proxys(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    member("Administrator", "ada")
    log_in("unknown", "wrong-password")
    assert AccessAttempt.objects.get().ip_address == "127.0.0.1"


def test_logins_and_attempts_are_forgotten_after_a_month(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    member("Administrator", "ada")
    for model, table in ((AccessLog, "axes_accesslog"), (AccessAttempt, "axes_accessattempt")):
        log_in(STRANGER)
        log_in(STRANGER, "wrong-password")
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET attempt_time = now() - interval '29 days'")
            forgetting.forget_old()
            assert model.objects.exists()
            cursor.execute(f"UPDATE {table} SET attempt_time = now() - interval '31 days'")
        forgetting.forget_old()
        assert not model.objects.exists()
