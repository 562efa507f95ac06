"""Reports as marketers read them: what is unknown is called so, and a page costs the same however much there is."""

import csv
import datetime
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from signalize_console.activity.cursors import CurrentTransaction
from signalize_console.activity.models import Event, EventKind
from signalize_console.console import reports as console_reports
from signalize_console.console.models import WebsiteLimit
from signalize_console.deliveries import outbox, reports, rolling_up, tokens, website_reports
from signalize_console.deliveries.models import DailyCount, Delivery, HourlyCount, SubscriberCount, Tally
from signalize_console.messaging.models import PushMessage
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.console.test_console import XSS
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db(transaction=True)
OVERVIEW, COMPARE = "/admin/reports/", "/admin/reports/compare/"


@pytest.fixture
def audience(website: Website) -> list[Subscription]:
    """Six in Chrome on Windows, four in Safari on a Mac."""
    return [
        make_subscription(
            website,
            recipient=make_recipient(website, language="de" if number < 6 else "en"),
            push_service="fcm" if number < 6 else "apple",
            platform="windows" if number < 6 else "macos",
        )
        for number in range(10)
    ]


Send = Callable[..., PushMessage]


@pytest.fixture
def send(website: Website, audience: list[Subscription]) -> Send:
    """A message to everyone: accepted for all but one; the first ones saw it and clicked."""

    def make(title: str = "Sale", clicks: int = 2) -> PushMessage:
        accepted = outbox.send(make_message(website), [make_text(title=title)])
        message = PushMessage.objects.get(pk=accepted.message_id)
        rows = [
            Delivery(day=message.day, push_message=message, subscription=one, recipient_id=one.recipient_id,
                     push_service=one.push_service)
            for one in audience
        ]  # fmt: skip
        deliveries = Delivery.objects.bulk_create(rows)
        ended = {"answered_at": timezone.now(), "ended_in": CurrentTransaction()}
        Delivery.objects.of(message).update(state="accepted", **ended)
        Delivery.objects.filter(pk=deliveries[5].pk).update(state="failed", reason="too_large")
        done = {"state": "finished", "due_at": None, "total": 10, "finished_at": timezone.now()}
        PushMessage.objects.filter(pk=message.pk).update(**done)
        for delivery in deliveries[:4]:
            reports.report(tokens.make(delivery.pk, delivery.day), "shown")
        for delivery in deliveries[:clicks]:
            reports.report(tokens.make(delivery.pk, delivery.day), "clicked", "button-1")
        return message

    return make


def happen(recipient: Recipient, kind: str, **fields: Any) -> Event:
    return Event.objects.create(
        day=timezone.now().date(), website_id=recipient.website_id, recipient=recipient, kind=kind, **fields
    )


def roll_up() -> None:
    while rolling_up.roll_up():
        pass


