"""When a push service is down, refuses us, or reports everybody gone: what stops, what goes on, what resumes."""

import datetime
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from signalize_console.deliveries import alerts, dispatch, housekeeping, outbox
from signalize_console.deliveries.alerts import Alert, AlertKind
from signalize_console.deliveries.models import Delivery, Tally
from signalize_console.deliveries.readdressing import readdress
from signalize_console.deliveries.watch import Watch
from signalize_console.messaging.models import PushMessage
from signalize_console.messaging.states import DeliveryState, MessageState
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription, SubscriptionState
from signalize_console.recipients.subscribing import PushSubscription
from signalize_console.websites.models import Website
from tests.deliveries.test_engine import make_due, make_old, send_to
from tests.makers import make_message, make_subscription, make_text, make_website

Work = Callable[[], None]
Subscribe = Callable[..., Subscription]


def send_to_all(website: Website, **fields: object) -> PushMessage:
    accepted = outbox.send(make_message(website, **fields), [make_text()])
    return PushMessage.objects.get(pk=accepted.message_id)


def let_the_probe_be_due() -> None:
    Alert.objects.open().exclude(probe_at=None).update(
        probe_at=timezone.now() - datetime.timedelta(seconds=1)
    )
    make_due()


def states(message: PushMessage) -> dict[str, int]:
    return Delivery.objects.of(message).by_state()


