"""Sending as marketers do it: reviewed, confirmed, approved by a second person, undone, followed."""

import datetime
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from signalize_console.audiences.models import Segment
from signalize_console.console import pace
from signalize_console.deliveries import outbox, progress
from signalize_console.deliveries.models import Delivery, Tally
from signalize_console.messaging.models import Canary, PushMessage
from signalize_console.messaging.states import MessageState
from signalize_console.messaging.timing import Repeat
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.console.test_console import ADD, compose, form_for, step
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

# On real time: within one transaction the database's clock would stand still.
pytestmark = pytest.mark.django_db(transaction=True)
MARKETER = (
    *("view_pushmessage", "add_pushmessage", "change_pushmessage", "send_pushmessage"),
    *("view_pushmessagetext", "add_pushmessagetext", "change_pushmessagetext"),
)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def website() -> Website:
    return make_website(confirm_above=5)


def log_in(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def anna() -> Client:
    return log_in("anna", *MARKETER)


@pytest.fixture
def ben() -> Client:
    return log_in("ben", "view_pushmessage", "approve_pushmessage")


def review(client: Client, message: PushMessage) -> tuple[str, str]:
    """The page, and the token in its form."""
    page = step(client, "review", message, "get").content.decode()
    token = re.search(r'name="review" value="([^"]+)"', page)
    assert token
    return page, token[1]


def send(client: Client, message: PushMessage, token: str = "", count: str = "") -> str:
    url = reverse("admin:messaging_pushmessage_send", args=[message.pk])
    page = client.post(url, {"review": token, "count": count}, follow=True).content.decode()
    message.refresh_from_db()
    return page


def submitted(client: Client, website: Website, **changed: Any) -> PushMessage:
    """A message that waits for a second person."""
    message = compose(client, website, **changed)
    send(client, message, review(client, message)[1])
    assert message.state == MessageState.AWAITING_APPROVAL
    return message


def approve(client: Client, message: PushMessage, count: str = "", page: str = "") -> str:
    """What the approver's page, as it is or was, leads to."""
    token = re.search(r'name="review" value="([^"]+)"', page or page_of(client, message))
    url = reverse("admin:messaging_pushmessage_approve", args=[message.pk])
    said = client.post(url, {"review": token[1] if token else "", "count": count}, follow=True)
    message.refresh_from_db()
    return said.content.decode()


def page_of(client: Client, message: PushMessage) -> str:
    return client.get(reverse("admin:messaging_pushmessage_change", args=[message.pk])).content.decode()


def speaking(language: str) -> dict[str, str]:
    return {"field": "language", "op": "equals", "value": language}


def subscribe(website: Website, count: int, **fields: Any) -> None:
    for _ in range(count):
        make_subscription(website, recipient=make_recipient(website, **fields))


# Composing: when, how often, how fast.


def test_the_time_zone_stands_beside_the_time(anna: Client) -> None:
    with timezone.override("Europe/Berlin"):
        assert "Time zone: Europe/Berlin." in anna.get(ADD).content.decode()


def test_all_that_may_be_said_about_time_is_kept(anna: Client, website: Website) -> None:
    message = compose(
        anna, website, scheduled_at_0="2031-05-01", scheduled_at_1="09:00", repeat="week", per_minute="120",
        canary="on",
    )  # fmt: skip
    assert (message.repeat, message.per_minute, message.canary) == (Repeat.WEEK, 120, True)
    assert message.time_zone == "UTC"
    local = compose(anna, website, scheduled_at_0="2031-05-01", scheduled_at_1="09:00", in_local_time="on")
    assert local.is_local


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"in_local_time": "on"}, "clocks show"),
        ({"repeat": "day"}, "first one"),
        ({"repeat": "hour"}, "valid choice"),
        ({"per_minute": "0"}, "greater than or equal to 1"),
        (
            {
                "in_local_time": "on",
                "scheduled_at_0": "2031-05-01",
                "scheduled_at_1": "09:00",
                "per_minute": "9",
            },
            "Not together",
        ),
        (
            {
                "in_local_time": "on",
                "scheduled_at_0": "2031-05-01",
                "scheduled_at_1": "09:00",
                "canary": "on",
            },
            "Not together",
        ),
    ],
)
def test_what_does_not_fit_is_explained(
    anna: Client, website: Website, changed: dict[str, str], said: str
) -> None:
    answer = anna.post(ADD, {**form_for(website, **changed), "_review": "1"})
    assert said in answer.content.decode()
    assert not PushMessage.objects.exists()


