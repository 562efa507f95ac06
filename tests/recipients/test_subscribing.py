"""Subscribing, coming back, leaving: and who may do that for whom."""

import base64

import pytest

from signalize_console.recipients.models import Recipient, Subscription, SubscriptionState
from signalize_console.recipients.subscribing import (
    NotYours,
    Proof,
    UnknownKey,
    Visitor,
    subscribe,
    unsubscribe,
)
from signalize_console.webpush.encryption import BadSubscriptionKeys
from signalize_console.webpush.push_services import EndpointRefused
from signalize_console.webpush.vapid import generate_keys
from signalize_console.websites.models import Website
from tests.makers import make_push, make_website

pytestmark = pytest.mark.django_db
ONE, TWO = Visitor("1" * 32, "de-AT", "Europe/Vienna"), Visitor("2" * 32, "en", "")
OFF_CURVE = base64.urlsafe_b64encode(b"\x04" + b"\x01" * 64).rstrip(b"=").decode()


@pytest.fixture
def website() -> Website:
    return make_website()


def test_it_stores_a_new_recipient_with_their_subscription(website: Website) -> None:
    subscription, is_new = subscribe(website, ONE, make_push(website))

    assert is_new
    assert subscription.push_service == "fcm"
    recipient = subscription.recipient
    assert (recipient.client_id, recipient.language, recipient.time_zone) == (
        ONE.client_id,
        "de-AT",
        "Europe/Vienna",
    )


def test_a_living_subscription_keeps_its_recipient(website: Website) -> None:
    push = make_push(website)
    subscribe(website, ONE, push)

    again, is_new = subscribe(website, TWO, push)

    assert (again.recipient.client_id, is_new) == (ONE.client_id, False)
    assert Subscription.objects.count() == Recipient.objects.count() == 1


def test_who_only_knows_an_endpoint_takes_nothing_over(website: Website) -> None:
    push = make_push(website)
    subscribe(website, ONE, push)
    before = Subscription.objects.values().get()

    for attack in (make_push(website, push.endpoint), make_push(website, push.endpoint, p256dh=push.p256dh)):
        with pytest.raises(NotYours):
            subscribe(website, TWO, attack)
    assert unsubscribe(website, Proof(push.endpoint, make_push(website).auth)) is None

    assert Subscription.objects.values().get() == before
    assert not Recipient.objects.filter(client_id=TWO.client_id).exists()


def test_who_left_may_come_back(website: Website) -> None:
    push = make_push(website)
    subscribe(website, ONE, push)

    ended = unsubscribe(website, Proof(push.endpoint, push.auth))
    assert ended is not None
    ended.refresh_from_db()
    assert (ended.state, ended.ended_reason) == (SubscriptionState.UNSUBSCRIBED, "visitor")
    assert unsubscribe(website, Proof(push.endpoint, push.auth)) is None

    again, is_new = subscribe(website, ONE, push)
    assert (again.pk, again.state, again.ended_at, is_new) == (ended.pk, SubscriptionState.ACTIVE, None, True)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"endpoint": "https://127.0.0.1/x"}, EndpointRefused),
        ({"endpoint": "https://evil.example/fcm.googleapis.com/"}, EndpointRefused),
        ({"p256dh": OFF_CURVE}, BadSubscriptionKeys),
        ({"auth": "AAAA"}, BadSubscriptionKeys),
        ({"application_server_key": generate_keys()[0]}, UnknownKey),
    ],
)
def test_it_stores_nothing_of_what_it_refuses(
    website: Website, changed: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        subscribe(website, ONE, make_push(website, **changed))
    assert not Subscription.objects.exists()
    assert not Recipient.objects.exists()


def test_who_only_knows_a_recipient_id_gets_another_recipient(website: Website) -> None:
    victim, _is_new = subscribe(website, ONE, make_push(website))

    for previous in (None, Proof(victim.endpoint, make_push(website).auth), Proof("https://x.example/", "")):
        attacker, is_new = subscribe(website, ONE, make_push(website), previous)
        assert is_new
        assert attacker.recipient_id != victim.recipient_id
        assert attacker.recipient.client_id != ONE.client_id
    assert victim.recipient.subscriptions.get() == victim


def test_who_held_the_subscription_before_keeps_the_recipient(website: Website) -> None:
    old, _is_new = subscribe(website, ONE, make_push(website))

    new, is_new = subscribe(website, TWO, make_push(website), Proof(old.endpoint, old.auth))

    old.refresh_from_db()
    assert (new.recipient_id, is_new) == (old.recipient_id, False)
    assert (old.state, old.ended_reason) == (SubscriptionState.EXPIRED, "replaced")
    assert list(new.recipient.subscriptions.filter(state=SubscriptionState.ACTIVE)) == [new]


def test_a_subscription_that_the_push_service_refused_stays_marked(website: Website) -> None:
    push = make_push(website)
    subscription, _is_new = subscribe(website, ONE, push)
    Subscription.objects.update(key_mismatch_at="2026-01-01T00:00Z")

    assert subscribe(website, ONE, push)[0].key_mismatch_at
    old_key = subscription.vapid_key
    website.vapid_keys.update(retired_at="2026-01-01T00:00Z")
    renewed = make_push(
        website, push.endpoint, auth=push.auth, application_server_key=website.make_vapid_key().public_key
    )
    again, _is_new = subscribe(website, ONE, renewed)
    assert (again.vapid_key != old_key, again.key_mismatch_at) == (True, None)


def test_one_browser_may_subscribe_on_two_websites(website: Website) -> None:
    other = make_website(name="Other")
    endpoint = make_push(website).endpoint

    for one in (website, other):
        subscribe(one, ONE, make_push(one, endpoint))

    assert Subscription.objects.count() == Recipient.objects.count() == 2


def test_a_retired_key_is_still_known(website: Website) -> None:
    push = make_push(website)
    website.vapid_keys.update(retired_at="2026-01-01T00:00Z")
    website.make_vapid_key()

    subscription, _is_new = subscribe(website, ONE, push)

    assert subscription.vapid_key.retired_at is not None
