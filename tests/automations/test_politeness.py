"""How often, not when, and to whom not: for every sender, and never exceeded, however many send at once."""

import datetime
import threading
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from signalize_console.deliveries import caps, outbox, politeness, quiet_hours
from signalize_console.deliveries.ledger import Claimed
from signalize_console.deliveries.models import Delivery, Frequency
from signalize_console.deliveries.politeness import Politeness
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website
from tests.automations.conftest import pass_time
from tests.deliveries.conftest import Subscribe
from tests.makers import make_message, make_text

pytestmark = pytest.mark.django_db(transaction=True)
Work = Callable[[], None]


def be_polite(website: Website, **fields: Any) -> None:
    Website.objects.filter(pk=website.pk).update(**fields)
    politeness.forget()


def send(website: Website, *recipients: Recipient, **fields: Any) -> None:
    outbox.send(make_message(website, **fields), [make_text()], recipients)


def states() -> list[tuple[str, str]]:
    return sorted(Delivery.objects.values_list("state", "reason"))


def test_a_cap_lets_so_many_pass_and_says_why_the_others_do_not(
    double: Any, website: Website, subscribe: Subscribe, work: Work
) -> None:
    ada, bob = subscribe().recipient, subscribe().recipient
    be_polite(website, cap_day=2)
    for _time in range(3):
        send(website, ada)
    send(website, bob)
    work()
    assert states() == [("accepted", "")] * 3 + [("suppressed", "frequency_cap")]
    pass_time(days=1, minutes=1)
    send(website, ada)
    work()
    assert len(double.received) == 4


def test_transactional_messages_count_and_are_never_refused(
    double: Any, website: Website, subscribe: Subscribe, work: Work
) -> None:
    ada = subscribe().recipient
    be_polite(website, cap_hour=2)
    for _time in range(3):
        send(website, ada, transactional=True)
    work()
    send(website, ada)
    work()
    assert states() == [("accepted", "")] * 3 + [("suppressed", "frequency_cap")]


def test_a_message_to_two_browsers_of_one_recipient_counts_once(
    double: Any, website: Website, subscribe: Subscribe, work: Work
) -> None:
    ada = subscribe().recipient
    subscribe(recipient=ada)
    be_polite(website, cap_day=1)
    send(website, ada)
    work()
    assert states() == [("accepted", "")] * 2


def test_a_retry_is_not_counted_again(
    double: Any, website: Website, subscribe: Subscribe, work: Work
) -> None:
    ada = subscribe()
    be_polite(website, cap_day=1)
    send(website, ada.recipient)
    work()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE deliveries_delivery SET state='pending', reason='server_error', due_at=now()")
        cursor.execute("UPDATE messaging_pushmessage SET state='sending', due_at=now()")
    work()
    assert states() == [("accepted", "")]
    assert len(Frequency.objects.get().sent_at) == 1


def claimed(website: Website, subscription: Subscription, number: int, **fields: Any) -> Claimed:
    values = dict.fromkeys(Claimed._fields, "")
    return Claimed(
        **{
            **values,
            "id": number,
            "day": datetime.date.today(),
            "attempts": 1,
            "push_message_id": number,
            "website_id": website.pk,
            "subscription_id": subscription.pk,
            "recipient_id": subscription.recipient_id,
            "subscription_state": "active",
            "is_paused": False,
            "transactional": False,
            **fields,
        }  # type: ignore[arg-type]
    )


def test_a_cap_is_never_exceeded_by_senders_at_once(website: Website, subscribe: Subscribe) -> None:
    """Eight connections want twenty messages each for the same three recipients."""
    subscriptions = [subscribe() for _number in range(3)]
    be_polite(website, cap_day=5)
    politeness.by_website()
    passed: list[int] = []
    together = threading.Barrier(8)

    def work_on(worker: int) -> None:
        together.wait()
        for turn in range(20):
            number = worker * 1000 + turn
            mine = [claimed(website, one, number + 100 * place) for place, one in enumerate(subscriptions)]
            stopped = caps.verdicts(mine)
            passed.extend(one.recipient_id for one in mine if one.id not in stopped)
        connection.close()

    threads = [threading.Thread(target=work_on, args=[worker]) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.recipient_id: passed.count(one.recipient_id) for one in subscriptions} == {
        one.recipient_id: 5 for one in subscriptions
    }