# Review.


def test_the_review_shows_three_real_recipients(anna: Client, website: Website) -> None:
    subscribe(website, 1, language="de", attributes={"name": "Old"})
    for name in ("Ada", "Bea", "Cleo"):
        subscribe(website, 1, language="en", attributes={"name": name})
    message = compose(anna, website, **{"texts-0-title": "Hello {{ name }}"})
    page, _token = review(anna, message)
    for name in ("Ada", "Bea", "Cleo"):
        assert f"Hello {name}" in page
    assert "Hello Old" not in page


def test_the_review_warns_of_recipients_without_a_value(anna: Client, website: Website) -> None:
    subscribe(website, 1)
    message = compose(anna, website, **{"texts-0-title": "Hello {{ name }}"})
    assert "This recipient has no “name” and would get nothing." in review(anna, message)[0]


def test_the_review_asks_those_who_would_get_it(anna: Client, website: Website) -> None:
    """Not the newest of the website, who may lack what these have, or have what these lack."""
    subscribe(website, 2, language="de", attributes={"name": "Ada"})
    subscribe(website, 2, language="de")
    subscribe(website, 10, language="en", attributes={"name": "Bob", "size": "M"})
    german = Segment.objects.create(website=website, name="German", definition=speaking("de"))
    written = {"texts-0-title": "{{ name }}, {{ size }}"}
    page, _token = review(anna, compose(anna, website, segment=german.pk, **written))
    assert "2 of the 4 newest recipients have no value for name" in page
    assert "4 of the 4 newest recipients have no value for size" in page
    english = Segment.objects.create(website=website, name="English", definition=speaking("en"))
    page, _token = review(anna, compose(anna, website, segment=english.pk, **written))
    assert "have no value for" not in page


def test_the_review_says_how_long_it_takes(anna: Client, website: Website) -> None:
    subscribe(website, 3)
    assert "It takes about" not in review(anna, compose(anna, website))[0]
    minute = timezone.now().replace(second=0, microsecond=0) - datetime.timedelta(minutes=5)
    Tally.objects.create(minute=minute, website=website, push_service="fcm", accepted=900, gone=300)
    cache.clear()
    assert "It takes about 1 second." in review(anna, compose(anna, website))[0]
    assert "It takes about 3 minutes." in review(anna, compose(anna, website, per_minute="1"))[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scheduled_at_0": "2031-05-01", "scheduled_at_1": "03:00"}, "at night, at 03:00"),
        ({"scheduled_at_0": "2021-05-01", "scheduled_at_1": "12:00"}, "This time has passed"),
        ({"canary": "on"}, "too few to learn much"),
        (
            {
                "scheduled_at_0": "2031-05-01",
                "scheduled_at_1": "12:00",
                "in_local_time": "on",
                "valid_until_0": "2031-05-01",
                "valid_until_1": "13:00",
            },
            "who is later gets nothing",
        ),
    ],
)
def test_the_review_warns(anna: Client, website: Website, changed: dict[str, str], said: str) -> None:
    subscribe(website, 1)
    assert said in review(anna, compose(anna, website, **changed))[0]


def test_an_appointment_that_has_passed_is_said_first_and_by_the_button(
    anna: Client, website: Website
) -> None:
    subscribe(website, 1)
    for year, button in (("2021", "Send now"), ("2031", "Schedule")):
        page = review(anna, compose(anna, website, scheduled_at_0=f"{year}-05-01", scheduled_at_1="03:00"))[0]
        assert re.search(r'<button class="button default" type="submit">([^<]+)', page)[1] == button  # type: ignore[index]
        first = re.search(r'<p class="warning">([^<]+)', page)[1]  # type: ignore[index]
        assert ("This time has passed" in first) == (year == "2021")


