"""The console as people use it: first start, composing, sending once, and what nobody may see or do."""

import io
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from signalize_console.api.authentication import Caller
from signalize_console.api.models import ApiKey, KeyRecord
from signalize_console.audiences.models import Segment
from signalize_console.deliveries import outbox
from signalize_console.messaging.models import MessageTemplate, PushMessage
from signalize_console.messaging.states import MessageState
from signalize_console.recipients import consent
from signalize_console.recipients.models import ConsentKind
from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db
XSS = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def form_for(website: Website, **changed: Any) -> dict[str, Any]:
    text = {
        "language": "en",
        "title": "Sale",
        "message": "Now",
        "link": "https://shop.example/",
        "first_button": "Go",
    }
    return {
        "website": website.pk,
        "ttl": 3600,
        "urgency": "normal",
        "texts-TOTAL_FORMS": 1,
        "texts-INITIAL_FORMS": 0,
        **{f"texts-0-{name}": value for name, value in text.items()},
        **changed,
    }


ADD = "/admin/messaging/pushmessage/add/"


def compose(client: Client, website: Website, **changed: Any) -> PushMessage:
    answer = client.post(ADD, {**form_for(website, **changed), "_review": "1"})
    message = PushMessage.objects.latest("pk")
    assert answer.headers["Location"] == reverse("admin:messaging_pushmessage_review", args=[message.pk])
    return message


def step(client: Client, name: str, message: PushMessage, method: str = "post") -> Any:
    return getattr(client, method)(reverse(f"admin:messaging_pushmessage_{name}", args=[message.pk]))


def reviewed(client: Client, message: PushMessage) -> dict[str, str]:
    """What the button on the review posts."""
    page = step(client, "review", message, "get").content.decode()
    token = re.search(r'name="review" value="([^"]+)"', page)
    assert token
    return {"review": token[1]}


def send_reviewed(client: Client, message: PushMessage) -> Any:
    url = reverse("admin:messaging_pushmessage_send", args=[message.pk])
    return client.post(url, reviewed(client, message), follow=True)


def test_the_first_start_prints_what_one_needs_once() -> None:
    said = io.StringIO()
    call_command("bootstrap", port=8123, stdout=said)

    password = re.search(r"password (\S+)", said.getvalue())
    key = re.search(r"X-API-Key: (\S+)'", said.getvalue())
    assert password
    assert key
    login = Client().post("/admin/login/?next=/admin/", {"username": "admin", "password": password[1]})
    assert login.headers["Location"] == "/admin/"
    assert is_alive(key[1])
    again = io.StringIO()
    call_command("bootstrap", port=9000, stdout=again)
    assert again.getvalue() == ""
    website = Website.objects.get()
    assert {"http://localhost:8123", "http://localhost:9000"} <= set(website.origins)
    assert MessageTemplate.objects.count() == 1


def test_a_marketer_composes_reviews_and_sends(boss: Client, website: Website) -> None:
    make_subscription(website)
    message = compose(boss, website)
    assert (message.state, message.texts.get().standard) == (MessageState.DRAFT, True)
    review = step(boss, "review", message, "get").content.decode()
    assert "<strong>1</strong>" in review

    token = reviewed(boss, message)
    for _click in range(2):
        boss.post(reverse("admin:messaging_pushmessage_send", args=[message.pk]), token)

    message.refresh_from_db()
    assert (message.state, message.audience, message.sent_by) == (MessageState.SCHEDULED, "everyone", "anna")
    assert PushMessage.objects.count() == 1
    page = boss.get(reverse("admin:messaging_pushmessage_change", args=[message.pk])).content.decode()
    assert "scheduled" in page
    assert 'name="texts-0-title"' not in page


def test_a_message_for_later_keeps_its_time(boss: Client, website: Website) -> None:
    message = compose(boss, website, scheduled_at_0="2031-05-01", scheduled_at_1="09:00")
    send_reviewed(boss, message)
    message.refresh_from_db()
    assert message.due_at.isoformat() == "2031-05-01T09:00:00+00:00"
    step(boss, "to_draft", message)
    message.refresh_from_db()
    assert (message.state, message.due_at, message.valid_until) == (MessageState.DRAFT, None, None)
    # Sent again, from a new review, it goes.
    send_reviewed(boss, message)
    message.refresh_from_db()
    assert message.state == MessageState.SCHEDULED


def test_pausing_resuming_cancelling(boss: Client, website: Website) -> None:
    accepted = outbox.send(make_message(website), [make_text()], [make_subscription(website).recipient])
    message = PushMessage.objects.get(pk=accepted.message_id)
    for name, state in (
        ("pause", "paused"),
        ("resume", "sending"),
        ("cancel", "cancelled"),
        ("resume", "cancelled"),
    ):
        step(boss, name, message)
        message.refresh_from_db()
        assert message.state == state


