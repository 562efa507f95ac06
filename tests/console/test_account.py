"""Getting in and staying in: the second factor, recovery codes, sessions, the end of an idle one, the lock."""

import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from signalize_console.console import logins
from signalize_console.console.models import AuditRecord, StaffSession
from tests.console.test_roles import member

pytestmark = pytest.mark.django_db
LOGIN, FACTOR, SETUP, ACCOUNT = (
    "/admin/login/",
    "/admin/second-factor/",
    "/admin/second-factor/setup/",
    "/admin/account/",
)


@pytest.fixture
def user() -> User:
    return member("Marketer", "anna")


def log_in(
    name: str = "anna", agent: str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
) -> Client:
    client = Client(headers={"User-Agent": agent})
    client.post(f"{LOGIN}?next=/admin/", {"username": name, "password": "x"})
    return client


def code_of(user: User, steps: int = 0) -> str:
    """What the user's phone shows, now or some steps of 30 seconds later."""
    device = TOTPDevice.objects.get(user=user)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


def wrong(code: str) -> str:
    return f"{(int(code) + 500_000) % 1_000_000:06d}"


def set_up(client: Client, user: User) -> list[str]:
    """The recovery codes."""
    page = client.get(SETUP).content.decode()
    assert "<svg" in page
    codes = client.post(SETUP, {"code": code_of(user)}).content.decode()
    return re.findall(r"<code>(\w{8})</code>", codes)


def forget_last_code(user: User) -> None:
    """As half a minute later: the phone shows a new one, and one need not wait."""
    TOTPDevice.objects.filter(user=user).update(
        last_t=-1, throttling_failure_count=0, throttling_failure_timestamp=None
    )


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_the_second_factor_is_set_up_and_then_asked_for(user: User) -> None:
    client = log_in()
    assert is_in(client)
    assert len(set_up(client, user)) == 10
    assert is_in(client)

    again = log_in()
    assert not is_in(again)
    asked = again.get("/admin/messaging/pushmessage/", follow=True)
    assert asked.redirect_chain[-1][0] == f"{FACTOR}?next=%2Fadmin%2Fmessaging%2Fpushmessage%2F"
    forget_last_code(user)
    said = again.post(FACTOR, {"code": wrong(code_of(user))}).content.decode()
    assert "isn&#x27;t right" in said
    assert not is_in(again)
    forget_last_code(user)
    before = again.session.session_key
    answer = again.post(FACTOR, {"code": code_of(user), "next": "/admin/messaging/pushmessage/"})
    assert answer.headers["Location"] == "/admin/messaging/pushmessage/"
    assert is_in(again)
    assert again.session.session_key != before


