"""One key, one deed: twins wait for each other, and old keys are forgotten."""

import datetime
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from signalize_console.deliveries import housekeeping
from signalize_console.deliveries.idempotency import InFlight, KeyReused, once
from signalize_console.deliveries.models import IdempotencyKey
from signalize_console.websites.models import Website
from tests.makers import make_website

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def website() -> Website:
    return make_website()


def in_a_thread(act: Any) -> Any:
    def run() -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def test_a_twin_gets_the_replay_as_soon_as_the_first_is_done(website: Website) -> None:
    acting, done = threading.Event(), []

    def act() -> dict[str, Any]:
        acting.set()
        time.sleep(0.4)
        return {"n": 1}

    first = threading.Thread(target=lambda: (done.append(once(website.pk, "k", 1, act)), connection.close()))
    first.start()
    acting.wait()
    replay = once(website.pk, "k", 1, lambda: pytest.fail("done twice"))
    first.join()
    assert (replay.answer, replay.replayed) == ({"n": 1}, True)
    assert not done[0].replayed


def test_a_twin_waits_two_seconds_and_no_longer(website: Website) -> None:
    release, acting = threading.Event(), threading.Event()

    def act() -> dict[str, Any]:
        acting.set()
        release.wait()
        return {}

    first = threading.Thread(target=lambda: (once(website.pk, "k", 1, act), connection.close()))
    first.start()
    acting.wait()
    started = time.monotonic()
    with pytest.raises(InFlight):
        once(website.pk, "k", 1, dict)
    waited = time.monotonic() - started
    # Other keys and other websites don't wait at all.
    once(website.pk, "other", 1, dict)
    once(make_website(name="Other").pk, "k", 1, dict)
    release.set()
    first.join()
    assert 1.9 < waited < 6
    assert once(website.pk, "k", 1, dict).replayed


def test_when_the_first_fails_a_twin_acts(website: Website) -> None:
    acting, go = threading.Event(), threading.Event()

    def fail() -> dict[str, Any]:
        acting.set()
        go.wait()
        raise ZeroDivisionError

    def first() -> None:
        with pytest.raises(ZeroDivisionError):
            once(website.pk, "k", 1, fail)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    acting.wait()
    with ThreadPoolExecutor(5) as pool:

        def twin(number: int) -> Any:
            try:
                return once(website.pk, "k", 1, lambda: {"n": number})
            finally:
                connection.close()

        twins = [pool.submit(twin, number) for number in range(5)]
        time.sleep(0.2)
        go.set()
        done = [one.result() for one in twins]
    thread.join()
    assert [one.replayed for one in done].count(False) == 1
    assert len({one.answer["n"] for one in done}) == 1


def test_another_content_is_refused_and_a_failure_frees_the_key(website: Website) -> None:
    once(website.pk, "k", {"a": 1}, dict)
    with pytest.raises(KeyReused):
        once(website.pk, "k", {"a": 2}, dict)
    with pytest.raises(ZeroDivisionError):
        once(website.pk, "free", 1, lambda: 1 / 0)
    assert not once(website.pk, "free", 2, dict).replayed


def test_key_and_deed_commit_together(website: Website) -> None:
    with transaction.atomic():
        once(website.pk, "k", 1, dict)
        assert in_a_thread(IdempotencyKey.objects.count) == 0
        transaction.set_rollback(True)
    assert not IdempotencyKey.objects.exists()


def test_keys_are_forgotten_after_thirty_days(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "CHUNK", 2)
    for number in range(7):
        once(website.pk, f"k{number}", 1, dict)
    old, young = timezone.now() - datetime.timedelta(days=30, minutes=1), timezone.now()
    IdempotencyKey.objects.filter(key__in=["k0", "k1", "k2", "k3", "k4"]).update(created_at=old)
    IdempotencyKey.objects.filter(key="k5").update(created_at=young - datetime.timedelta(days=29, hours=23))
    housekeeping.clean_up()
    assert sorted(IdempotencyKey.objects.values_list("key", flat=True)) == ["k5", "k6"]
