"""What the clock starts: dates, inactivity, weekdays; on each recipient's clock, also when it is changed."""

import datetime
import itertools
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from signalize_console.activity import changes
from signalize_console.automations import dates, engine, feeds, waiting
from signalize_console.automations.models import Run, Schedule
from signalize_console.recipients.models import Recipient
from tests.automations.conftest import MakeRule, pass_time
from tests.deliveries.conftest import Subscribe
from tests.webhooks.conftest import receiver, running_receiver
from tests.webhooks.receiver import Behaviour, Receiver, answer, flood, slam

__all__ = ["receiver", "running_receiver"]

ZONES = [
    *(
        "Europe/Berlin",
        "Europe/London",
        "Europe/Lisbon",
        "Europe/Kyiv",
        "America/New_York",
        "America/Chicago",
    ),
    *("America/Denver", "America/Los_Angeles", "America/Halifax", "America/St_Johns", "America/Santiago"),
    *("Australia/Sydney", "Australia/Adelaide", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham"),
    *("Africa/Cairo", "Asia/Beirut", "Asia/Kolkata", "UTC"),
]
DAY = datetime.timedelta(days=1)
database = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("zone", ZONES)
def test_days_and_times_of_day_hold_over_a_whole_year(zone: str) -> None:
    """Every day of a year, with both changes of the clocks: a day later shows the same time."""
    there = ZoneInfo(zone)
    for number in range(365):
        noon = datetime.datetime(2026, 1, 1, 12, tzinfo=there) + number * DAY
        start = noon.astimezone(datetime.UTC)
        later = waiting.later(start, {"days": 1}, there).astimezone(there)
        assert (later.date(), later.time()) == (noon.date() + DAY, datetime.time(12))
        morning = waiting.next_at(start, "09:30", there).astimezone(there)
        assert (morning.date(), morning.time()) == (noon.date() + DAY, datetime.time(9, 30))
        assert waiting.later(start, {"hours": 24}, there) - start == DAY
        monday = waiting.next_on(start, ["monday"], "08:00", there).astimezone(there)
        assert (monday.weekday(), monday.time()) == (0, datetime.time(8))
        assert datetime.timedelta(0) <= monday - noon <= datetime.timedelta(days=7, hours=2)


@given(
    st.datetimes(datetime.datetime(2026, 1, 1), datetime.datetime(2027, 12, 31)),
    st.sampled_from(ZONES),
    st.integers(-72, 72),
)
def test_a_date_falls_into_exactly_one_of_the_spans_that_follow_each_other(
    moment: datetime.datetime, zone: str, hours: int
) -> None:
    facts = {"attribute": "a", "offset": {"hours": hours}}
    value = moment.replace(microsecond=0).isoformat()
    borders = [datetime.datetime(2025, 12, 20, tzinfo=datetime.UTC) + n * 100 * DAY for n in range(9)]
    found = [one for span in itertools.pairwise(borders) for one in dates.occasions(value, facts, zone, span)]
    assert len(found) == 1
    assert dates.still_so(found[0].trigger, value, facts)


@pytest.mark.parametrize(
    ("birthday", "year", "day"),
    [("1990-05-17", 2026, "05-17"), ("2000-02-29", 2027, "02-28"), ("2000-02-29", 2028, "02-29")],
)
def test_a_birthday_comes_every_year(birthday: str, year: int, day: str) -> None:
    facts = {"attribute": "birthday", "every": "year", "at": "09:00"}
    span = (
        datetime.datetime(year, 1, 2, tzinfo=datetime.UTC),
        datetime.datetime(year, 12, 30, tzinfo=datetime.UTC),
    )
    (occasion,) = dates.occasions(birthday, facts, "Europe/Berlin", span)
    local = occasion.due_at.astimezone(ZoneInfo("Europe/Berlin"))
    assert f"{local:%Y-%m-%d %H:%M}" == f"{year}-{day} 09:00"
    assert dates.still_so(occasion.trigger, birthday, facts)
    assert not dates.still_so(occasion.trigger, "1990-06-01", facts)


@database
def test_an_appointment_is_reminded_of_once_and_a_moved_one_anew(
    subscribe: Subscribe, make_rule: MakeRule
) -> None:
    now = timezone.now()
    soon = (now + datetime.timedelta(hours=24, minutes=20)).isoformat(timespec="seconds")
    ada = subscribe(attributes={"appointment": soon}).recipient
    later = subscribe(attributes={"appointment": "2030-01-01T10:00:00Z"}).recipient
    rule = make_rule({"kind": "date", "attribute": "appointment", "offset": {"hours": -24}})
    for _time in range(3):
        engine.run(seconds=5)
    assert list(Run.objects.values_list("recipient", "state")) == [(ada.pk, "waiting")]

    with changes.noted(rule.website_id, [ada.client_id]):
        Recipient.objects.filter(pk=ada.pk).update(
            attributes={
                "appointment": (now + datetime.timedelta(hours=24, minutes=40)).isoformat(timespec="seconds")
            }
        )
    engine.run(seconds=5)
    with changes.noted(rule.website_id, [later.client_id]):
        Recipient.objects.filter(pk=later.pk).update(
            attributes={
                "appointment": (now + datetime.timedelta(hours=24, minutes=10)).isoformat(timespec="seconds")
            }
        )
    engine.run(seconds=5)
    assert Run.objects.filter(recipient=later).count() == 1


@database
def test_a_moved_appointment_drops_the_run_of_the_old_one(subscribe: Subscribe, make_rule: MakeRule) -> None:
    soon = (timezone.now() + datetime.timedelta(hours=24, minutes=20)).isoformat(timespec="seconds")
    ada = subscribe(attributes={"appointment": soon}).recipient
    make_rule({"kind": "date", "attribute": "appointment", "offset": {"hours": -24}})
    engine.run(seconds=5)
    Recipient.objects.filter(pk=ada.pk).update(attributes={"appointment": "2030-01-01T10:00:00Z"})
    pass_time(minutes=25)
    engine.run(seconds=5)
    assert list(Run.objects.values_list("state", "why")) == [("dropped", "changed")]


@database
def test_every_weekday_starts_everybody_once(subscribe: Subscribe, make_rule: MakeRule) -> None:
    for _number in range(5):
        subscribe()
    now = timezone.now()
    at = (now + datetime.timedelta(minutes=30)).strftime("%H:%M")
    day = (now + datetime.timedelta(minutes=30)).strftime("%A").lower()
    make_rule({"kind": "every", "days": [day], "at": at, "zone": "UTC"})
    engine.run(seconds=5)
    assert not Run.objects.exists()
    Schedule.objects.update(since=timezone.now() - DAY * 7, due_at=timezone.now())
    for _time in range(3):
        engine.run(seconds=5)
    # A week ago is too long ago; of this week it has not come yet.
    assert Run.objects.count() == 0
    Schedule.objects.update(
        moment=now, occasion="every-x", position=0, due_at=timezone.now() - datetime.timedelta(seconds=1)
    )
    for _time in range(3):
        engine.run(seconds=5)
    assert Run.objects.count() == 5


@database
def test_inactivity_triggers_when_it_is_reached_and_not_for_who_came_back(
    subscribe: Subscribe, make_rule: MakeRule
) -> None:
    away, back = subscribe().recipient, subscribe().recipient
    make_rule({"kind": "inactivity", "days": 30})
    engine.run(seconds=5)
    pass_time(days=29, hours=23)
    engine.run(seconds=5)
    assert not Run.objects.exists()
    Recipient.objects.filter(pk=back.pk).update(seen_at=timezone.now())
    pass_time(hours=2)
    engine.run(seconds=5)
    assert list(Run.objects.values_list("recipient", flat=True)) == [away.pk]


ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>%d</id><title>News %d</title>
<link href="https://shop.example/%d"/></entry></feed>"""
FEED = "https://push.example.net/feed.xml"
RSS = b"""<rss><channel><item><guid>a</guid><title>First</title><link>https://shop.example/a</link></item>
<item><title>Second</title><link>https://shop.example/b</link></item></channel></rss>"""


def test_feeds_are_read() -> None:
    (item,) = feeds.read(ATOM % (1, 1, 1))
    assert item.facts == {"item_title": "News 1", "item_link": "https://shop.example/1", "item_summary": ""}
    assert [item.facts["item_title"] for item in feeds.read(RSS)] == ["First", "Second"]


@pytest.mark.parametrize(
    "body",
    [b"", b"<html/>", b"no", b'<!DOCTYPE a [<!ENTITY b "c">]><rss>&b;</rss>'],
)
def test_what_is_no_feed_is_refused(body: bytes) -> None:
    with pytest.raises(feeds.BrokenFeed):
        feeds.read(body)


@pytest.mark.parametrize("url", ["https://127.0.0.1/feed", "https://10.0.0.1/", "https://[::1]/"])
def test_a_feed_at_a_private_address_is_never_fetched(url: str) -> None:
    with pytest.raises(feeds.BrokenFeed, match="isn't public"):
        feeds.fetch(url)


@database
def test_a_broken_feed_stands_in_the_rules_health(subscribe: Subscribe, make_rule: MakeRule) -> None:
    rule = make_rule({"kind": "feed", "url": "https://127.0.0.1/feed.xml"})
    engine.run(seconds=5)
    rule.refresh_from_db()
    assert "isn't public" in rule.trouble


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (answer(500), "answered with status 500"),
        (answer(302, Location="https://push.example.net/other.xml"), "status 302"),
        (flood, "can't be fetched"),
        (slam, "can't be fetched"),
        (answer(200, b"<html/>"), "isn't RSS or Atom"),
    ],
    ids=["500", "redirect", "flood", "slam", "html"],
)
def test_what_a_server_does_wrong_is_said(receiver: Receiver, behaviour: Behaviour, said: str) -> None:
    receiver.behave("/feed.xml", behaviour)
    receiver.behave("/other.xml", answer(200, RSS))
    with pytest.raises(feeds.BrokenFeed, match=said):
        feeds.items(FEED)


@database
def test_a_new_item_of_a_feed_goes_to_everybody_and_what_was_there_before_does_not(
    subscribe: Subscribe, make_rule: MakeRule, receiver: Receiver
) -> None:
    subscribe()
    make_rule({"kind": "feed", "url": FEED}, title="{{ item_title }}")
    for number in (1, 2, 2):
        receiver.behave("/feed.xml", answer(200, ATOM % (number, number, number)))
        for _time in range(3):
            engine.run(seconds=5)
        Schedule.objects.update(due_at=timezone.now())
    assert [run.facts["item_title"] for run in Run.objects.all()] == ["News 2"]
