"""Alerts in the console: what they say, and what a person can do about them."""

import datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from signalize_console import __version__
from signalize_console.deliveries import outbox
from signalize_console.deliveries.alerts import Alert, AlertKind, Said, raise_alert
from signalize_console.deliveries.models import Heartbeat
from signalize_console.recipients.models import Subscription, SubscriptionState
from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.makers import make_message, make_subscription, make_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper() -> Client:
    return log_in("view_alert", "change_alert", "view_pushmessage")


def page(alert: Alert) -> str:
    return reverse("admin:deliveries_alert_change", args=[alert.pk])


def test_the_dashboard_says_what_is_wrong_and_where(keeper: Client, website: Website) -> None:
    raise_alert(AlertKind.CONFIGURATION, website.pk, "apple", Said("bad_jwt", 403, "BadJwtToken"))
    alert = Alert.objects.get()

    said = keeper.get("/admin/").content.decode()

    assert "Apple refuses us" in said
    assert "Check the website" in said
    assert page(alert) in said
    assert "No worker gives a sign of life" in said


def test_the_dashboard_says_which_version_it_is_and_what_was_left_out_of_an_update(keeper: Client) -> None:
    worker = Heartbeat.objects.create(kind="worker", name="worker-1", version=__version__)
    said = keeper.get("/admin/").content.decode()
    assert f"Signalize Console {__version__}</p>" in said
    assert "left out of the update" not in said
    worker.version = "0.0.9"
    worker.save()
    assert (
        f"This web process runs version {__version__}, others run 0.0.9."
        in keeper.get("/admin/").content.decode()
    )


def test_a_stopped_push_service_can_be_tried_at_once(keeper: Client, website: Website) -> None:
    subscription = make_subscription(website)
    outbox.send(make_message(website), [make_text()], [subscription.recipient])
    raise_alert(AlertKind.OUTAGE, None, "fcm")
    alert = Alert.objects.get()
    assert "Try it now" in keeper.get(page(alert)).content.decode()

    answer = keeper.post(reverse("admin:deliveries_alert_try_now", args=[alert.pk]), follow=True)

    assert "One message tries it now" in answer.content.decode()
    alert.refresh_from_db()
    assert alert.probe_at
    assert alert.probe_at <= timezone.now()


def mass_expiry(website: Website) -> tuple[Alert, Subscription, Subscription, Subscription]:
    before, during, other = (make_subscription(website) for _ in range(3))
    alert = Alert.objects.create(
        kind=AlertKind.MASS_EXPIRY, push_service="fcm", answer="30.0 % / 0.1 %",
        started_at=timezone.now() - datetime.timedelta(minutes=10),
    )  # fmt: skip
    for one, minutes, reason in (
        (before, 20, "push service: expired"),
        (during, 5, "push service: expired"),
        (other, 5, "visitor"),
    ):
        Subscription.objects.filter(pk=one.pk).update(
            state=SubscriptionState.QUARANTINED,
            ended_reason=reason,
            ended_at=timezone.now() - datetime.timedelta(minutes=minutes),
        )
    return alert, before, during, other


def test_a_wave_of_gone_subscriptions_is_undone_with_one_click(keeper: Client, website: Website) -> None:
    alert, before, during, other = mass_expiry(website)
    assert "30.0 %" in keeper.get(page(alert)).content.decode()

    answer = keeper.post(reverse("admin:deliveries_alert_restore", args=[alert.pk]), follow=True)

    assert "1 subscription is active again" in answer.content.decode()
    states = dict(Subscription.objects.values_list("pk", "state"))
    assert states == {before.pk: "quarantined", during.pk: "active", other.pk: "quarantined"}
    alert.refresh_from_db()
    assert alert.ended_at


def test_a_wave_that_is_confirmed_stays_gone(keeper: Client, website: Website) -> None:
    alert, _before, during, _other = mass_expiry(website)

    keeper.post(reverse("admin:deliveries_alert_confirm", args=[alert.pk]))

    alert.refresh_from_db()
    during.refresh_from_db()
    assert (bool(alert.ended_at), during.state) == (True, "quarantined")


def test_who_may_only_look_changes_nothing(website: Website) -> None:
    viewer = log_in("view_alert")
    alert, _before, during, _other = mass_expiry(website)
    assert "bring them back" not in viewer.get(page(alert)).content.decode()

    for name in ("try_now", "restore", "confirm"):
        assert viewer.post(reverse(f"admin:deliveries_alert_{name}", args=[alert.pk])).status_code == 403

    during.refresh_from_db()
    alert.refresh_from_db()
    assert (during.state, alert.ended_at) == ("quarantined", None)


def test_a_link_alone_does_nothing(keeper: Client, website: Website) -> None:
    alert, *_others = mass_expiry(website)
    assert keeper.get(reverse("admin:deliveries_alert_restore", args=[alert.pk])).status_code == 403