def test_a_small_audience_needs_no_typing(anna: Client, website: Website) -> None:
    subscribe(website, 5)
    message = compose(anna, website)
    page, token = review(anna, message)
    assert 'name="count"' not in page
    send(anna, message, token)
    assert message.state == MessageState.SCHEDULED


def test_the_number_of_a_large_audience_is_typed(anna: Client, website: Website) -> None:
    subscribe(website, 6)
    message = compose(anna, website)
    page, token = review(anna, message)
    assert 'name="count"' in page
    for typed in ("", "5", "66", "yes"):
        assert "Type the number 6" in send(anna, message, token, typed)
        assert message.state == MessageState.DRAFT
    send(anna, message, token, " 6 ")
    assert (message.state, message.expected) == (MessageState.SCHEDULED, 6)


def test_nobody_confirms_what_they_have_not_reviewed(anna: Client, website: Website) -> None:
    subscribe(website, 6)
    message, other = compose(anna, website), compose(anna, website)
    for token in ("", "made:up", review(anna, other)[1]):
        assert "Look at the review" in send(anna, message, token, "6")
        assert message.state == MessageState.DRAFT


def test_an_audience_that_has_grown_is_reviewed_once_more(anna: Client, website: Website) -> None:
    subscribe(website, 6)
    message = compose(anna, website)
    _page, token = review(anna, message)
    subscribe(website, 4)
    assert "It reaches 10 subscriptions now" in send(anna, message, token, "6")
    assert message.state == MessageState.DRAFT


# A second person.


def test_a_second_person_approves(anna: Client, ben: Client, website: Website) -> None:
    Website.objects.update(approve_above=2)
    subscribe(website, 3)
    message = compose(anna, website)
    page, token = review(anna, message)
    assert "Ask for approval" in page
    send(anna, message, token)
    assert (message.state, message.sent_by) == (MessageState.AWAITING_APPROVAL, "anna")
    progress.advance(False)
    assert not Delivery.objects.exists()
    assert "waits for a second person" in ben.get("/admin/").content.decode()

    page = page_of(ben, message)
    assert "Approve and send" in page
    assert "anna asks for approval, for 3 subscriptions." in page
    approve(ben, message)

    message.refresh_from_db()
    assert (message.state, message.approved_by, message.sent_by) == (MessageState.SCHEDULED, "ben", "anna")
    assert "ben" in page_of(anna, message)


def test_who_asked_for_approval_can_not_give_it(website: Website) -> None:
    Website.objects.update(approve_above=0)
    subscribe(website, 1)
    boss = log_in("boss", *MARKETER, "approve_pushmessage")
    User.objects.update(is_superuser=True)
    message = compose(boss, website)
    send(boss, message, review(boss, message)[1])
    assert message.state == MessageState.AWAITING_APPROVAL
    assert "Approve and send" not in page_of(boss, message)
    assert step(boss, "approve", message).status_code == 403
    message.refresh_from_db()
    assert message.state == MessageState.AWAITING_APPROVAL


def test_who_may_only_send_can_not_approve(anna: Client, ben: Client, website: Website) -> None:
    Website.objects.update(approve_above=0)
    subscribe(website, 1)
    message = compose(anna, website)
    send(anna, message, review(anna, message)[1])
    carl = log_in("carl", *MARKETER)
    assert step(carl, "approve", message).status_code == 403
    assert step(ben, "send", message).status_code == 403
    assert step(ben, "approve", message, "get").status_code == 403
    message.refresh_from_db()
    assert message.state == MessageState.AWAITING_APPROVAL


def test_it_goes_back_to_its_author(anna: Client, ben: Client, website: Website) -> None:
    Website.objects.update(approve_above=0)
    subscribe(website, 1)
    message = compose(anna, website)
    send(anna, message, review(anna, message)[1])
    step(ben, "disapprove", message)
    message.refresh_from_db()
    assert (message.state, message.submitted_by, message.expected) == (MessageState.DRAFT, None, None)
    # What was a draft already stays one, and what nobody asked for isn't approved.
    step(ben, "approve", message)
    message.refresh_from_db()
    assert message.state == MessageState.DRAFT