def test_an_outage_stops_one_push_service_and_no_other(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    for _ in range(100):
        subscribe(service="mozilla")
    others = [subscribe(service="apple") for _ in range(30)]
    dead = list(Subscription.objects.filter(push_service="mozilla"))
    for one in dead:
        double.answer_next(503, endpoint=one.endpoint)

    message = send_to_all(website)
    work()
    work()

    (alert,) = Alert.objects.open()
    assert (alert.kind, alert.website, alert.push_service) == (AlertKind.OUTAGE, None, "mozilla")
    assert {one.endpoint for one in double.received} == {one.endpoint for one in others}
    tried = double.requests
    make_due()
    work()
    assert double.requests == tried

    double.reset()
    let_the_probe_be_due()
    work()

    assert not Alert.objects.open()
    assert states(message) == {DeliveryState.ACCEPTED: 130}
    assert len(double.received) == 100


def test_a_failed_probe_is_one_request_and_the_next_is_later(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    for _ in range(50):
        subscribe(service="mozilla")
    alerts.raise_alert(AlertKind.OUTAGE, None, "mozilla")
    message = send_to_all(website)
    work()
    assert double.requests == 0
    message.refresh_from_db()
    assert message.due_at == Alert.objects.get().probe_at

    waits = []
    for _ in range(3):
        double.answer_next(503)
        let_the_probe_be_due()
        work()
        waits.append((Alert.objects.get().probe_at - timezone.now()).total_seconds())

    assert double.requests == 3
    assert waits[0] < waits[1] < waits[2] <= 60


def test_a_refusal_of_us_stops_one_website_at_one_push_service(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    mine = [subscribe(service="apple") for _ in range(40)]
    make_old(*mine)
    double.answer_next(403, body=b'{"reason":"BadJwtToken"}', n=200)
    message = send_to_all(website)
    work()
    work()

    (alert,) = Alert.objects.open()
    assert (alert.kind, alert.website, alert.push_service) == (AlertKind.CONFIGURATION, website, "apple")
    assert (alert.reason, alert.status_code) == ("bad_jwt", 403)
    assert "BadJwtToken" in alert.answer
    assert states(message) == {DeliveryState.PENDING: 40}
    assert Subscription.objects.active().count() == 40

    other = make_website(name="Other")
    subscriber = double.make_subscriber("apple", application_server_key=other.vapid_key.public_key)
    push = PushSubscription(
        subscriber.endpoint, subscriber.p256dh, subscriber.auth, other.vapid_key.public_key
    )
    make_subscription(other, push, push_service="apple")
    double.reset()
    elsewhere = send_to_all(other)
    work()
    assert states(elsewhere) == {DeliveryState.ACCEPTED: 1}
    assert states(message) == {DeliveryState.PENDING: 40}

    let_the_probe_be_due()
    work()

    assert not Alert.objects.open()
    assert states(message) == {DeliveryState.ACCEPTED: 40}


def test_a_message_that_is_refused_everywhere_is_paused(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    for _ in range(200):
        subscribe()
    double.answer_next(413, body=b'{"errno":104}', n=200)

    message = send_to_all(website)
    work()

    message.refresh_from_db()
    assert (message.state, message.paused_because) == (MessageState.PAUSED, "too_large")
    assert states(message)[DeliveryState.FAILED] <= 64 + 48
    assert not Alert.objects.exists()


def test_a_subscription_made_with_another_key_waits_for_the_browser(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscription = subscribe(service="fcm")
    text = b"the VAPID credentials in the authorization header do not correspond to the credentials used"
    double.answer_next(403, body=text)
    first = send_to_all(website, transactional=True)
    work()
    second = send_to_all(website, transactional=True)
    work()
    assert double.requests == 1

    renewed = subscribe(recipient=subscription.recipient, service="fcm")
    subscription.refresh_from_db()
    assert subscription.state == SubscriptionState.ACTIVE
    readdress(renewed)
    work()

    assert states(first) == states(second) == {DeliveryState.ACCEPTED: 1}
    assert {one.endpoint for one in double.received} == {renewed.endpoint}


def test_a_recipient_with_two_refused_subscriptions_may_subscribe_anew(
    website: Website, subscribe: Subscribe
) -> None:
    old = subscribe()
    subscribe(old.recipient)
    message = send_to(old, website)
    Delivery.objects.of(message).update(reason="vapid_key_mismatch")
    new = subscribe(old.recipient)

    readdress(new)

    deliveries = Delivery.objects.of(message)
    assert deliveries.filter(subscription=new, reason="resubscribed").count() == 1
    assert deliveries.filter(reason="vapid_key_mismatch").count() == 1


def test_an_unclear_refusal_of_one_among_many_is_about_its_key(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    odd, fine = subscribe(), subscribe()
    message = send_to_all(website)
    double.answer_next(401, body=b'{"errno":109}', endpoint=odd.endpoint)
    work()
    odd.refresh_from_db()
    assert odd.key_mismatch_at is None

    outbox.send(make_message(website), [make_text()], [fine.recipient])
    work()
    double.answer_next(401, body=b'{"errno":109}', endpoint=odd.endpoint)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE deliveries_delivery SET due_at = now() WHERE state = 'pending'")
        cursor.execute("UPDATE messaging_pushmessage SET due_at = now() WHERE state = 'sending'")
    work()

    odd.refresh_from_db()
    assert odd.key_mismatch_at
    assert states(message) == {DeliveryState.ACCEPTED: 1, DeliveryState.PENDING: 1}


def test_a_young_subscription_gets_a_second_chance(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscription = subscribe()
    double.answer_next(410, body=b'{"errno":106}')
    message = send_to_all(website)
    work()
    subscription.refresh_from_db()
    assert (subscription.state, states(message)) == (SubscriptionState.ACTIVE, {DeliveryState.PENDING: 1})

    make_due()
    work()

    assert states(message) == {DeliveryState.ACCEPTED: 1}


def test_a_wave_of_gone_subscriptions_raises_an_alert_and_ends_none(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscriptions = [subscribe(service="fcm") for _ in range(60)]
    make_old(*subscriptions)
    minute = timezone.now().replace(second=0, microsecond=0)
    tallies = {"website": website, "push_service": "fcm"}
    Tally.objects.create(minute=minute - datetime.timedelta(days=1), accepted=990, gone=10, **tallies)
    Tally.objects.create(minute=minute - datetime.timedelta(minutes=2), accepted=170, **tallies)
    for one in subscriptions[:50]:
        double.expire(one.endpoint)
    send_to_all(website)
    work()
    look_for_mass_expiry()

    (alert,) = Alert.objects.open()
    assert (alert.kind, alert.push_service, alert.probe_at) == (AlertKind.MASS_EXPIRY, "fcm", None)
    assert alert.answer == "21.7 % / 1.0 %"
    age_quarantine()
    housekeeping.clean_up()
    assert Subscription.objects.filter(state=SubscriptionState.QUARANTINED).count() == 50

    Alert.objects.update(ended_at=timezone.now())
    housekeeping.clean_up()

    assert Subscription.objects.filter(state=SubscriptionState.EXPIRED).count() == 50
    look_for_mass_expiry()
    assert not Alert.objects.open()


def look_for_mass_expiry() -> None:
    watch = Watch(dispatch.Lanes())
    watch.looked_at -= 60
    watch.tick(watch.looked_at + 60)


def age_quarantine() -> None:
    week_ago = timezone.now() - datetime.timedelta(days=7, minutes=1)
    Subscription.objects.filter(state=SubscriptionState.QUARANTINED).update(ended_at=week_ago)


def test_quarantine_lasts_a_week(website: Website, subscribe: Subscribe) -> None:
    subscription = subscribe()
    ended = timezone.now() - datetime.timedelta(days=6, hours=23)
    Subscription.objects.filter(pk=subscription.pk).update(
        state=SubscriptionState.QUARANTINED, ended_at=ended
    )

    housekeeping.clean_up()

    subscription.refresh_from_db()
    assert subscription.state == SubscriptionState.QUARANTINED


@pytest.mark.parametrize(("accepted", "gone"), [(189, 10), (1000, 50), (100, 90)])
def test_few_gone_subscriptions_are_no_wave(website: Website, accepted: int, gone: int) -> None:
    minute = timezone.now().replace(second=0, microsecond=0)
    Tally.objects.create(minute=minute, website=website, push_service="fcm", accepted=accepted, gone=gone)

    look_for_mass_expiry()

    assert not Alert.objects.exists()


def test_answers_are_counted_by_the_minute(
    double: PushServiceDouble, website: Website, subscribe: Subscribe, work: Work
) -> None:
    subscriptions = [subscribe() for _ in range(9)]
    make_old(*subscriptions)
    for status, one in zip((429, 500, 413, 401, 410), subscriptions, strict=False):
        double.answer_next(status, endpoint=one.endpoint)

    send_to_all(website)
    work()

    rows = Tally.objects.all()
    assert [sum(getattr(row, name) for row in rows) for name in (
        *("accepted", "gone", "throttled", "refused", "unanswered"),
    )] == [4, 1, 1, 2, 1]  # fmt: skip