def text_of(client: Client, path: str, **query: Any) -> str:
    """What a reader gets, without tags and repeated spaces."""
    answer = client.get(path, query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def rows_of(client: Client, path: str, **query: Any) -> list[dict[str, str]]:
    answer = client.get(path, query)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def report(message: PushMessage) -> str:
    return reverse("admin:reports_message", args=[message.pk])


def test_the_funnel_says_unknown_where_no_browser_can_tell(
    boss: Client, send: Send, audience: list[Subscription]
) -> None:
    message = send()
    roll_up()
    text = text_of(boss, report(message))
    assert "10 targeted" in text
    assert "9 accepted by the push services · 90.0 %" in text
    assert "4 shown · 80.0 % of the 5 whose browser can tell" in text
    assert "4 unknown: Safari doesn't tell" in text.replace("&#x27;", "'")
    assert "unknown converted · the website has told of no order since" in text
    assert "Shorten texts" in text

    happen(audience[0].recipient, EventKind.EVENT, name="order", properties={"value": 49.5})
    happen(audience[0].recipient, EventKind.UNSUBSCRIBED, properties={"push_service": "fcm"})
    roll_up()
    text = text_of(boss, report(message))
    assert "1 converted · 50.0 % of the clicks · worth 49.50" in text

    rows = {(row["by"], row["part"]): row for row in rows_of(boss, report(message), csv=1)}
    whole, apple, german = rows["Whole message", ""], rows["Push service", "Apple"], rows["Language", "de"]
    assert (whole["targeted"], whole["clicked"], whole["unsubscribed"], whole["worth"]) == (
        "10",
        "2",
        "1",
        "49.500000",
    )
    assert (apple["accepted"], apple["shown"]) == ("4", "unknown")
    assert (german["accepted"], german["shown"], german["clicked"]) == ("5", "4", "2")
    assert rows["Platform", "macOS"]["targeted"] == "4"


def test_the_csv_of_a_message_holds_all_that_its_page_shows(
    boss: Client, send: Send, audience: list[Subscription]
) -> None:
    message = send("=Sale")
    deliveries = list(Delivery.objects.of(message).order_by("pk"))
    reports.report(tokens.make(deliveries[3].pk, message.day), "closed")
    reports.report(tokens.make(deliveries[2].pk, message.day), "clicked")
    roll_up()
    rows = {(row["by"], row["part"]): row for row in rows_of(boss, report(message), csv=1)}
    whole = rows["Whole message", ""]
    assert {name: whole[name] for name in list(whole)[9:]} == {
        "closed without a click": "1",
        "not accepted": "1",
        "still open": "0",
        "unknown whether shown: Safari doesn't tell": "4",
        "accepted, of the targeted": "0.9",
        "shown, of those whose browser can tell": "0.8",
        "click rate": "0.3333",
        "converted, of the clicks": "–",
        "unsubscribed, of the accepted": "0.0",
    }
    assert rows["What was clicked", "first button"]["clicked"] == "2"
    assert rows["What was clicked", "the notification itself"]["clicked"] == "1"
    assert (
        rows["Why some were not accepted", "The message is too large. Shorten texts and links."][
            "not accepted"
        ]
        == "1"
    )
    hours = [row for (by, _part), row in rows.items() if by == "Hour by hour"]
    assert all(datetime.datetime.fromisoformat(row["part"]).minute == 0 for row in hours)
    assert {(row["targeted"], row["converted"]) for row in hours} == {("", "unknown")}
    counts = {"accepted": 9, "shown": 4, "clicked": 3, "closed without a click": 1}
    assert {name: sum(int(row[name]) for row in hours) for name in counts} == counts
    assert ("push message", "'=Sale") in rows
    assert ("state", "finished") in rows
    assert rows_of(boss, report(message), csv=1)[-1]["by"] == "finished"
    page = text_of(boss, report(message)).replace("&#x27;", "'")
    for by, part in rows:
        if by in {"Platform", "Language", "Push service", "What was clicked", "Why some were not accepted"}:
            assert part in page


def test_the_csv_knows_no_more_than_the_browsers(boss: Client, send: Send) -> None:
    message = send()
    Delivery.objects.of(message).update(push_service="apple")
    roll_up()
    later = HourlyCount.objects.get(push_message_id=message.pk, name="clicked")
    later.pk, later.hour = None, later.hour + datetime.timedelta(days=9)
    later.save()
    hours = [row for row in rows_of(boss, report(message), csv=1) if row["by"] == "Hour by hour"]
    assert (len(hours), hours[0]["shown"], hours[0]["closed without a click"]) == (73, "unknown", "unknown")
    assert (hours[71]["clicked"], hours[72]["clicked"]) == ("0", "2")
    assert (
        '<td class="figure-cell"><span class="unknown">unknown' in boss.get(report(message)).content.decode()
    )


def test_what_is_still_open_is_targeted(boss: Client, send: Send) -> None:
    message = send()
    PushMessage.objects.filter(pk=message.pk).update(state="sending", total=25)
    roll_up()
    assert "25 targeted · 15 of them still open" in text_of(boss, report(message))


def test_a_message_to_named_recipients_has_its_report_at_once(
    boss: Client, website: Website, audience: list[Subscription]
) -> None:
    accepted = outbox.send(make_message(website), [make_text()], [audience[0].recipient])
    delivery = Delivery.objects.get()
    message = PushMessage.objects.get(pk=accepted.message_id)
    assert "1 targeted · 1 of them still open" in text_of(boss, report(message))
    Delivery.objects.update(state="accepted", answered_at=timezone.now(), ended_in=CurrentTransaction())
    reports.report(tokens.make(delivery.pk, delivery.day), "clicked")
    text = text_of(boss, report(message))
    assert "1 accepted by the push services" in text
    assert "1 clicked" in text
    assert "Hour by hour" not in text


def test_a_chart_has_its_numbers_behind_it(boss: Client, send: Send) -> None:
    message = send()
    roll_up()
    page = boss.get(report(message)).content.decode()
    assert (page.count('<svg class="plot"'), page.count("<polyline")) == (2, 4)
    assert "<details>" in page
    assert re.search(r'<td class="figure-cell">9</td>', page)
    assert " style=" not in re.search(r"<figure.*?</figure>", page, re.DOTALL)[0]  # type: ignore[index]


def test_messages_are_compared_two_to_five(boss: Client, send: Send) -> None:
    first, second = send("Spring", 1), send("Autumn", 4)
    roll_up()
    text = text_of(boss, COMPARE, message=[first.pk, second.pk])
    assert "1 11.1 %" in text
    assert "4 44.4 %" in text
    rows = rows_of(boss, COMPARE, message=[first.pk, second.pk], csv=1)
    assert {row["push message"]: row["clicked"] for row in rows} == {"Spring": "1", "Autumn": "4"}
    for too in ([first.pk], [], ["x", "²", "9" * 30], [send(str(n)).pk for n in range(6)]):
        assert "Choose 2 to 5" in text_of(boss, COMPARE, message=too)


def test_growth_and_the_opt_in_funnel(boss: Client, website: Website, audience: list[Subscription]) -> None:
    recipient = audience[0].recipient
    for kind, times in (("optin_shown", 8), ("optin_yes", 4), ("permission_granted", 2), ("subscribed", 2)):
        for _time in range(times):
            happen(recipient, kind)
    happen(recipient, EventKind.UNSUBSCRIBED)
    roll_up()
    rolling_up.count_subscribers()
    text = text_of(boss, OVERVIEW)
    assert "10 active subscriptions" in text
    assert "opt-in: yes 4 50.0 %" in text
    assert "subscribed 2 100.0 %" in text
    today = rows_of(boss, OVERVIEW, csv="growth", days=7)[-1]
    assert (today["opted in"], today["unsubscribed"], today["active subscriptions"]) == ("2", "1", "10")
    assert rows_of(boss, OVERVIEW, csv="growth", days=7)[0]["active subscriptions"] == "unknown"
    assert len(rows_of(boss, OVERVIEW, csv="growth", days=90)) == 90
    weeks = rows_of(boss, OVERVIEW, csv="growth", days=364)
    assert (len(weeks), weeks[-1]["opted in"], weeks[-1]["active subscriptions"]) == (52, "2", "10")
    other = make_website(name="Other")
    assert "opt-in: yes 0" in text_of(boss, OVERVIEW, website=other.pk)
    assert boss.get(OVERVIEW, {"website": "999"}).status_code == 404


def test_very_many_subscribers_are_those_that_were_counted_last(
    boss: Client, website: Website, audience: list[Subscription], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_subscription(make_website(name="Other"))
    rolling_up.count_subscribers()
    SubscriberCount.objects.filter(website=website).update(count=12_345)
    old = timezone.now().date() - datetime.timedelta(days=1)
    SubscriberCount.objects.create(website=website, day=old, count=999)
    monkeypatch.setattr(website_reports, "COUNTED", 5)
    text = text_of(boss, OVERVIEW)
    assert "12,346 active subscriptions counted at" in text
    assert "12,345 active subscriptions" in text_of(boss, OVERVIEW, website=website.pk)


def test_no_file_holds_a_formula_and_no_page_a_script(boss: Client, send: Send) -> None:
    for title in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", XSS):
        send(title)
    roll_up()
    titles = {row["push message"] for row in rows_of(boss, OVERVIEW, csv="messages")}
    assert {"'=1+1", "'+1", "'-1", "'@SUM(A1)"} <= titles
    assert not any(title.lstrip().startswith(("=", "+", "-", "@")) for title in titles)
    messages = list(PushMessage.objects.all()[:5])
    for path in (
        OVERVIEW,
        report(messages[0]),
        f"{COMPARE}?" + "&".join(f"message={one.pk}" for one in messages),
    ):
        page = boss.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_reports_are_for_who_may_see_messages(send: Send) -> None:
    message = send()
    nobody, marketer = log_in(), Client()
    for path in (OVERVIEW, COMPARE, report(message)):
        assert nobody.get(path).status_code == 403
        assert marketer.get(path).headers["Location"].startswith("/admin/login/")
    assert "Reports" not in nobody.get("/admin/").content.decode()


def test_pages_cost_the_same_however_much_there_is(
    boss: Client, send: Send, django_assert_max_num_queries: Any
) -> None:
    messages = [send(str(number)) for number in range(4)]
    roll_up()
    paths = [
        "/admin/",
        OVERVIEW,
        report(messages[0]),
        f"{COMPARE}?message={messages[0].pk}&message={messages[1].pk}",
    ]

    def queries() -> list[int]:
        found = []
        for path in paths:
            with django_assert_max_num_queries(15, info=path) as counted:
                assert boss.get(path).status_code == 200
            found.append(len(counted))
        return found

    few = queries()
    for number in range(12):
        send(str(number))
    running = list(PushMessage.objects.order_by("-pk").values_list("pk", flat=True)[:5])
    PushMessage.objects.filter(pk__in=running).update(state="sending")
    roll_up()
    assert queries() == few


def test_the_dashboard_tells_of_growth_messages_and_reputation(
    boss: Client, website: Website, send: Send, audience: list[Subscription]
) -> None:
    message = send("Spring sale")
    PushMessage.objects.filter(pk=message.pk).update(state="sending", total=20)
    send("Autumn sale")
    today = timezone.now().date()
    common = {"day": today, "website": website, "value": 0, "count": 1000}
    DailyCount.objects.create(name="accepted", push_service="fcm", **common)
    DailyCount.objects.create(name="accepted", push_service="mozilla", **common)
    DailyCount.objects.create(name="visit", push_service="fcm", **{**common, "count": 40})
    DailyCount.objects.create(name="visit", push_service="mozilla", **{**common, "count": 900})
    for name, count in (("permission_granted", 300), ("permission_denied", 200)):
        DailyCount.objects.create(name=name, push_service="", **{**common, "count": count})
    Tally.objects.create(minute=timezone.now(), website=website, push_service="fcm", throttled=3)
    old = timezone.now() - datetime.timedelta(days=20)
    Tally.objects.create(minute=old, website=website, push_service="fcm", throttled=900)
    roll_up()
    page = boss.get("/admin/").content.decode()
    text = text_of(boss, "/admin/")
    assert 'value="50"' in page
    assert "Autumn sale" in text
    assert "risky 25.25 messages per visit of a subscriber" in text
    assert "watch 3 429 answers of Google" in text
    assert "good 60.0 % “allow” to the browser's question" in text.replace("&#x27;", "'")
    assert "10 active subscriptions" in text


def judged(client: Client) -> list[tuple[str, str]]:
    """The websites in their order, with the word for each."""
    page = client.get("/admin/").content.decode()
    found = re.findall(r"<summary><span class=\"badge [^>]*>([^<]+)</span> ([^<]+)</summary>", page)
    return [(name, word) for word, name in found]


def count_day(website: Website, **counts: int) -> None:
    for name, count in counts.items():
        DailyCount.objects.create(
            day=timezone.now().date(), website=website, push_service="fcm", name=name, count=count, value=0
        )


def test_each_website_is_judged_by_itself_the_worst_first(boss: Client, website: Website) -> None:
    calm, loud, quiet = (make_website(name=name) for name in ("Calm", "Loud", "Quiet"))
    count_day(website, accepted=1000, visit=500, clicked=10)
    count_day(calm, accepted=1000, visit=500, clicked=50)
    count_day(loud, accepted=1000, visit=10, clicked=1, gone=9)
    count_day(quiet, accepted=99, visit=1)
    assert judged(boss) == [
        ("Loud", "risky"), ("Shop", "watch"), ("Calm", "good"), ("Quiet", "too little to say"),
    ]  # fmt: skip
    text = text_of(boss, "/admin/")
    assert "risky 100 messages per visit of a subscriber Send fewer messages" in text
    assert "good 2 messages per visit of a subscriber" in text
    assert "watch 9 subscriptions lost per 1,000 accepted" in text

    limited = log_in("view_pushmessage")
    WebsiteLimit.objects.create(user=User.objects.latest("pk")).websites.set([calm, quiet])
    assert judged(limited) == [("Calm", "good"), ("Quiet", "too little to say")]

    count_day(make_website(name="Loudest"), accepted=1000, visit=10, clicked=1, gone=90)
    for number in range(3):
        make_website(name=f"New {number}")
    assert [name for name, _word in judged(boss)] == ["Loudest", "Loud", "Shop", "Calm", "Quiet"]
    assert "3 more websites are no worse." in text_of(boss, "/admin/")


def test_the_csv_holds_every_message_of_its_time(
    boss: Client, website: Website, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_reports, "MESSAGES_AT_ONCE", 2)
    for number in range(5):
        send(f"Sale {number}")
    (old := make_message(website, day=timezone.now().date() - datetime.timedelta(days=40))).save()
    week, season = (
        [row["number"] for row in rows_of(boss, OVERVIEW, csv="messages", days=days)] for days in (7, 90)
    )
    assert (len(week), len(season)) == (5, 6)
    assert set(season) - set(week) == {str(old.pk)}


def test_hours_are_written_as_the_reader_does_and_pictures_named(boss: Client, send: Send) -> None:
    message = send()
    roll_up()
    page = boss.get(report(message)).content.decode()
    assert re.search(r'<th scope="row">[A-Z][a-z.]+ \d+, (\d+ [ap]\.m\.|noon|midnight)</th>', page)
    assert f'data-file="message-{message.pk}-sent"' in page
    german = boss.get(report(message), headers={"Accept-Language": "de"}).content.decode()
    assert re.search(r'<th scope="row">\d\d\.\d\d\. \d\d:00</th>', german)


def test_the_message_says_unknown_where_no_browser_can_tell(boss: Client, send: Send) -> None:
    message = send()
    page = f"/admin/messaging/pushmessage/{message.pk}/progress/"
    assert "4 shown, where the browser can tell" in text_of(boss, page)
    Delivery.objects.of(message).update(push_service="apple")
    # What took long to count is remembered for a while.
    cache.clear()
    assert "unknown shown, where the browser can tell" in text_of(boss, page)


def test_taking_back_is_live_until_it_is_done(boss: Client, send: Send) -> None:
    message = send()
    page = f"/admin/messaging/pushmessage/{message.pk}/progress/"
    PushMessage.objects.filter(pk=message.pk).update(state="cancelled")
    assert "data-running" not in boss.get(page).content.decode()
    Delivery.objects.of(message).filter(push_service="fcm").update(recall="asked")
    assert 'data-running="1000"' in boss.get(page).content.decode()