def test_a_second_click_approves_nothing_twice(anna: Client, ben: Client, website: Website) -> None:
    Website.objects.update(approve_above=0)
    subscribe(website, 1)
    message = compose(anna, website)
    send(anna, message, review(anna, message)[1])
    page = page_of(ben, message)
    for _click in range(2):
        approve(ben, message, page=page)
        assert message.state == MessageState.SCHEDULED
    assert PushMessage.objects.count() == 1


def test_what_was_changed_after_the_review_is_reviewed_anew(anna: Client, website: Website) -> None:
    subscribe(website, 1, language="de")
    segment = Segment.objects.create(website=website, name="German", definition=speaking("de"))
    message = compose(anna, website, segment=segment.pk)
    token = review(anna, message)[1]
    message.texts.update(title="Unread")
    assert "was changed since you looked at it" in send(anna, message, token)
    assert message.state == MessageState.DRAFT
    page, token = review(anna, message)
    assert "Unread" in page
    Segment.objects.update(definition={"not": speaking("fr")})
    assert "was changed since you looked at it" in send(anna, message, token)
    assert message.state == MessageState.DRAFT
    send(anna, message, review(anna, message)[1])
    assert message.state == MessageState.SCHEDULED


def test_whoever_approves_sees_what_the_author_saw_and_how_many_get_it_now(
    anna: Client, ben: Client, website: Website
) -> None:
    Website.objects.update(approve_above=2)
    subscribe(website, 3)
    message = submitted(anna, website, **{"texts-0-title": "Hello {{ name }}"})
    page = page_of(ben, message)
    assert "This recipient has no “name” and would get nothing." in page
    assert 'name="count"' not in page
    assert "It has grown since" not in page

    subscribe(website, 4)
    assert "It reaches 7 subscriptions now" in approve(ben, message, page=page)
    assert message.state == MessageState.AWAITING_APPROVAL
    page = page_of(ben, message)
    assert "It has grown since: 7 subscriptions get it now, not 3." in page
    assert "Type the number 7" in approve(ben, message)
    assert message.state == MessageState.AWAITING_APPROVAL
    approve(ben, message, "7")
    assert (message.state, message.expected) == (MessageState.SCHEDULED, 7)


def test_nobody_approves_what_was_rewritten_behind_their_back(
    anna: Client, ben: Client, website: Website
) -> None:
    Website.objects.update(approve_above=0)
    subscribe(website, 1)
    message = submitted(anna, website)
    page = page_of(ben, message)
    step(anna, "to_draft", message)
    message.texts.update(title="Unread")
    send(anna, message, review(anna, message)[1])
    assert "was changed since you looked at it" in approve(ben, message, page=page)
    assert message.state == MessageState.AWAITING_APPROVAL
    assert "Unread" in page_of(ben, message)
    approve(ben, message)
    assert message.state == MessageState.SCHEDULED


def test_an_appointment_that_passed_before_the_approval_needs_a_new_one(
    anna: Client, ben: Client, website: Website
) -> None:
    Website.objects.update(approve_above=0)
    subscribe(website, 1)
    message = submitted(anna, website, scheduled_at_0="2031-05-01", scheduled_at_1="09:00")
    page = page_of(ben, message)
    passed = timezone.now() - datetime.timedelta(minutes=1)
    PushMessage.objects.update(scheduled_at=passed)
    assert "Its time has passed" in approve(ben, message, page=page)
    assert message.state == MessageState.AWAITING_APPROVAL
    assert "Approve and send" not in page_of(ben, message)
    assert "give a new time" in page_of(anna, message)

    step(ben, "disapprove", message)
    assert "Give a later time, or none" in send(anna, message, review(anna, message)[1])
    assert message.state == MessageState.DRAFT
    # Where nobody else is to be asked, the review says that it goes out at once, and so does the answer.
    Website.objects.update(approve_above=None)
    page, token = review(anna, message)
    assert "it goes out as soon as you send it" in page
    assert "It is on its way." in send(anna, message, token)
    assert message.state == MessageState.SCHEDULED


