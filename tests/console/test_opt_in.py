"""The opt-in in the console: ready at first sight, one click to switch it on, and nothing a stranger may do."""

from typing import Any

import pytest
from django.test import Client

from signalize_console.websites import asking
from signalize_console.websites.models import Interest, OptIn, OptInText, Website
from tests.console.logins import log_in
from tests.makers import make_website

pytestmark = pytest.mark.django_db
XSS = '"><script>alert(1)</script>'


def form_for(opt_in: OptIn, **changed: Any) -> dict[str, Any]:
    """What the page's form sends as it is."""
    names = ["kind", "position", "trigger", "after", "logo", "background", "ink", "accent"]
    names += ["dark_background", "dark_ink", "dark_accent"]
    form = {name: getattr(opt_in, name) for name in names}
    form |= {"paths": "", "interests-TOTAL_FORMS": 0, "interests-INITIAL_FORMS": 0}
    texts = list(opt_in.texts.all())
    form |= {"texts-TOTAL_FORMS": len(texts), "texts-INITIAL_FORMS": len(texts)}
    for number, text in enumerate(texts):
        form |= {f"texts-{number}-{name}": value for name, value in text.words().items()}
        form |= {f"texts-{number}-id": text.pk, f"texts-{number}-language": text.language}
        form |= {f"texts-{number}-standard": "on"} if text.standard else {}
    return {**form, **changed}


def post(client: Client, opt_in: OptIn, **changed: Any) -> Any:
    return client.post(f"/admin/websites/optin/{opt_in.pk}/change/", form_for(opt_in, **changed), follow=True)


def test_from_the_website_to_a_ready_opt_in_that_one_click_switches_on(
    boss: Client, website: Website
) -> None:
    page = boss.get(f"/admin/websites/website/{website.pk}/change/").content.decode()
    assert f"/admin/websites/optin/of/{website.pk}/" in page
    ready = boss.get(f"/admin/websites/optin/of/{website.pk}/", follow=True)
    assert "Save and switch on" in ready.content.decode()
    opt_in = OptIn.objects.get()

    said = post(boss, opt_in, _on="1").content.decode()

    opt_in.refresh_from_db()
    assert opt_in.is_on
    assert "Visitors are asked from now on." in said
    assert "Save and switch off" in said
    assert website.consent_texts.get().version == 1
    assert "Nobody is asked yet." in post(boss, opt_in, _off="1").content.decode()
    assert asking.rules(website) is None


def test_saving_alone_changes_nothing_of_on_and_off(boss: Client, website: Website) -> None:
    opt_in = asking.opt_in_of(website)
    for is_on in (True, False):
        OptIn.objects.update(is_on=is_on)
        post(boss, opt_in, _continue="1")
        opt_in.refresh_from_db()
        assert opt_in.is_on is is_on


def test_a_changed_text_is_a_new_version(boss: Client, website: Website) -> None:
    opt_in = asking.opt_in_of(website)
    post(boss, opt_in, **{"texts-0-title": "News?", "_continue": "1"})

    assert OptInText.objects.get(standard=True).title == "News?"
    assert [one.version for one in website.consent_texts.all()] == [2, 1]


def test_what_a_version_said_can_be_read(boss: Client, website: Website) -> None:
    asking.opt_in_of(website)
    version = website.consent_texts.get()
    page = boss.get(f"/admin/websites/consenttext/{version.pk}/change/").content.decode()
    assert "May we tell you when there is news?" in page
    assert boss.post(f"/admin/websites/consenttext/{version.pk}/change/", {"version": 5}).status_code == 403


def test_interests_with_names_in_languages(boss: Client, website: Website) -> None:
    opt_in = asking.opt_in_of(website)
    row = {"name": "Sale", "key": "sale", "names": "de: Angebote\n fr : Soldes \n", "place": 1}
    new = {"interests-TOTAL_FORMS": 1, **{f"interests-0-{name}": value for name, value in row.items()}}

    post(boss, opt_in, **new)

    interest = Interest.objects.get()
    assert (interest.key, interest.names) == ("sale", {"de": "Angebote", "fr": "Soldes"})
    page = boss.get(f"/admin/websites/optin/{opt_in.pk}/change/").content.decode()
    assert "de: Angebote\nfr: Soldes" in page
    refused = post(boss, opt_in, **{**new, "interests-0-key": "other", "interests-0-names": "Angebote"})
    assert "Write one language a line" in refused.content.decode()
    assert Interest.objects.count() == 1


def test_weak_colours_are_said_and_saved(boss: Client, website: Website) -> None:
    opt_in = asking.opt_in_of(website)
    said = post(boss, opt_in, ink="#dddddd").content.decode()
    assert "The text is hard to read in the light look" in said
    opt_in.refresh_from_db()
    assert opt_in.ink == "#dddddd"


@pytest.mark.parametrize(
    ("field", "value"),
    [("accent", "red;}"), ("paths", "shop"), ("after", 9999), ("logo", "javascript:alert(1)"), ("kind", "x")],
)
def test_a_bad_value_is_refused_in_place(boss: Client, website: Website, field: str, value: Any) -> None:
    opt_in = asking.opt_in_of(website)
    answer = post(boss, opt_in, **{field: value, "_on": "1"})
    assert "errorlist" in answer.content.decode()
    opt_in.refresh_from_db()
    assert not opt_in.is_on


def test_what_people_write_stays_text(boss: Client, website: Website) -> None:
    opt_in = asking.opt_in_of(website)
    OptInText.objects.update(title=XSS)
    Interest.objects.create(opt_in=opt_in, key="x", name=XSS, names={"de": XSS})
    page = boss.get(f"/admin/websites/optin/{opt_in.pk}/change/").content.decode()
    assert "<script>alert" not in page


def test_the_list_has_every_website(boss: Client, website: Website) -> None:
    make_website(name="Second")
    page = boss.get("/admin/websites/optin/").content.decode()
    assert "Shop" in page
    assert "Second" in page
    assert OptIn.objects.count() == 2


def test_the_preview_may_be_framed_by_the_console_only(boss: Client) -> None:
    answer = boss.get("/admin/websites/optin/preview/")
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_who_may_only_look_changes_nothing(website: Website) -> None:
    looker = log_in("view_optin")
    assert looker.get(f"/admin/websites/optin/of/{website.pk}/").status_code == 403
    assert looker.get("/admin/websites/optin/").status_code == 200
    assert not OptIn.objects.exists()
    opt_in = asking.opt_in_of(website)
    page = looker.get(f"/admin/websites/optin/{opt_in.pk}/change/")
    assert (page.status_code, b"switch on" in page.content.lower().replace(b"and switch it on", b"")) == (
        200,
        False,
    )
    assert post(looker, opt_in, _on="1").status_code == 403
    opt_in.refresh_from_db()
    assert not opt_in.is_on


def test_strangers_are_sent_to_the_login(website: Website) -> None:
    for path in (f"of/{website.pk}/", "preview/", ""):
        assert Client().get(f"/admin/websites/optin/{path}").status_code == 302
    assert log_in().get("/admin/websites/optin/preview/").status_code == 403
