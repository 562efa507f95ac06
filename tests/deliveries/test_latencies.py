"""Histograms that many processes add to: what they counted is all there, and stays when a process ends."""

import math
import threading
from collections.abc import Callable
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from signalize_console.deliveries import dispatch, latencies
from signalize_console.deliveries.latencies import BOUNDS, Latency, LatencyKind, Stopwatch
from signalize_console.deliveries.models import Attempt
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription
from signalize_console.websites.models import Website
from tests.deliveries.test_engine import send_to

pytestmark = pytest.mark.django_db(transaction=True)
SERVICES = ("fcm", "mozilla", "apple")


@pytest.fixture
def nothing_counted() -> None:
    """Whatever this process did in other tests."""
    latencies.stopwatch.add()
    Latency.objects.all().delete()


def test_each_goes_into_the_first_bucket_that_is_large_enough() -> None:
    stopwatch = Stopwatch()
    for seconds in (0.0, 0.001, 0.0011, 9.0, 12.0):
        stopwatch.note(LatencyKind.CLAIM, seconds, transactional=True)
    stopwatch.add()

    (found,) = latencies.read()

    assert dict(zip(BOUNDS, found.counts, strict=True)) == {
        **dict.fromkeys(BOUNDS, 3), 0.001: 2, 10.0: 4, math.inf: 5,
    }  # fmt: skip
    assert (found.kind, found.transactional, found.push_service) == (LatencyKind.CLAIM, True, "")
    assert found.seconds == pytest.approx(21.0021)


def test_processes_that_add_at_once_lose_nothing_and_need_few_rows() -> None:
    """In opposite orders, which would have them wait for each other."""
    rounds, failed = 60, []

    def work(services: tuple[str, ...]) -> None:
        stopwatch = Stopwatch()
        try:
            for _round in range(rounds):
                for service in services:
                    stopwatch.note(LatencyKind.POST, 0.03, transactional=False, push_service=service)
                stopwatch.add()
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(order,)) for order in (SERVICES, SERVICES[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failed
    assert {one.push_service: one.counts[-1] for one in latencies.read()} == dict.fromkeys(
        SERVICES, 2 * rounds
    )
    assert Latency.objects.count() == len(SERVICES)


def test_what_was_added_is_not_added_again() -> None:
    stopwatch = Stopwatch()
    stopwatch.note(LatencyKind.ACCEPT, 0.004, transactional=True)
    stopwatch.add()
    with CaptureQueriesContext(connection) as queries:
        stopwatch.add()

    assert not queries.captured_queries
    assert [one.counts[-1] for one in latencies.read()] == [1]


def test_the_engine_counts_its_claims_and_what_push_services_answered(
    nothing_counted: None,
    double: PushServiceDouble,
    website: Website,
    subscribe: Callable[..., Subscription],
    work: Callable[[], None],
) -> None:
    dispatch._life_of.cache_clear()
    for service in ("mozilla", "mozilla", "fcm"):
        send_to(subscribe(service=service), website)
    work()
    latencies.stopwatch.add()

    found = {(one.kind, one.transactional, one.push_service): one for one in latencies.read()}
    posts = {key[1:]: one for key, one in found.items() if key[0] == LatencyKind.POST}
    assert {key: one.counts[-1] for key, one in posts.items()} == {(True, "mozilla"): 2, (True, "fcm"): 1}
    assert all(0 < one.seconds < 10 for one in posts.values())
    assert {key[1] for key in found if key[0] == LatencyKind.CLAIM} == {True, False}
    assert all(one >= two for two, one in pairwise(found[LatencyKind.CLAIM, True, ""].counts))


def test_what_was_not_answered_has_no_latency(
    nothing_counted: None,
    double: PushServiceDouble,
    website: Website,
    subscribe: Callable[..., Subscription],
    work: Callable[[], None],
) -> None:
    double.fail_next("reset")
    send_to(subscribe(), website)
    work()
    latencies.stopwatch.add()

    assert Attempt.objects.get().status_code is None
    assert not [one for one in latencies.read() if one.kind == LatencyKind.POST]
