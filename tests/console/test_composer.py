"""The composer beside its form: drafts that save themselves, remarks, pictures, templates and tests."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from signalize_console.audiences.models import Segment
from signalize_console.console.models import AuditRecord
from signalize_console.deliveries import statistics
from signalize_console.deliveries.models import Delivery, TestBrowser
from signalize_console.messaging import rendering
from signalize_console.messaging.models import Media, MessageTemplate, PushMessage, TemplateText
from signalize_console.messaging.states import MessageState
from signalize_console.websites.models import Website
from tests.console.logins import log_in
from tests.console.test_console import send_reviewed
from tests.makers import make_message, make_recipient, make_subscription, make_text, make_website

pytestmark = pytest.mark.django_db
XSS = '"><script>alert(1)</script>'
FRENCH = {"field": "language", "op": "equals", "value": "fr"}


def form_for(website: Website, *texts: dict[str, str], saved: int = 0, **changed: Any) -> dict[str, Any]:
    texts = texts or ({"language": "en", "title": "Sale", "message": "Now", "link": "https://shop.example/"},)
    rows = {
        f"texts-{number}-{name}": said for number, text in enumerate(texts) for name, said in text.items()
    }
    numbers = {"texts-TOTAL_FORMS": len(texts), "texts-INITIAL_FORMS": saved}
    return {"website": website.pk, "ttl": 3600, "urgency": "normal", **numbers, **rows, **changed}


def url(name: str, *args: int) -> str:
    return reverse(f"admin:messaging_pushmessage_{name}", args=args)


def make_draft(website: Website, **words: Any) -> PushMessage:
    draft = make_message(website)
    draft.save()
    text = make_text(**words)
    text.push_message = draft
    text.save()
    return draft


def test_a_draft_saves_itself_while_words_are_still_missing(boss: Client, website: Website) -> None:
    said = boss.post(url("save"), form_for(website, {"language": "en", "title": "Sa"})).json()
    draft = PushMessage.objects.get()
    assert (draft.state, draft.texts.get().title, draft.ttl) == (MessageState.DRAFT, "Sa", 3600)
    assert said["url"] == url("change", draft.pk)

    text = {
        "language": "en",
        "title": "Sale",
        "link": "https://shop.example/",
        "id": said["fields"]["texts-0-id"],
    }
    german = {"language": "de", "title": "Schlussverkauf", "link": "https://shop.example/"}
    form = form_for(website, {**text, "standard": "on"}, german, saved=said["fields"]["texts-INITIAL_FORMS"])
    form["revision"] = said["revision"]
    again = boss.post(said["save"], form).json()

    assert PushMessage.objects.count() == 1
    assert [text.title for text in draft.texts.all()] == ["Sale", "Schlussverkauf"]
    assert again["fields"]["texts-INITIAL_FORMS"] == 2
    # What it gives back is what the form's own button needs to save the same rows again.
    form |= {**again["fields"], "revision": again["revision"], "_review": "1"}
    assert boss.post(said["url"], form).headers["Location"] == url("review", draft.pk)
    assert draft.texts.count() == 2


def test_two_who_write_one_draft_lose_no_words_unseen(boss: Client, website: Website) -> None:
    said = boss.post(url("save"), form_for(website)).json()
    page = boss.get(said["url"]).content.decode()
    assert f'name="revision" value="{said["revision"]}"' in page
    segment = Segment.objects.create(website=website, name="French", definition=FRENCH)
    text = {"id": said["fields"]["texts-0-id"], "language": "en", "link": "https://shop.example/"}
    hers, mine = (
        form_for(website, {**text, "title": title}, saved=1, revision=said["revision"])
        for title in ("Hers", "Mine")
    )
    again = boss.post(said["save"], {**hers, "leave_out": segment.pk}).json()
    draft = PushMessage.objects.get()
    assert (draft.title, list(draft.excluded_segments.all())) == ("Hers", [segment])

    answer = boss.post(said["save"], mine)
    assert (answer.status_code, answer.json()["stale"]) == (409, True)
    assert "Somebody else changed this draft" in answer.json()["problem"]
    for button in ("_continue", "_review"):
        page = boss.post(said["url"], {**mine, button: "1"}).content.decode()
        assert "Somebody else changed this draft" in page
        assert 'value="Mine"' in page
    assert PushMessage.objects.get().title == "Hers"

    # Who is left out counts as much as the words; and who has seen all goes on.
    saved = boss.post(said["save"], {**hers, "revision": again["revision"]}).json()
    assert saved["revision"] != again["revision"]
    assert boss.post(said["save"], {**mine, "revision": again["revision"]}).status_code == 409
    assert boss.post(said["save"], {**mine, "revision": saved["revision"]}).status_code == 200
    assert PushMessage.objects.get().title == "Mine"


@pytest.mark.parametrize(
    ("texts", "changed", "problem"),
    [
        ([{"language": "en", "title": "x" * 201}], {}, "200"),
        ([{"language": "en", "title": "x", "link": "javascript:alert(1)"}], {}, "isn't a link"),
        ([{"language": "not a tag", "title": "x"}], {}, "Language: A language tag"),
        ([{"language": "en", "title": "x"}], {"website": ""}, "Website: This field is required"),
        ([{"language": "en", "title": "x"}, {"language": "de", "title": "y"}], {}, "exactly one text"),
        ([{"language": "en", "title": "x"}, {"title": "", "variant": "A"}], {}, "still empty"),
    ],
)
def test_what_can_not_be_saved_is_said_in_words(
    boss: Client, website: Website, texts: list[dict[str, str]], changed: Any, problem: str
) -> None:
    answer = boss.post(url("save"), {**form_for(website, *texts), **changed})
    assert answer.status_code == 422
    assert problem in answer.json()["problem"]
    assert not PushMessage.objects.exists()


def test_an_unfinished_draft_can_not_be_sent(boss: Client, website: Website) -> None:
    draft = make_draft(website, link="")
    answer = send_reviewed(boss, draft)
    assert "still needs a title and a link" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.state == MessageState.DRAFT


def test_what_was_sent_is_saved_no_more(boss: Client, website: Website) -> None:
    draft = make_draft(website)
    PushMessage.objects.update(state=MessageState.SENDING)
    text = draft.texts.get()
    form = form_for(
        website, {"id": text.pk, "language": "en", "title": "Other", "link": "https://shop.example/"}, saved=1
    )
    assert boss.post(url("save_again", draft.pk), form).status_code == 403
    text.refresh_from_db()
    assert text.title == "Hello"


def test_remarks_come_while_somebody_writes_and_store_nothing(boss: Client, website: Website) -> None:
    german = {"language": "de", "title": "LOS LOS LOS LOS", "link": "https://b.example/"}
    form = form_for(website, {"language": "en", "title": "Fine", "message": "So", "link": ""}, german)
    said = boss.post(url("remarks"), form).json()["remarks"]
    assert {(one["field"], one["language"]) for one in said} == {
        ("texts-1-title", "de"), ("texts-1-link", "de"), ("texts-1-message", "de"),
    }  # fmt: skip
    assert not PushMessage.objects.exists()
    assert boss.post(url("remarks"), {"website": "²", "texts-0-title": XSS}).status_code == 200
    strange = {
        "website": website.pk,
        "icon": "https://a/\0",
        "texts-0-title": "\0",
        "texts-0-link": "https://[/",
    }
    assert boss.post(url("remarks"), strange).status_code == 200
    assert "No recipient" in add_browser(boss, website, "\0" * 9).json()["problem"]


def test_the_review_says_the_same_as_the_composer(boss: Client, website: Website) -> None:
    draft = make_draft(website, link="https://elsewhere.example/")
    assert "elsewhere.example isn&#x27;t one of" in boss.get(url("review", draft.pk)).content.decode()


def test_placeholders_are_offered_that_recipients_have(boss: Client, website: Website) -> None:
    make_subscription(website, recipient=make_recipient(website, attributes={"first_name": "Ada"}))
    assert boss.get(url("placeholders"), {"website": website.pk}).json() == {"names": ["first_name"]}
    assert boss.get(url("placeholders"), {"website": "9" * 30}).json() == {"names": []}


def test_a_message_starts_from_a_template(boss: Client, website: Website) -> None:
    template = MessageTemplate.objects.create(website=website, name="Dispatch", urgency="high")
    TemplateText.objects.create(
        template=template, language="en", standard=True, title="On its way", link="https://shop.example/"
    )
    assert "Dispatch" in boss.get(url("add")).content.decode()
    answer = boss.post(url("from_template"), {"template": template.pk})
    draft = PushMessage.objects.get()
    assert answer.headers["Location"] == url("change", draft.pk)
    assert (draft.urgency, draft.texts.get().title, draft.state) == ("high", "On its way", "draft")
    assert boss.post(url("from_template"), {"template": "x"}).status_code == 404


def test_a_message_becomes_a_template_that_says_the_same(boss: Client, website: Website) -> None:
    draft = make_draft(website, title="Sale", first_button="Look")
    german = make_text(language="de", standard=False, title="Schlussverkauf")
    german.push_message = draft
    german.save()
    PushMessage.objects.update(urgency="high", image="https://shop.example/a.png")
    # A draft, by its own button, with what was just written; and what was sent, from its page.
    form = form_for(website, *({
        "id": str(text.pk), "language": text.language, "title": f"{text.title}!", "link": text.link,
        "standard": "on" if text.standard else "",
    } for text in draft.texts.all()), saved=2, urgency="high")  # fmt: skip
    page = boss.get(url("change", draft.pk)).content.decode()
    assert 'name="_template"' in page
    form |= {"revision": page.split('name="revision" value="')[1][:32], "_template": "1"}
    answer = boss.post(url("change", draft.pk), form)
    first = MessageTemplate.objects.get()
    assert answer.headers["Location"] == reverse("admin:messaging_messagetemplate_change", args=[first.pk])
    assert (first.name, first.urgency, first.website) == ("Sale!", "high", website)
    said = [(text.language, text.title, text.standard) for text in first.texts.all()]
    assert said == [("en", "Sale!", True), ("de", "Schlussverkauf!", False)]

    sent = {"state": MessageState.FINISHED, "valid_until": timezone.now()}
    PushMessage.objects.update(**sent, image="https://shop.example/b.png")
    assert url("to_template", draft.pk) in boss.get(url("change", draft.pk)).content.decode()
    boss.post(url("to_template", draft.pk))
    second = MessageTemplate.objects.latest("pk")
    assert (second.name, second.image) == ("Sale! 2", "https://shop.example/b.png")
    assert second.texts.get(standard=True).first_button == ""
    recorded = AuditRecord.objects.filter(about="messaging.messagetemplate", website_id=website.pk)
    assert list(recorded.order_by("pk").values_list("deed", "object_id")) == [
        ("added", str(first.pk)), ("added", str(second.pk)),
    ]  # fmt: skip


def test_what_can_be_no_template_is_said(boss: Client, website: Website) -> None:
    unfinished = make_draft(website, link="")
    named = make_draft(website)
    sent = {"state": MessageState.FINISHED, "valid_until": timezone.now()}
    PushMessage.objects.filter(pk=named.pk).update(audience="recipients", **sent)
    for message, problem in ((unfinished, "a title and a link"), (named, "named recipients")):
        answer = boss.post(url("to_template", message.pk), follow=True)
        assert problem in answer.content.decode()
        assert url("to_template", message.pk) not in answer.content.decode()
    assert not MessageTemplate.objects.exists()


def test_a_template_is_duplicated_under_a_free_name(boss: Client, website: Website) -> None:
    variables = [{"name": "order", "type": "text"}]
    name = "n" * 100
    template = MessageTemplate.objects.create(website=website, name=name, ttl=99, variables=variables)
    TemplateText.objects.create(
        template=template, language="en", standard=True, title="{{ order }}", link="https://shop.example/"
    )
    duplicate = reverse("admin:messaging_messagetemplate_duplicate", args=[template.pk])
    page = boss.get(reverse("admin:messaging_messagetemplate_change", args=[template.pk])).content.decode()
    assert duplicate in page
    answers = [boss.post(duplicate), boss.post(duplicate)]
    copies = list(MessageTemplate.objects.exclude(pk=template.pk).order_by("pk"))
    assert [one.name for one in copies] == [f"{'n' * 90} 2", f"{'n' * 90} 3"]
    assert [(one.ttl, one.variables, one.texts.get().title) for one in copies] == [
        (99, variables, "{{ order }}")
    ] * 2
    assert [one.headers["Location"] for one in answers] == [
        reverse("admin:messaging_messagetemplate_change", args=[one.pk]) for one in copies
    ]
    added = AuditRecord.objects.filter(about="messaging.messagetemplate", deed="added")
    assert set(added.values_list("object_id", flat=True)) == {str(one.pk) for one in copies}


def test_who_only_sends_makes_no_templates(website: Website) -> None:
    sender = log_in("view_pushmessage", "change_pushmessage", "send_pushmessage", "view_messagetemplate")
    draft = make_draft(website)
    template = MessageTemplate.objects.create(website=website, name="Dispatch")
    assert "_template" not in sender.get(url("change", draft.pk)).content.decode()
    assert sender.post(url("to_template", draft.pk)).status_code == 403
    duplicate = reverse("admin:messaging_messagetemplate_duplicate", args=[template.pk])
    assert sender.post(duplicate).status_code == 403
    template_page = reverse("admin:messaging_messagetemplate_change", args=[template.pk])
    assert duplicate not in sender.get(template_page).content.decode()
    assert MessageTemplate.objects.count() == 1


def picture(width: int = 400, height: int = 200, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "green").save(file, form)
    return file.getvalue()


def upload(client: Client, website: Website, content: bytes, kind: str = "image", name: str = "a.png") -> Any:
    file = SimpleUploadedFile(name, content, "image/png")
    return client.post(
        reverse("admin:messaging_media_upload"), {"website": website.pk, "kind": kind, "file": file}
    )


def test_a_picture_is_uploaded_chosen_and_served(boss: Client, website: Website) -> None:
    said = upload(boss, website, picture(), name=f"{XSS}.png").json()
    assert upload(boss, website, picture()).json()["url"] == said["url"]
    media = Media.objects.get()
    assert (media.uploaded_by, media.width, media.height) == ("anna", 400, 200)

    listed = boss.get(
        reverse("admin:messaging_media_choose"), {"website": website.pk, "kind": "image"}
    ).json()
    assert [one["url"] for one in listed["pictures"]] == [said["url"]]
    served = Client().get(media.path)
    assert served.headers["Content-Type"] == "image/jpeg"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in served.headers["Cache-Control"]
    assert "sandbox" in served.headers["Content-Security-Policy"]
    assert Image.open(io.BytesIO(served.content)).size == (400, 200)
    page = boss.get("/admin/messaging/media/").content.decode()
    assert media.path in page
    assert "<script>alert" not in page


def test_older_pictures_come_when_asked_for(boss: Client, website: Website) -> None:
    Media.objects.bulk_create(
        Media(
            website=website, kind="icon", name=str(n), file_name=f"{n:040}.png", width=1, height=1, weight=1
        )
        for n in range(45)
    )
    choose = reverse("admin:messaging_media_choose")
    first = boss.get(choose, {"website": website.pk, "kind": "icon"}).json()
    rest = boss.get(choose, {"website": website.pk, "kind": "icon", "before": first["before"]}).json()
    names = [one["name"] for one in first["pictures"] + rest["pictures"]]
    assert names == [str(n) for n in reversed(range(45))]
    assert rest["before"] is None


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", b"", picture(20, 20), picture(form="GIF")])
def test_a_hostile_file_is_refused_and_leaves_nothing(boss: Client, website: Website, content: bytes) -> None:
    before = set(settings.HOME.media.iterdir())
    answer = upload(boss, website, content)
    assert answer.status_code == 422
    assert answer.json()["problem"]
    assert not Media.objects.exists()
    assert set(settings.HOME.media.iterdir()) == before


@pytest.mark.parametrize(
    "path",
    [
        "/media/../secret_key",
        "/media/secret_key",
        "/media/%2e%2e/secret_key",
        f"/media/{'a' * 40}.svg",
        f"/media/{'a' * 40}.png",
    ],
)
def test_nothing_else_is_served(path: str) -> None:
    assert Client().get(path).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_picture_goes_with_its_last_row(boss: Client, website: Website) -> None:
    for kind in ("icon", "image"):
        upload(boss, website, picture(256, 256 if kind == "icon" else 600), kind)
    icon = Media.objects.get(kind="icon")
    twin = Media.objects.create(
        website=make_website(name="Other"),
        kind="icon",
        name="b",
        file_name=icon.file_name,
        width=1,
        height=1,
        weight=1,
    )
    file = Path(settings.HOME.media / icon.file_name)
    for media, is_kept in ((icon, True), (twin, False)):
        boss.post(reverse("admin:messaging_media_delete", args=[media.pk]), {"post": "yes"})
        assert file.exists() == is_kept
    assert Media.objects.get().kind == "image"


def test_the_library_works_without_a_script(boss: Client, website: Website) -> None:
    file = SimpleUploadedFile("logo.png", picture(256, 256), "image/png")
    boss.post("/admin/messaging/media/add/", {"website": website.pk, "kind": "icon", "file": file})
    media = Media.objects.get()
    assert (media.kind, media.name) == ("icon", "logo.png")
    assert boss.get(f"/admin/messaging/media/{media.pk}/change/").status_code == 200


def add_browser(client: Client, website: Website, client_id: str, name: str = "Phone") -> Any:
    return client.post(url("add_browser"), {"website": website.pk, "client_id": client_id, "name": name})


def test_a_test_goes_to_my_own_browsers_and_counts_nowhere(boss: Client, website: Website) -> None:
    mine, other = make_subscription(website), make_subscription(website)
    draft = make_draft(website)
    said = add_browser(boss, website, mine.recipient.client_id).json()["browsers"]
    assert [(one["name"], one["reachable"]) for one in said] == [("Phone", True)]

    answer = boss.post(url("test", draft.pk), {"browsers": [said[0]["id"], 999]})

    assert answer.status_code == 201
    delivery = Delivery.objects.get()
    sent = delivery.push_message
    assert (delivery.subscription_id, sent.test, sent.texts.get().title) == (mine.pk, True, "Hello")
    assert rendering.notification(sent, sent.texts.get())["title"] == "Test: Hello"
    assert delivery.recipient_id != other.recipient_id
    draft.refresh_from_db()
    assert draft.state == MessageState.DRAFT
    day = statistics.per_day(website.pk, sent.day, sent.day)[0]
    assert (day["messages"], day["targeted"]) == (0, 0)
    listing = reverse("admin:messaging_pushmessage_changelist")
    assert f"/{sent.pk}/change/" not in boss.get(listing).content.decode()
    assert f"/{sent.pk}/change/" in boss.get(listing, {"tests": "only"}).content.decode()


def test_a_test_says_one_language_if_asked_to(boss: Client, website: Website) -> None:
    recipient = make_subscription(website, recipient=make_recipient(website, language="en")).recipient
    draft = make_draft(website)
    german = make_text(language="de", standard=False, title="Hallo")
    german.push_message = draft
    german.save()
    (browser,) = add_browser(boss, website, recipient.client_id).json()["browsers"]
    boss.post(url("test", draft.pk), {"browsers": browser["id"], "text": "de"})
    assert [text.title for text in Delivery.objects.get().push_message.texts.all()] == ["Hallo"]


def test_this_browser_is_known_by_the_cookie_of_its_opt_in(boss: Client, website: Website) -> None:
    recipient = make_subscription(website).recipient
    boss.cookies["_et_coid"] = recipient.client_id
    assert boss.get(url("browsers"), {"website": website.pk}).json() == {"browsers": [], "here": True}
    said = add_browser(boss, website, "", "This one").json()
    assert ([one["name"] for one in said["browsers"]], said["here"]) == (["This one"], False)
    assert boss.post(said["browsers"][0]["remove"], {"website": website.pk}).json()["browsers"] == []
    assert not TestBrowser.objects.exists()


def test_why_no_test_goes_out_is_said(boss: Client, website: Website) -> None:
    recipient = make_subscription(website).recipient
    draft = make_draft(website, title="{{ order }}")
    (browser,) = add_browser(boss, website, recipient.client_id).json()["browsers"]
    for sent, problem in (
        ({}, "at least one browser"),
        ({"browsers": browser["id"]}, "no value for: order"),
        ({"browsers": browser["id"], "text": "fr"}, "title and a link"),
    ):
        answer = boss.post(url("test", draft.pk), sent)
        assert (answer.status_code, problem in answer.json()["problem"]) == (422, True)
    assert "No recipient" in add_browser(boss, website, "0" * 32).json()["problem"]
    assert (
        "No recipient" in add_browser(boss, make_website(name="Other"), recipient.client_id).json()["problem"]
    )
    assert not Delivery.objects.exists()


def test_my_browsers_are_nobody_elses(boss: Client, website: Website) -> None:
    recipient = make_subscription(website).recipient
    (browser,) = add_browser(boss, website, recipient.client_id).json()["browsers"]
    other = log_in(name="bert", superuser=True)
    assert other.get(url("browsers"), {"website": website.pk}).json()["browsers"] == []
    assert other.post(browser["remove"]).status_code == 404
    draft = make_draft(website)
    assert other.post(url("test", draft.pk), {"browsers": browser["id"]}).status_code == 422


def test_who_may_only_look_changes_sends_and_uploads_nothing(website: Website) -> None:
    viewer = log_in("view_pushmessage", "view_website")
    draft = make_draft(website)
    posts = {
        url("save"): form_for(website),
        url("save_again", draft.pk): form_for(website),
        url("from_template"): {"template": 1},
        url("test", draft.pk): {"browsers": 1},
        url("add_browser"): {"website": website.pk},
        url("remove_browser", 1): {},
        reverse("admin:messaging_media_upload"): {},
    }
    for address, sent in posts.items():
        assert viewer.post(address, sent).status_code == 403, address
        assert Client().post(address, sent).status_code == 302, address
        assert viewer.get(address).status_code == 405, address
    assert viewer.get(url("browsers")).status_code == 403
    assert viewer.get(reverse("admin:messaging_media_choose")).status_code == 403
    stranger = log_in(name="nobody")
    for address in (url("placeholders"), url("browsers")):
        assert stranger.get(address).status_code == 403
    assert stranger.post(url("remarks"), {}).status_code == 403
    assert PushMessage.objects.count() == 1


def test_what_the_composer_asks_takes_few_queries(
    boss: Client, website: Website, django_assert_max_num_queries: Any
) -> None:
    for _number in range(20):
        make_subscription(website, recipient=make_recipient(website, attributes={"a": 1}))
    form = form_for(
        website,
        {"language": "en", "title": "{{ b }}", "link": "https://shop.example/"},
        icon="https://shop.example/media/a.png",
    )
    with django_assert_max_num_queries(8):
        assert boss.post(url("remarks"), form).json()["remarks"]
    with django_assert_max_num_queries(15):
        assert boss.post(url("save"), form).status_code == 200


def test_a_new_message_lives_as_long_as_words_say(boss: Client, website: Website) -> None:
    page = boss.get(url("add")).content.decode()
    assert '<option value="259200" selected>3 days</option>' in page
    draft = make_draft(website)
    PushMessage.objects.update(ttl=5400)
    assert (
        '<option value="5400" selected>90 minutes</option>'
        in boss.get(url("change", draft.pk)).content.decode()
    )


def varied(*, languages: tuple[str, ...] = ("en",), **changed: Any) -> list[dict[str, Any]]:
    """Texts A in English and B in these."""
    common = {"title": "Sale", "link": "https://shop.example/", **changed}
    second = [{**common, "variant": "B", "language": one, "title": f"Sale {one}"} for one in languages]
    return [{**common, "language": "en"}, *second]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (varied(languages=("de",)), "same languages"),
        (varied(languages=("en", "de")), "exactly one text"),
        (varied(languages=("en", "en")), "must be unique"),
        (varied()[1:], "no text A"),
    ],
)
def test_two_texts_that_do_not_go_together(
    boss: Client, website: Website, texts: list[dict[str, Any]], said: str
) -> None:
    answer = boss.post(url("save"), form_for(website, *texts))
    assert (answer.status_code, said in answer.json()["problem"]) == (422, True), answer.json()
    assert not PushMessage.objects.exists()


def test_two_texts_on_their_way(boss: Client, website: Website) -> None:
    """Saved with how they are tried, reviewed in words, copied, and tested one by one."""
    recipient = make_subscription(website).recipient
    form = form_for(website, *varied(), split_percent=50, split_minutes=720)
    draft = PushMessage.objects.get(pk=boss.post(url("save"), form).json()["id"])
    assert (draft.split_percent, draft.split_minutes, draft.has_variants) == (50, 720, True)
    assert [(one.variant, one.standard) for one in draft.texts.all()] == [("A", True), ("B", True)]

    review = boss.get(reverse("admin:messaging_pushmessage_review", args=[draft.pk])).content.decode()
    assert "50 % of them first read text A or B. After 12 hours" in review
    assert "too few to learn much from" in review
    assert "en · B" in review

    copy = draft.copy_as_draft()
    assert (copy.split_percent, [one.variant for one in copy.texts.all()]) == (50, ["A", "B"])

    browser = boss.post(
        url("add_browser"), {"website": website.pk, "client_id": recipient.client_id, "name": "x"}
    ).json()["browsers"][0]
    for label, title in (("", "Sale"), ("en · B", "Sale en")):
        boss.post(url("test", draft.pk), {"browsers": browser["id"], "text": label})
        test = PushMessage.objects.filter(test=True).latest("pk")
        assert [(one.title, one.variant) for one in test.texts.all()] == [(title, "A")]


def test_a_message_with_one_text_says_nothing_of_two(boss: Client, website: Website) -> None:
    make_subscription(website)
    draft = PushMessage.objects.get(pk=boss.post(url("save"), form_for(website)).json()["id"])
    review = boss.get(reverse("admin:messaging_pushmessage_review", args=[draft.pk])).content.decode()
    assert "text A" not in review
    assert (draft.split_percent, draft.split_minutes) == (20, 240)