def test_a_code_works_once_and_a_stranger_leads_nobody_elsewhere(user: User) -> None:
    set_up(log_in(), user)
    used = code_of(user)
    client = log_in()
    client.post(FACTOR, {"code": used})
    assert not is_in(client)
    forget_last_code(user)
    answer = client.post(FACTOR, {"code": code_of(user), "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/admin/"


def test_after_wrong_codes_even_the_right_one_waits(user: User) -> None:
    set_up(log_in(), user)
    forget_last_code(user)
    client = log_in()
    client.post(FACTOR, {"code": wrong(code_of(user))})
    assert TOTPDevice.objects.filter(user=user, throttling_failure_count=1).exists()
    # As after the sixth: half a minute, so that a slow computer doesn't wait it out.
    TOTPDevice.objects.filter(user=user).update(throttling_failure_count=6)
    client.post(FACTOR, {"code": code_of(user)})
    assert not is_in(client)


def test_a_recovery_code_lets_in_once(user: User) -> None:
    codes = set_up(log_in(), user)
    client = log_in()
    client.post(FACTOR, {"code": f" {codes[0][:4].upper()} {codes[0][4:]} "})
    assert is_in(client)
    again = log_in()
    again.post(FACTOR, {"code": codes[0]})
    assert not is_in(again)
    assert client.get(ACCOUNT).content.decode().count("9 recovery codes are left.") == 1
    client.post("/admin/account/recovery-codes/")
    assert not StaticToken.objects.filter(token__in=codes).exists()


def test_with_the_password_alone_nobody_swaps_the_phone(user: User) -> None:
    set_up(log_in(), user)
    thief = log_in()
    for path in (SETUP, ACCOUNT):
        assert thief.get(path, follow=True).redirect_chain[-1][0].startswith(FACTOR), path
    thief.post(SETUP, {"code": "000000"})
    thief.post("/admin/account/second-factor-off/", {"code": "000000"})
    assert TOTPDevice.objects.filter(user=user, confirmed=True).count() == 1


def test_it_is_switched_off_with_a_code_only(user: User) -> None:
    client = log_in()
    set_up(client, user)
    forget_last_code(user)
    client.post("/admin/account/second-factor-off/", {"code": wrong(code_of(user))})
    assert TOTPDevice.objects.filter(user=user).exists()
    forget_last_code(user)
    client.post("/admin/account/second-factor-off/", {"code": code_of(user)})
    assert not TOTPDevice.objects.filter(user=user).exists()
    assert is_in(client)
    deeds = AuditRecord.objects.filter(by="anna").values_list("deed", flat=True)
    assert "second factor on" in deeds
    assert "second_factor_off" in deeds


@pytest.mark.parametrize(
    ("roles", "asked"), [(["marketer"], True), (["all"], True), (["administrator"], False), ([], False)]
)
def test_a_role_may_be_asked_for_it(user: User, settings: Any, roles: list[str], asked: bool) -> None:
    settings.SECOND_FACTOR_ROLES = roles
    client = log_in()
    assert is_in(client) != asked
    if asked:
        page = client.get("/admin/", follow=True)
        assert page.redirect_chain[-1][0] == SETUP
        assert "Your role asks for" in page.content.decode()
        set_up(client, user)
        assert is_in(client)


def test_an_administrator_takes_off_the_factor_of_a_lost_phone(user: User) -> None:
    client = log_in()
    set_up(client, user)
    member("Administrator", "boss")
    log_in("boss").post(
        "/admin/auth/user/", {"action": "remove_second_factor", "_selected_action": [user.pk]}
    )
    assert not is_in(client)
    assert is_in(log_in())
    assert AuditRecord.objects.filter(deed="remove_second_factor", by="boss", object_id=user.pk).count() == 1


def test_one_sees_and_ends_ones_sessions(user: User) -> None:
    here, there = (
        log_in(),
        log_in(agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile Safari/604.1"),
    )
    member("Viewer", "eve")
    eve = log_in("eve")
    page = here.get(ACCOUNT).content.decode()
    assert "Firefox, Linux" in page
    assert "Safari, iPhone" in page
    assert not any(key in page for key in StaffSession.objects.values_list("session_id", flat=True))
    marks = re.findall(r'name="session" value="(\w+)"', page)
    assert len(marks) == 1
    eve.post("/admin/account/end-session/", {"session": marks[0]})
    assert is_in(there)
    here.post("/admin/account/end-session/", {"session": marks[0]})
    assert (is_in(here), is_in(there)) == (True, False)
    third = log_in()
    here.post("/admin/account/end-session/")
    assert (is_in(here), is_in(third), is_in(eve)) == (True, False, True)


def test_an_administrator_logs_somebody_out_everywhere(user: User) -> None:
    clients = [log_in(), log_in()]
    member("Administrator", "boss")
    log_in("boss").post("/admin/auth/user/", {"action": "end_sessions", "_selected_action": [user.pk]})
    assert [is_in(client) for client in clients] == [False, False]


def wait(client: Client, minutes: int) -> None:
    session = client.session
    session[logins.SEEN] -= minutes * 60
    session.save()


def test_an_idle_session_ends_and_a_page_that_renews_itself_is_no_click(user: User, settings: Any) -> None:
    settings.IDLE_MINUTES = 30
    client = log_in()
    wait(client, 29)
    client.get("/admin/", headers={"X-Requested-With": "fetch"})
    wait(client, 2)
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith(LOGIN)
    assert "nothing happened" in answer.content.decode()

    awake = log_in()
    for _time in range(3):
        wait(awake, 29)
        assert is_in(awake)


def test_a_logout_and_a_new_password_end_what_is_open(user: User) -> None:
    client, other = log_in(), log_in()
    client.post("/admin/logout/")
    assert StaffSession.objects.filter(user=user).count() == 1
    user.set_password("y")
    user.save()
    assert not is_in(other)