# Undo, repeat, follow.


def test_for_ten_seconds_it_can_be_undone(anna: Client, website: Website) -> None:
    subscribe(website, 1)
    message = compose(anna, website)
    _page, token = review(anna, message)
    page = send(anna, message, token)
    assert "Undo" in page
    assert re.search(r"It goes out in (9|10) seconds", page)
    progress.advance(False)
    assert not Delivery.objects.exists()

    step(anna, "to_draft", message)

    message.refresh_from_db()
    assert message.state == MessageState.DRAFT
    assert "sent and undone" in send(anna, message, token)
    assert message.state == MessageState.DRAFT
    send(anna, message, review(anna, message)[1])
    assert message.state == MessageState.SCHEDULED
    PushMessage.objects.update(due_at=timezone.now())
    progress.advance(False)
    assert Delivery.objects.count() == 1
    step(anna, "to_draft", message)
    message.refresh_from_db()
    assert message.state == MessageState.SENDING


def test_the_website_says_how_long_it_can_be_undone(anna: Client, website: Website) -> None:
    Website.objects.update(undo_seconds=0)
    subscribe(website, 1)
    message = compose(anna, website)
    send(anna, message, review(anna, message)[1])
    progress.advance(False)
    assert Delivery.objects.count() == 1


def test_a_repeating_one_shows_its_runs(anna: Client, website: Website) -> None:
    subscribe(website, 1)
    message = compose(anna, website, scheduled_at_0="2031-05-01", scheduled_at_1="09:00", repeat="day")
    page, token = review(anna, message)
    assert "Start repeating" in page
    send(anna, message, token)
    assert message.state == MessageState.REPEATING
    at = timezone.now().replace(second=0, microsecond=0)
    PushMessage.objects.update(scheduled_at=at, due_at=at)
    progress.advance(False)
    run = message.runs.get()
    assert f"/pushmessage/{run.pk}/" in page_of(anna, message)
    assert f"/pushmessage/{message.pk}/" in page_of(anna, run)


def test_a_repeating_one_that_has_outgrown_its_review_says_so(anna: Client, website: Website) -> None:
    subscribe(website, 2)
    message = compose(anna, website, scheduled_at_0="2031-05-01", scheduled_at_1="09:00", repeat="day")
    send(anna, message, review(anna, message)[1])
    assert (message.state, message.expected) == (MessageState.REPEATING, 2)
    subscribe(website, 4)
    at = timezone.now().replace(second=0, microsecond=0)
    PushMessage.objects.update(scheduled_at=at, due_at=at)
    progress.advance(False)
    assert not message.runs.exists()
    assert "review it anew" in page_of(anna, message)
    assert "1 repeated push message was not sent" in anna.get("/admin/").content.decode()


def test_a_test_is_explained_while_it_runs_and_when_it_stops(anna: Client, website: Website) -> None:
    outbox.send(message := make_message(website, canary=True), [make_text()])
    later = timezone.now() + datetime.timedelta(minutes=9, seconds=50)
    fields = {"state": "sending", "canary_phase": Canary.WATCH, "expand_at": later}
    PushMessage.objects.update(**fields)
    assert "The rest follows in 10 minutes" in page_of(anna, message)
    PushMessage.objects.update(state="paused", canary_phase=Canary.STOPPED, paused_because="canary_gone")
    page = page_of(anna, message)
    assert "too many of its subscriptions are gone" in page
    assert "Resume" in page


