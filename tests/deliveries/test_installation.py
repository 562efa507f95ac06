"""A database that was restored or copied sends nothing by itself, and is let go by a person."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, override_settings

from signalize_console.automations.tasks import advance
from signalize_console.console.send_from_here import send_from_here
from signalize_console.deliveries import installation
from signalize_console.deliveries.dispatch import Dispatch
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.pushservice.double import PushServiceDouble
from signalize_console.recipients.models import Subscription
from signalize_console.webhooks.tasks import tell
from signalize_console.websites.models import Website
from tests.deliveries.test_engine import send_to

Work = Callable[[], None]
Subscribe = Callable[..., Subscription]
OURS = "UPDATE deliveries_installation SET identity = identity || %s"


@pytest.fixture(autouse=True)
def home_again(transactional_db: None) -> None:
    """However a test ended before, this database is where it belongs."""
    installation.send_from_here("tests")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE deliveries_installation SET confirmed_at = NULL")


@pytest.fixture
def elsewhere() -> None:
    with connection.cursor() as cursor:
        cursor.execute(OURS, ["/another cluster"])
    installation.said.at = float("-inf")


def test_it_sends_where_it_was_made(website: Website, subscribe: Subscribe, work: Work) -> None:
    send_to(subscribe(), website)
    work()
    assert Delivery.objects.get().state == "accepted"


def test_a_copy_accepts_and_sends_nothing(
    website: Website,
    subscribe: Subscribe,
    work: Work,
    double: PushServiceDouble,
    elsewhere: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = send_to(subscribe(), website)
    marketing = send_to(subscribe(), website, transactional=False)
    work()
    work()
    tell()
    advance()

    assert double.requests == 0
    assert set(Delivery.objects.values_list("state", "attempts")) == {("pending", 0)}
    assert [before.refresh_from_db(), before.state] == [None, "sending"]
    assert [marketing.refresh_from_db(), marketing.state] == [None, "sending"]
    assert caplog.text.count("manage.py send_from_here") == 1
    assert Client().get("/health").json()["restoredCopy"] is True
    assert Client().get("/health").json()["status"] == "degraded"


def test_let_go_it_sends_what_is_expected_and_asks_for_the_rest(
    website: Website, subscribe: Subscribe, work: Work, double: PushServiceDouble, elsewhere: None
) -> None:
    transactional = send_to(subscribe(), website)
    due = send_to(subscribe(), website, transactional=False)
    under_way = send_to(subscribe(), website, transactional=False)
    PushMessage.objects.filter(pk=due.pk).update(state="scheduled")
    assert under_way.state == "sending"

    assert send_from_here("olga")
    assert not send_from_here("olga")
    work()

    states = dict(PushMessage.objects.values_list("pk", "state"))
    assert states == {transactional.pk: "finished", due.pk: "held", under_way.pk: "paused"}
    assert double.requests == 1
    due.refresh_from_db()
    assert due.release()
    under_way.refresh_from_db()
    assert under_way.resume()
    work()
    assert double.requests == 3
    assert not PushMessage.objects.exclude(state="finished").exists()
    assert not PushMessage.objects.exclude(paused_because="").exists()


def test_a_run_under_way_stops_when_the_database_is_replaced(
    website: Website, subscribe: Subscribe, double: PushServiceDouble
) -> None:
    run = Dispatch(transactional=True)
    send_to(subscribe(), website)
    assert run._may_send()
    with connection.cursor() as cursor:
        cursor.execute(OURS, ["/restored over it"])
    run.ask_at = 0.0  # half a second later
    assert run.run(seconds=2) == 0
    assert double.requests == 0


def test_each_sign_of_another_place_counts(transactional_db: None) -> None:
    assert not installation.is_elsewhere()
    with override_settings(INSTALLATION="staging"):
        assert installation.is_elsewhere()
    with connection.cursor() as cursor:
        cursor.execute("SELECT identity FROM deliveries_installation")
        parts = cursor.fetchone()[0].split("/")
        assert [bool(part) for part in parts] == [True, True, True, True, False]
        for number in range(len(parts)):
            other = [*parts[:number], "7", *parts[number + 1 :]]
            cursor.execute("UPDATE deliveries_installation SET identity = %s", ["/".join(other)])
            assert installation.is_elsewhere(), number


def test_an_account_without_rights_can_ask(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE plain; GRANT SELECT ON deliveries_installation TO plain; SET ROLE plain")
        try:
            assert not installation.is_elsewhere()
        finally:
            cursor.execute("RESET ROLE; DROP OWNED BY plain; DROP ROLE plain")


def test_a_database_with_subscribers_of_before_waits_for_a_person(
    website: Website, subscribe: Subscribe
) -> None:
    subscribe()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM deliveries_installation")
        cursor.execute(installation.BEGIN, [""])
    assert installation.is_elsewhere()
    assert installation.send_from_here("olga")
    assert not installation.is_elsewhere()


def test_the_console_says_so_and_an_administrator_decides(elsewhere: None) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("olga", password="x"))
    page = "/admin/send-from-here/"
    assert page in client.get("/admin/").content.decode()
    assert "Send from here from now on" in client.get(page).content.decode()

    answer = client.post(page, follow=True)

    assert "Messages are sent from here" in answer.content.decode()
    assert not installation.is_elsewhere()
    with connection.cursor() as cursor:
        cursor.execute("SELECT confirmed_by FROM deliveries_installation")
        assert cursor.fetchone() == ("olga",)
    assert page not in client.get("/admin/").content.decode()