def test_a_copy_is_a_draft(boss: Client, website: Website) -> None:
    message = compose(boss, website)
    send_reviewed(boss, message)
    step(boss, "duplicate", message)
    copy = PushMessage.objects.latest("pk")
    assert copy.pk != message.pk
    assert (copy.state, copy.texts.get().title, copy.due_at) == (MessageState.DRAFT, "Sale", None)


def test_what_was_for_a_few_is_never_copied_for_everyone(boss: Client, website: Website) -> None:
    recipient = make_subscription(website, recipient=make_recipient(website, language="de")).recipient
    german: Any = {"field": "language", "op": "equals", "value": "de"}
    for audience in ({"recipients": [recipient]}, {"segment": german}):
        outbox.send(message := make_message(website, transactional=True), [make_text()], **audience)
        page = boss.get(reverse("admin:messaging_pushmessage_change", args=[message.pk])).content.decode()
        assert "/duplicate/" not in page
        url = reverse("admin:messaging_pushmessage_duplicate", args=[message.pk])
        assert "A copy would be for everyone" in boss.post(url, follow=True).content.decode()
    assert not PushMessage.objects.filter(state=MessageState.DRAFT).exists()

    segment = Segment.objects.create(website=website, name="German", definition=german)
    outbox.send(message := make_message(website, segment=segment, rest_hours=24), [make_text()])
    page = boss.get(reverse("admin:messaging_pushmessage_change", args=[message.pk])).content.decode()
    assert "/duplicate/" in page
    step(boss, "duplicate", message)
    copy = PushMessage.objects.get(state=MessageState.DRAFT)
    assert (copy.segment, copy.rest_hours, copy.texts.get().title) == (segment, 24, "Hello")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"texts-0-title": ""}, "required"),
        ({"texts-0-link": "javascript:alert(1)"}, "isn&#x27;t a link"),
        ({"texts-0-link": "https://shop.example/", "icon": "http://x.example/i.png"}, "isn&#x27;t a link"),
        ({"ttl": 5}, "greater than or equal to 60"),
        ({"topic": "a b"}, "Up to 32"),
    ],
)
def test_a_wrong_field_is_explained_and_nothing_is_sent(
    boss: Client, website: Website, changed: dict[str, Any], said: str
) -> None:
    answer = boss.post(ADD, {**form_for(website, **changed), "_review": "1"})
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not PushMessage.objects.exists()


def test_what_no_push_service_carries_stays_a_draft(boss: Client, website: Website) -> None:
    message = compose(boss, website, **{"texts-0-message": "漢" * 1000})
    answer = send_reviewed(boss, message)
    assert "Shorten" in answer.content.decode()
    message.refresh_from_db()
    assert message.state == MessageState.DRAFT


def test_who_may_only_look_can_not_send(website: Website) -> None:
    viewer = log_in("view_pushmessage")
    draft = make_message(website)
    draft.save()
    text = make_text()
    text.push_message = draft
    text.save()

    for name in ("send", "pause", "resume", "cancel", "to_draft", "duplicate"):
        assert step(viewer, name, draft).status_code == 403
    assert step(viewer, "review", draft, "get").status_code == 403
    assert viewer.post(ADD, form_for(website)).status_code == 403
    draft.refresh_from_db()
    assert draft.state == MessageState.DRAFT


def test_who_may_not_see_messages_sees_none_on_the_dashboard(website: Website) -> None:
    outbox.send(make_message(website), [make_text(title="Secret sale")])
    PushMessage.objects.update(state="finished")

    assert "Secret sale" in log_in("view_pushmessage").get("/admin/").content.decode()
    User.objects.all().delete()
    assert "Secret sale" not in log_in().get("/admin/").content.decode()


def test_a_link_alone_sends_nothing(boss: Client, website: Website) -> None:
    message = compose(boss, website)
    for name in ("send", "pause", "cancel", "duplicate"):
        assert step(boss, name, message, "get").status_code == 403


def is_alive(text: str) -> bool:
    caller = Caller.admit(text)
    return caller is not None and caller.alive


def test_an_api_key_is_shown_once(boss: Client, website: Website) -> None:
    form = {
        "website": website.pk,
        "name": "CRM",
        "scopes": ["messages:read"],
        "requests_per_minute": 60,
        "networks": "",
    }
    answer = boss.post("/admin/api/apikey/add/", form, follow=True)
    shown = re.search(r"sk_[0-9a-f]{8}_[\w-]{43}", answer.content.decode())
    assert shown
    assert is_alive(shown[0])
    assert shown[0] not in boss.get("/admin/api/apikey/").content.decode()
    boss.post("/admin/api/apikey/", {"action": "revoke", "_selected_action": [ApiKey.objects.get().pk]})
    assert not is_alive(shown[0])