def test_progress_shows_rate_and_time_left(
    anna: Client, website: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(website, 30)
    outbox.send(message := make_message(website), [make_text()])
    progress.advance(False)
    url = reverse("admin:messaging_pushmessage_progress", args=[message.pk])
    clock = 1_000_000.0
    monkeypatch.setattr(pace.time, "time", lambda: clock)
    assert "a minute" not in anna.get(url).content.decode()
    ids = Delivery.objects.order_by("pk").values_list("pk", flat=True)[:10]
    Delivery.objects.filter(pk__in=list(ids)).update(state="accepted")
    clock += 10
    page = anna.get(url).content.decode()
    assert "60 a minute" in page
    assert "About 20 seconds left" in page
    assert 'data-running="1000"' in page


def test_one_that_is_paced_is_measured_by_all_it_will_reach(anna: Client, website: Website) -> None:
    subscribe(website, 4)
    message = compose(anna, website, per_minute="60")
    send(anna, message, review(anna, message)[1])
    assert "0 of 4 deliveries are done" in page_of(anna, message)
    PushMessage.objects.update(due_at=timezone.now())
    progress.advance(False)
    assert Delivery.objects.count() < 4
    assert "0 of 4 deliveries are done" in page_of(anna, message)


def test_a_look_takes_few_queries(anna: Client, website: Website, django_assert_max_num_queries: Any) -> None:
    subscribe(website, 2)
    outbox.send(message := make_message(website), [make_text()])
    progress.advance(False)
    url = reverse("admin:messaging_pushmessage_progress", args=[message.pk])
    with django_assert_max_num_queries(15):
        anna.get(url)


def test_the_page_of_a_message_in_local_time_says_so(anna: Client, website: Website) -> None:
    subscribe(website, 1)
    message = compose(anna, website, scheduled_at_0="2031-05-01", scheduled_at_1="09:00", in_local_time="on")
    page, token = review(anna, message)
    assert "own clock shows May 1, 2031, 9 a.m." in page
    send(anna, message, token)
    assert "when their own clock shows 09:00" in page_of(anna, message)


def test_what_comes_next_in_local_time_says_when_it_reaches_people(
    anna: Client, website: Website, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    subscribe(website, 1)
    fields = {"in_local_time": True, "time_zone": "Europe/Berlin"}
    eight = datetime.datetime(2031, 5, 1, 6, tzinfo=datetime.UTC)
    once = make_message(website, scheduled_at=eight, **fields)
    outbox.send(once, [make_text(title="Once")])
    weekly = make_message(website, scheduled_at=eight, repeat=Repeat.WEEK, **fields)
    weekly.state, weekly.due_at = MessageState.REPEATING, weekly.next_run(eight)[1]
    weekly.save()
    page = anna.get("/admin/").content.decode().replace("&#x27;", "'")
    at_eight = (
        "%s, 2031, 8 a.m. on each recipient's own clock, the first ones from %s, 2031, 8 p.m. (Europe/Berlin)"
    )
    for days in (("May 1", "April 30"), ("May 8", "May 7")):
        assert at_eight % days in page


def test_the_safeguards_stand_on_the_website(website: Website) -> None:
    boss = log_in("boss")
    User.objects.update(is_superuser=True)
    page = boss.get(reverse("admin:websites_website_change", args=[website.pk])).content.decode()
    for name in (
        "undo_seconds",
        "confirm_above",
        "approve_above",
        "canary_percent",
        "canary_limit",
        "canary_unsubscribed_limit",
    ):
        assert f'name="{name}"' in page


def test_a_review_takes_few_queries_whatever_the_message_has(anna: Client, website: Website) -> None:
    subscribe(website, 5)
    Recipient.objects.update(language="de", attributes={"name": "Ada"})
    segment = Segment.objects.create(website=website, name="Ada's", definition=speaking("de"))
    left_out = [
        Segment.objects.create(website=website, name=str(number), definition=speaking("fr"))
        for number in (1, 2, 3)
    ]
    message = make_message(website, segment=segment, rest_hours=3, icon="https://shop.example/icon.png")
    message.save()
    message.excluded_segments.set(left_out)
    for language in ("en", "de", "fr"):
        text = make_text(language=language, standard=language == "en", title='Hello {{ name | "you" }}')
        text.push_message = message
        text.save()
    url = reverse("admin:messaging_pushmessage_review", args=[message.pk])
    anna.get(url)
    asked: list[str] = []

    def note(execute: Any, sql: str, *more: Any) -> Any:
        asked.append(sql)
        return execute(sql, *more)

    with connection.execute_wrapper(note):
        page = anna.get(url).content.decode()
    assert len(asked) <= 15, "\n".join(asked)
    assert "Hello Ada" in page
