"""Segments in the console: made with a checked definition, counted, shown, and sent to."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from signalize_console.audiences import counting
from signalize_console.audiences.fields import FIELDS
from signalize_console.audiences.models import RecipientList, Segment
from signalize_console.console import audience
from signalize_console.console.roles import Role
from signalize_console.deliveries import outbox
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import PushMessage
from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.console.test_console import ADD, XSS, compose, form_for, send_reviewed, step
from tests.console.test_roles import NEAR_VISITORS, client_of, member
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db
SEGMENTS = "/admin/audiences/segment/"
GERMAN = '{"field": "language", "op": "equals", "value": "de"}'


@pytest.fixture
def website() -> Website:
    website = make_website()
    for language in ("de", "de", "en"):
        make_subscription(website, recipient=make_recipient(website, language=language))
    return website


def make_segment(client: Client, website: Website, definition: str = GERMAN) -> Any:
    values = {"website": website.pk, "name": "Germans", "definition": definition}
    return client.post(f"{SEGMENTS}add/", values, follow=True)


def test_a_segment_is_counted_when_it_is_saved_and_read_as_a_sentence(boss: Client, website: Website) -> None:
    assert "Germans reaches 2 subscriptions." in make_segment(boss, website).content.decode()
    segment = Segment.objects.get()
    assert segment.count == 2
    assert "2 subscriptions at " in boss.get(f"{SEGMENTS}{segment.pk}/change/").content.decode()
    assert "Language is “de”" in boss.get(SEGMENTS).content.decode()


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ('{"all": [{"field": "language", "op": "like", "value": "de"}]}', "$.all[0].op: "),
        ("{", "valid JSON"),
        ("null", "required"),
    ],
)
def test_a_wrong_definition_is_explained(boss: Client, website: Website, definition: str, said: str) -> None:
    assert said in make_segment(boss, website, definition).content.decode()
    assert not Segment.objects.exists()


def test_a_message_is_composed_for_a_segment_and_reviewed_with_its_count(
    boss: Client, website: Website
) -> None:
    make_segment(boss, website)
    segment = Segment.objects.get()
    message = compose(boss, website, segment=segment.pk)
    review = step(boss, "review", message, "get").content.decode()
    assert "<strong>2</strong>" in review
    assert "Germans" in review
    send_reviewed(boss, message)
    message.refresh_from_db()
    assert (message.audience, message.segment) == ("segment", segment)
    page = boss.get(reverse("admin:messaging_pushmessage_change", args=[message.pk])).content.decode()
    assert "<dd>Germans</dd>" in page


@pytest.mark.parametrize("is_left_out", [False, True])
def test_what_stands_in_the_way_of_deleting_a_segment_is_said(
    boss: Client, website: Website, django_assert_max_num_queries: Any, is_left_out: bool
) -> None:
    segment = Segment.objects.create(website=website, name="Used", definition=json.loads(GERMAN))
    path = reverse("admin:audiences_segment_delete", args=[segment.pk])
    assert "Are you sure" in boss.get(path).content.decode()
    chosen: Any = {"excluded": [segment]} if is_left_out else {"segment": segment}
    for _message in range(22):
        last = outbox.send(make_message(website), [make_text(title="Sale")], **chosen).message_id
    with django_assert_max_num_queries(10):
        page = boss.get(path).content.decode()
    assert f"/admin/messaging/pushmessage/{last}/change/" in page
    assert page.count("/admin/messaging/pushmessage/") < 25
    assert "permission" not in page
    boss.post(path, {"post": "yes"})
    assert Segment.objects.filter(pk=segment.pk).exists()
    PushMessage.objects.all().delete()
    boss.post(path, {"post": "yes"})
    assert not Segment.objects.filter(pk=segment.pk).exists()


def test_a_segment_of_another_website_is_refused(boss: Client, website: Website) -> None:
    make_segment(boss, website)
    other = make_website(name="Other")
    answer = boss.post(ADD, {**form_for(other, segment=Segment.objects.get().pk), "_review": "1"})
    assert "another website" in answer.content.decode()
    assert not PushMessage.objects.exists()


def test_who_may_only_look_changes_no_segment(website: Website) -> None:
    assert make_segment(log_in("view_segment"), website).status_code == 403
    assert not Segment.objects.exists()


def preview(client: Client, website: Website, definition: Any) -> Any:
    said = definition if isinstance(definition, str) else json.dumps(definition)
    return client.post(f"{SEGMENTS}preview/", {"website": website.pk, "definition": said})


def words_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html))


def test_a_preview_tells_whom_it_reaches(boss: Client, website: Website) -> None:
    make_subscription(website, recipient=make_recipient(website, language="de"), state="expired")
    german = make_recipient(website, language="de", customer_id=XSS)
    accepted = outbox.send(
        make_message(website),
        [make_text()],
        [make_subscription(website, recipient=german).recipient],
    )
    Delivery.objects.filter(push_message_id=accepted.message_id).update(
        state="accepted", answered_at=timezone.now()
    )
    said = preview(boss, website, GERMAN).json()
    assert (said["problems"], said["sentence"]) == ([], "Language is “de”")
    text = words_of(said["html"])
    assert "3 subscriptions" in text
    assert "of 4 that are active" in text
    assert "33 % of these got a message in the last 24 hours" in text
    assert "subscription expired 1" in text
    assert said["html"].count("<code>") == 3
    assert "<script>" not in said["html"]


def test_a_preview_tells_each_mistake_at_its_place(boss: Client, website: Website) -> None:
    tree = {"all": [json.loads(GERMAN), {"not": {"field": "list", "op": "equals"}}]}
    (problem,) = preview(boss, website, tree).json()["problems"]
    assert (problem["path"], problem["message"]) == ("$.all[1].not.value", "This is missing.")
    for broken in ("{", "[" * 100_000, "NaN" * 2):
        assert preview(boss, website, broken).json()["problems"][0]["path"] == "$"


def test_a_preview_that_takes_too_long_says_so(
    boss: Client, website: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_args: Any, **_options: Any) -> None:
        with counting.limited(0.05) as cursor:
            cursor.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr(audience.reach, "reach", slow)
    assert "Use fewer or narrower conditions" in preview(boss, website, GERMAN).json()["html"]


def test_a_preview_takes_the_same_queries_whatever_there_is(
    boss: Client, website: Website, django_assert_max_num_queries: Any
) -> None:
    for _one in range(20):
        make_subscription(website, recipient=make_recipient(website, language="de"))
    on = RecipientList.objects.create(website=website, name="L")
    tree = {"any": [json.loads(GERMAN), *[{"field": "list", "op": "equals", "value": on.pk}] * 20]}
    with django_assert_max_num_queries(25):
        assert preview(boss, website, tree).json()["problems"] == []


def test_the_builder_knows_every_field(boss: Client, website: Website) -> None:
    page = boss.get(f"{SEGMENTS}add/").content.decode()
    found = re.search(r'<script id="segment-catalogue" type="application/json">(.*?)</script>', page, re.S)
    assert found
    catalogue = json.loads(found[1])
    fields = [field["value"] for group in catalogue["groups"] for field in group["fields"]]
    assert sorted(fields) == sorted(FIELDS)


def test_it_offers_what_really_occurs(boss: Client, website: Website) -> None:
    other = make_website(name="Other")
    RecipientList.objects.create(website=other, name="Theirs")
    fair = RecipientList.objects.create(website=website, name="Fair")
    sent = outbox.send(make_message(website), [make_text()])

    def offered(of: str, **more: Any) -> Any:
        answer = boss.get(f"{SEGMENTS}offered/", {"website": website.pk, "of": of, **more})
        return answer.json()["offered"]

    assert offered("lists") == [{"value": fair.pk, "label": "Fair"}]
    assert offered("messages") == [{"value": sent.message_id, "label": f"#{sent.message_id} Hello"}]
    assert [one["value"] for one in offered("languages")] == ["de", "en"]
    assert offered("attribute", name="no\0ne") == offered("secrets") == []


def test_only_who_may_look_at_segments_is_told(website: Website) -> None:
    client = log_in("change_pushmessage", "view_pushmessage")
    assert preview(client, website, GERMAN).status_code == 403
    assert client.get(f"{SEGMENTS}offered/", {"website": website.pk, "of": "languages"}).status_code == 403
    assert Client().post(f"{SEGMENTS}preview/").status_code == 302
    assert log_in_as_viewer(client, website).status_code == 200


def log_in_as_viewer(client: Client, website: Website) -> Any:
    from django.contrib.auth.models import Permission, User

    User.objects.get().user_permissions.add(Permission.objects.get(codename="view_segment"))
    assert client.get(f"{SEGMENTS}preview/").status_code == 405
    assert client.post(f"{SEGMENTS}preview/", {"website": "²", "definition": GERMAN}).status_code == 404
    assert client.post(f"{SEGMENTS}preview/", {"website": "9" * 40}).status_code == 404
    return preview(client, website, GERMAN)


def reaches(client: Client, website: Website, **fields: Any) -> str:
    answer = client.post("/admin/messaging/pushmessage/audience/", {"website": website.pk, **fields})
    assert answer.status_code == 200
    return words_of(answer.content.decode())


def test_the_composer_shows_whom_the_audience_reaches(boss: Client, website: Website) -> None:
    make_segment(boss, website)
    german = Segment.objects.get()
    assert "3 subscriptions of 3" in reaches(boss, website)
    assert "2 subscriptions of 3" in reaches(boss, website, segment=german.pk)
    assert "1 subscription of 3" in reaches(boss, website, leave_out=[german.pk])
    assert "3 subscriptions of 3" in reaches(boss, website, rest_hours=24)
    assert "another website" in reaches(boss, make_website(name="Other"), segment=german.pk)
    assert "another website" in reaches(boss, make_website(name="Third"), leave_out=[german.pk])
    for_nobody = log_in_another("view_pushmessage").post("/admin/messaging/pushmessage/audience/")
    assert for_nobody.status_code == 403


def log_in_another(permission: str) -> Client:
    from django.contrib.auth.models import User

    User.objects.filter(username="anna").update(username="berta")
    return log_in(permission)


def test_a_message_leaves_out_segments_as_it_was_composed(boss: Client, website: Website) -> None:
    make_segment(boss, website)
    german = Segment.objects.get()
    message = compose(boss, website, leave_out=[german.pk], rest_hours=72)
    assert (list(message.excluded_segments.all()), message.rest_hours) == ([german], 72)
    page = boss.get(reverse("admin:messaging_pushmessage_change", args=[message.pk])).content.decode()
    assert re.search(rf'name="leave_out" value="{german.pk}"[^>]*checked', page)
    assert re.search(r'<option value="72" selected', page)
    review = step(boss, "review", message, "get").content.decode()
    assert "<strong>1</strong>" in review
    assert "Left out: Germans, who got a message in the last 72 hours" in words_of(review)
    PushMessage.objects.update(rest_hours=5)
    page = boss.get(reverse("admin:messaging_pushmessage_change", args=[message.pk])).content.decode()
    assert re.search(r'<option value="5" selected', page)


def test_a_segment_can_be_made_of_a_list(boss: Client, website: Website) -> None:
    on = RecipientList.objects.create(website=website, name="Fair")
    page = boss.get(f"{SEGMENTS}add/?list={on.pk}").content.decode()
    assert (
        f"&quot;field&quot;: &quot;list&quot;, &quot;op&quot;: &quot;equals&quot;, &quot;value&quot;: {on.pk}"
        in page
    )
    for strange in ("x", "²", "9" * 40):
        assert boss.get(f"{SEGMENTS}add/?list={strange}").status_code == 200


def test_no_visitor_is_shown_to_who_may_see_none(website: Website) -> None:
    known = make_recipient(
        website, language="de", customer_id="K-4711", attributes={"email": "ada@example.com"}
    )
    make_subscription(website, recipient=known)
    fair = RecipientList.objects.create(website=website, name="Fair")
    asked = {"website": website.pk, "of": "attribute", "name": "email"}
    for role in Role:
        client = client_of(member(role.value))
        said, offered = (
            preview(client, website, GERMAN).json()["html"],
            client.get(f"{SEGMENTS}offered/", asked),
        )
        sees = role in NEAR_VISITORS
        assert ("K-4711" in said, known.client_id[:12] in said) == (sees, sees), role
        assert (offered.status_code == 200, "ada@example.com" in offered.content.decode()) == (sees, sees), (
            role
        )
        assert "3 subscriptions" in words_of(said)
        lists = client.get(f"{SEGMENTS}offered/", {"website": website.pk, "of": "lists"})
        assert lists.json() == {"offered": [{"value": fair.pk, "label": "Fair"}]}


def test_the_list_names_lists_and_messages_in_the_same_queries(
    boss: Client, website: Website, django_assert_num_queries: Any
) -> None:
    other = make_website(name="Other")

    def add(name: str) -> None:
        on = RecipientList.objects.create(website=website, name=name)
        theirs = RecipientList.objects.create(website=other, name=f"Secret {name}")
        sent = outbox.send(make_message(website), [make_text(title=f"About {name}")]).message_id
        numbered = [{"field": "list", "op": "in", "value": [on.pk, theirs.pk]}]
        tree = {"all": [*numbered, {"field": "messageClicked", "message": sent}]}
        Segment.objects.create(website=website, name=name, definition=tree)

    add("Fair")
    Segment.objects.create(website=website, name="Broken", definition={"all": 7})
    with CaptureQueriesContext(connection) as first:
        page = words_of(boss.get(SEGMENTS).content.decode())
    assert "“Fair”" in page
    assert "About Fair" in page
    assert "Secret" not in page
    for number in range(5):
        add(f"Show {number}")
    with django_assert_num_queries(len(first)):
        assert "About Show 4" in boss.get(SEGMENTS).content.decode()