def test_an_api_key_is_rotated_and_both_live(boss: Client, website: Website) -> None:
    key, text = ApiKey.issue(website, "CRM", ["messages:read"])
    answer = boss.post(
        "/admin/api/apikey/", {"action": "rotate", "_selected_action": [key.pk]}, follow=True
    ).content.decode()
    shown = re.search(r"sk_[0-9a-f]{8}_[\w-]{43}", answer)
    assert shown
    assert (is_alive(text), is_alive(shown[0])) == (True, True)
    page = boss.get(f"/admin/api/apikey/{key.pk}/change/").content.decode()
    assert "rotated" in page
    assert str(KeyRecord.objects.get(deed="rotated").by) in page


def test_a_list_takes_the_same_queries_for_many_rows(
    boss: Client, website: Website, django_assert_max_num_queries: Any
) -> None:
    recipients = [make_subscription(website).recipient for _ in range(60)]
    outbox.send(make_message(website), [make_text()], recipients)
    for name in (
        "recipients/recipient",
        "recipients/subscription",
        "deliveries/delivery",
        "activity/event",
        "messaging/pushmessage",
    ):
        with django_assert_max_num_queries(15, info=name):
            assert boss.get(f"/admin/{name}/").status_code == 200


def test_the_deliveries_of_one_message_can_be_listed(boss: Client, website: Website) -> None:
    for _message in range(2):
        outbox.send(make_message(website), [make_text()], [make_subscription(website).recipient])
    message = PushMessage.objects.latest("pk")
    text = boss.get(f"/admin/deliveries/delivery/?push_message_id={message.pk}").content.decode()
    assert "1 delivery" in text
    for strange in ("x", "²", "9" * 30, "-1"):
        assert boss.get("/admin/deliveries/delivery/", {"push_message_id": strange}).status_code == 200


def test_a_stranger_is_sent_to_the_login() -> None:
    assert Client().get("/admin/").headers["Location"].startswith("/admin/login/")
    assert "Signalize" in Client().get("/admin/login/").content.decode()


def test_five_wrong_passwords_lock_the_login() -> None:
    User.objects.create_user("anna", password="right", is_staff=True)
    client = Client()
    answers = [client.post("/admin/login/", {"username": "anna", "password": "wrong"}) for _time in range(5)]
    assert answers[-1].status_code == 429
    assert "15 minutes" in answers[-1].content.decode()
    assert client.post("/admin/login/", {"username": "anna", "password": "right"}).status_code == 429


def test_health_is_told() -> None:
    assert Client().get("/health").status_code == 200
    assert Client().get("/").headers["Location"] == "/admin/"


def test_an_identity_secret_is_shown_once_and_ends_the_one_before(boss: Client, website: Website) -> None:
    secrets = []
    for _time in range(2):
        said = {"action": "make_identity_secret", "_selected_action": [website.pk]}
        answer = boss.post(reverse("admin:websites_website_changelist"), said, follow=True)
        secrets += re.findall(r'<code class="copyable">([\w-]{43})</code>', answer.content.decode())

    website.refresh_from_db()
    assert len({*secrets}) == 2
    assert website.identity_secret == secrets[1].encode()
    assert not any(one.encode() in bytes(website.sealed_identity_secret) for one in secrets)
    page = boss.get(reverse("admin:websites_website_change", args=[website.pk])).content.decode()
    assert not any(one in page for one in secrets)


def test_the_consent_log_is_found_by_who_shows_their_id(boss: Client, website: Website) -> None:
    recipient = make_subscription(website).recipient
    consent.log(recipient, ConsentKind.GIVEN, "https://shop.example", "2026-11 en")

    for wanted, there in ((recipient.client_id, True), ("0" * 32, False)):
        page = boss.get(reverse("admin:recipients_consent_changelist"), {"q": wanted}).content.decode()
        assert ("2026-11 en" in page) == there
        assert recipient.client_id not in page or there


def test_the_demo_is_linked_only_where_there_is_one(boss: Client, website: Website, settings: Any) -> None:
    for there in (True, False):
        settings.DEMO = there
        for page in ("/admin/", "/admin/messaging/pushmessage/"):
            assert ("/demo/" in boss.get(page).content.decode()) is there, page


def test_a_newcomer_is_told_what_comes_next(boss: Client, settings: Any) -> None:
    settings.DEMO = False
    for steps, there in ((4, True), (3, False)):
        card = boss.get("/admin/").content.decode().split('id="welcome"')[1].split("</ol>")[0]
        assert card.count("<li>") == steps
        assert ("/admin/websites/website/add/" in card) is there
        make_website()


def test_only_who_may_write_is_asked_to(website: Website) -> None:
    for permissions in (["view_pushmessage"], ["view_pushmessage", "add_pushmessage"]):
        page = log_in(*permissions).get("/admin/").content.decode()
        assert page.count("Write a message") == 2 * (len(permissions) - 1)
