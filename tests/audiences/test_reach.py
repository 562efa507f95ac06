"""Whom an audience reaches while it is edited: exactly or about, with why others can't be reached."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from signalize_console.audiences import counting, reach
from signalize_console.audiences.reach import Standing
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website
from tests.makers import make_recipient, make_subscription, make_website

pytestmark = pytest.mark.django_db
GERMAN = {"field": "language", "op": "equals", "value": "de"}
ANDROID = {"field": "platform", "op": "equals", "value": "android"}


@pytest.fixture
def website() -> Website:
    return make_website()


def subscribe(website: Website, language: str = "de", **fields: Any) -> Subscription:
    recipient = fields.pop("recipient", None) or make_recipient(website, language=language)
    return make_subscription(website, recipient=recipient, **fields)


def test_few_are_counted_exactly(website: Website) -> None:
    germans = [subscribe(website, platform="android" if n < 3 else "ios") for n in range(12)]
    subscribe(website, "en", platform="android")
    subscribe(website, state="expired")
    subscribe(make_website(name="Other"))
    found = reach.reach(website, GERMAN, timezone.now(), ANDROID)
    assert (found.subscriptions, found.also, found.of, found.is_exact) == (12, 3, 13, True)
    assert found.percent_also == 25
    assert found.examples == [one.recipient for one in germans[:1:-1]]
    everyone = reach.reach(website, None, timezone.now(), ANDROID)
    assert (everyone.subscriptions, everyone.also) == (13, 4)
    nobody = reach.reach(website, {"not": {"any": [GERMAN, {"not": GERMAN}]}}, timezone.now(), ANDROID)
    assert (nobody.subscriptions, nobody.percent_also, nobody.examples) == (0, 0, [])


def test_of_many_some_are_looked_at(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    make_many(website, 30_000)
    monkeypatch.setattr(reach, "EXACT_UP_TO", 1_000)
    monkeypatch.setattr(reach, "LOOKED_AT", 3_000)
    now = timezone.now()
    found = reach.reach(website, GERMAN, now, ANDROID)
    exact = counting.count(website, GERMAN, now)
    assert not found.is_exact
    assert found.of == pytest.approx(30_000, rel=0.1)
    assert found.subscriptions == pytest.approx(exact, rel=0.25)
    assert found.also == pytest.approx(exact / 2, rel=0.4)
    assert len(found.examples) == counting.SAMPLE
    assert found == reach.reach(website, GERMAN, now, ANDROID)
    standings = reach.standings(website, GERMAN, now)
    assert standings[Standing.REACHABLE] == pytest.approx(exact, rel=0.25)


def make_many(website: Website, count: int) -> None:
    """A third speaks German; half have Android."""
    values = {"website": website.pk, "key": website.vapid_key.pk, "count": count}
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO recipients_recipient (website_id, client_id, customer_id, language, time_zone, attributes)
            SELECT %(website)s, md5(n::text), '', (ARRAY['de', 'en', 'fr'])[1 + n %% 3], '', '{}'
            FROM generate_series(1, %(count)s) n""",
            values,
        )
        cursor.execute(
            """INSERT INTO recipients_subscription (website_id, recipient_id, vapid_key_id, endpoint, endpoint_hash,
                p256dh, auth, push_service, platform, state, ended_reason)
            SELECT website_id, id, %(key)s, id, sha256(id::text::bytea), '', '', 'fcm',
                CASE WHEN id %% 2 = 0 THEN 'android' ELSE 'ios' END, 'active', '' FROM recipients_recipient""",
            values,
        )
        cursor.execute("ANALYZE recipients_recipient; ANALYZE recipients_subscription")


def test_it_says_why_somebody_can_not_be_reached(website: Website) -> None:
    now = timezone.now()
    subscribe(website)
    make_recipient(website, language="de")
    for state in ("unsubscribed", "expired", "quarantined"):
        subscribe(website, state=state)
    subscribe(website, key_mismatch_at=now)
    paused = subscribe(website).recipient
    Recipient.objects.filter(pk=paused.pk).update(paused_until=now + datetime.timedelta(days=7))
    back = subscribe(website, state="unsubscribed").recipient
    subscribe(website, recipient=back)
    was_paused = subscribe(website).recipient
    Recipient.objects.filter(pk=was_paused.pk).update(paused_until=now - datetime.timedelta(days=1))
    subscribe(website, "en", state="expired")

    assert reach.standings(website, GERMAN, now) == {
        Standing.REACHABLE: 3,
        **dict.fromkeys([one for one in Standing if one != Standing.REACHABLE], 1),
    }
    assert sum(reach.standings(website, None, now).values()) == 10


def test_a_condition_on_the_subscription_is_not_met_without_one(website: Website) -> None:
    make_recipient(website)
    subscribe(website, platform="android", state="expired")
    assert reach.standings(website, ANDROID, timezone.now()) == {Standing.EXPIRED: 1}
    assert reach.standings(website, {"not": ANDROID}, timezone.now()) == {}


def test_both_are_ended_after_their_time(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe(website)
    slow = " AND pg_sleep(0.5) IS NOT NULL"
    monkeypatch.setattr(reach, "REACHED", reach.REACHED + slow)
    monkeypatch.setattr(reach, "STANDING", reach.STANDING.replace("coalesce({chosen}, false)", "true" + slow))
    for ask in (lambda: reach.reach(website, GERMAN, timezone.now(), ANDROID, seconds=0.1), lambda: reach.standings(website, GERMAN, timezone.now(), seconds=0.1)):  # fmt: skip
        with pytest.raises(counting.TooSlow):
            ask()