def test_marketing_waits_for_the_end_of_the_quiet_hours(
    double: Any, website: Website, subscribe: Subscribe, work: Work
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    awake = (now + datetime.timedelta(hours=12)).time().replace(microsecond=0)
    kept, free = subscribe(time_zone="UTC").recipient, subscribe(time_zone="UTC").recipient
    be_polite(website, quiet_from=(now - datetime.timedelta(hours=1)).time(), quiet_until=awake, cap_day=1)
    send(website, kept)
    send(website, free, transactional=True)
    work()
    assert states() == [("accepted", ""), ("pending", "quiet_hours")]
    waits = Delivery.objects.get(state="pending").due_at - now
    assert datetime.timedelta(hours=11, minutes=59) < waits < datetime.timedelta(hours=12, minutes=1)
    be_polite(website, quiet_from=None, quiet_until=None)
    pass_time(hours=13)
    work()
    assert states() == [("accepted", "")] * 2
    assert Frequency.objects.filter(recipient=kept).exists()


def test_what_is_not_valid_any_more_after_the_quiet_hours_expires(
    double: Any, website: Website, subscribe: Subscribe, work: Work
) -> None:
    ada = subscribe(time_zone="UTC").recipient
    now = datetime.datetime.now(datetime.UTC)
    be_polite(
        website,
        quiet_from=(now - datetime.timedelta(hours=1)).time(),
        quiet_until=(now + datetime.timedelta(hours=12)).time(),
    )
    send(website, ada, valid_until=now + datetime.timedelta(hours=2))
    work()
    pass_time(hours=3)
    work()
    assert states() == [("expired", "valid_until")]
    assert not double.received


def test_the_control_group_is_always_the_same(
    double: Any, website: Website, subscribe: Subscribe, work: Work
) -> None:
    recipients = [subscribe().recipient for _number in range(30)]
    be_polite(website, holdout=30)
    for _time in range(2):
        send(website, *recipients)
        work()
    held = [
        set(
            Delivery.objects.filter(push_message_id=message, reason="holdout").values_list(
                "recipient", flat=True
            )
        )
        for message in Delivery.objects.values_list("push_message_id", flat=True).distinct()
    ]
    assert held[0] == held[1]
    assert 0 < len(held[0]) < 30
    send(website, *recipients, transactional=True)
    work()
    assert Delivery.objects.filter(reason="holdout").count() == 2 * len(held[0])


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize(
    "day",
    [
        datetime.date(2026, 3, 28),
        datetime.date(2026, 10, 24),
        datetime.date(2026, 10, 31),
        datetime.date(2026, 3, 7),
        datetime.date(2026, 10, 3),
        datetime.date(2026, 4, 4),
    ],
)
def test_quiet_hours_end_on_the_clock_on_the_wall(zone: str, day: datetime.date) -> None:
    polite = Politeness(None, None, None, datetime.time(22), datetime.time(7), 0)
    there = ZoneInfo(zone)
    evening = datetime.datetime.combine(day, datetime.time(23), there).astimezone(datetime.UTC)
    seconds = quiet_hours.wait(polite, evening, there)
    assert seconds is not None
    end = (evening + datetime.timedelta(seconds=seconds)).astimezone(there)
    assert (end.date(), end.time()) == (day + datetime.timedelta(days=1), datetime.time(7))
    noon = datetime.datetime.combine(day, datetime.time(12), there).astimezone(datetime.UTC)
    assert quiet_hours.wait(polite, noon, there) is None


def test_websites_that_have_set_nothing_pay_nothing(
    website: Website, subscribe: Subscribe, django_assert_num_queries: Any
) -> None:
    subscription = subscribe()
    politeness.by_website()
    with django_assert_num_queries(0):
        assert not caps.verdicts([claimed(website, subscription, 1)])
