"""Automations in the console: taken ready, read, tried, switched, changed; and what nobody may do."""

import json
from typing import Any

import pytest
from django.test import Client

from signalize_console.activity import on_behalf
from signalize_console.activity.on_behalf import Happened
from signalize_console.automations import recipes, rules
from signalize_console.automations.models import Rule, Run
from signalize_console.automations.recipes import RECIPES
from signalize_console.websites.models import Website
from tests.automations.conftest import make_template
from tests.console.logins import log_in
from tests.console.test_console import XSS
from tests.makers import make_recipient, make_subscription, make_website

pytestmark = pytest.mark.django_db
RULES = "/admin/automations/rule/"


def page_of(client: Client, rule: Rule) -> str:
    return client.get(f"{RULES}{rule.pk}/change/").content.decode()


@pytest.mark.parametrize("key", RECIPES)
def test_every_ready_one_is_taken_shown_and_switched_on(boss: Client, website: Website, key: str) -> None:
    answer = boss.post(f"{RULES}recipes/", {"recipe": key, "website": website.pk}, follow=True)
    rule = Rule.objects.get()
    assert not rule.is_on
    page = answer.content.decode()
    assert 'class="flow-when"' in page
    assert page.count('class="flow-send"') == len(RECIPES[key].texts)
    boss.post(f"{RULES}{rule.pk}/switch/", {"on": "1"})
    rule.refresh_from_db()
    assert rule.is_on
    assert boss.get(RULES).status_code == 200


def test_a_second_one_of_the_same_kind_gets_names_of_its_own(website: Website) -> None:
    first, second = (recipes.use(RECIPES["basket"], website) for _time in range(2))
    assert first.name != second.name


def save(client: Client, rule: Rule, definition: object, **changed: Any) -> str:
    values = {
        "name": rule.name,
        "definition": definition if isinstance(definition, str) else json.dumps(definition),
        "reentry": "single",
        "priority": 0,
        "late_after": "06:00:00",
        **changed,
    }
    return client.post(f"{RULES}{rule.pk}/change/", values, follow=True).content.decode()


def test_a_change_is_a_new_version_and_an_old_one_can_be_used_again(boss: Client, website: Website) -> None:
    rule = recipes.use(RECIPES["order"], website)
    old = rule.version.definition if rule.version else {}
    new = {**old, "when": {"kind": "event", "name": "bought"}}
    assert "Saved. It is off." in save(boss, rule, new)
    rule.refresh_from_db()
    assert (rule.version.number, rule.version.definition) == (2, new)
    boss.post(f"{RULES}{rule.pk}/take/", {"version": "1"})
    rule.refresh_from_db()
    assert (rule.version.number, rule.version.definition) == (3, old)
    assert rule.version.made_by.username == "anna"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"when": {"kind": "dream"}}, "$.when.kind: "),
        ({"steps": [{"goto": 0}]}, "none leads back"),
        ({"steps": [{"wait": {"hours": 1}}]}, "Nothing is sent"),
        ({"steps": [{"send": {"template": 4711}}]}, "no such template"),
        ({"if": {"segment": 4711}}, "no segment 4711"),
        ({"if": {"field": "language", "op": "like", "value": "de"}}, "$.if.op: "),
        ({"unless": [{"kind": "event"}]}, "$.unless[0].name: "),
        ({"colour": "red"}, "$.colour: "),
        ({"when": {"kind": "feed", "url": "http://example.com/"}}, "https address"),
        ({"when": {"kind": "every", "days": ["someday"], "at": "25:00"}}, "$.when.at: "),
    ],
)
def test_what_is_wrong_is_explained_and_not_saved(
    boss: Client, website: Website, change: dict[str, Any], said: str
) -> None:
    rule = recipes.use(RECIPES["order"], website)
    assert rule.version
    assert said in save(boss, rule, {**rule.version.definition, **change})
    rule.refresh_from_db()
    assert rule.version.number == 1


def test_a_template_of_another_website_is_refused(boss: Client, website: Website) -> None:
    rule = recipes.use(RECIPES["order"], website)
    foreign = make_template(make_website(name="Other"))
    said = save(boss, rule, {"when": {"kind": "subscribed"}, "steps": [{"send": {"template": foreign.pk}}]})
    assert "no such template" in said


def test_what_strangers_write_stays_text(boss: Client, website: Website) -> None:
    template = make_template(website, "x", name=XSS[:90])
    rule = Rule(website=website, name=XSS[:90])
    rules.save(
        rule, {"when": {"kind": "event", "name": XSS[:60]}, "steps": [{"send": {"template": template.pk}}]}
    )
    assert "<script>alert" not in page_of(boss, rule)
    assert "<script>alert" not in boss.get(RULES).content.decode()


def test_what_it_would_have_done_in_the_last_week(boss: Client, website: Website) -> None:
    rule = recipes.use(RECIPES["basket"], website)
    for orders in (False, False, True):
        recipient = make_subscription(website, recipient=make_recipient(website)).recipient
        on_behalf.record(recipient, [Happened("insertToBasket", {})])
        if orders:
            on_behalf.record(recipient, [Happened("order", {})])
    said = boss.post(f"{RULES}{rule.pk}/rehearse/", follow=True).content.decode()
    # In one transaction all happens at one time: who has ordered counts too unless it was later.
    assert "In the last 7 days it would have begun 3 times" in said
    assert not Run.objects.exists()


def test_a_sample_event_shows_what_would_be_sent_and_when(boss: Client, website: Website) -> None:
    rule = recipes.use(RECIPES["basket"], website)
    tried = boss.post(
        f"{RULES}{rule.pk}/sample/", {"properties": '{"product": {"name": "Tulip"}}', "language": "de"}
    )
    page = tried.content.decode()
    assert "Tulip wartet auf Sie." in page
    assert page.count('class="flow-send"') == 2
    wrong = boss.post(f"{RULES}{rule.pk}/sample/", {"properties": "nonsense"}, follow=True)
    assert "as a JSON object" in wrong.content.decode()


@pytest.mark.parametrize("step", ["switch", "rehearse", "sample", "held", "take"])
def test_nobody_else_may(website: Website, step: str) -> None:
    rule = recipes.use(RECIPES["order"], website)
    url = f"{RULES}{rule.pk}/{step}/"
    assert log_in("view_rule").post(url, {"on": "1"}).status_code == 403
    assert Client().post(url).status_code == 302
    rule.refresh_from_db()
    assert not rule.is_on


def test_only_who_may_send_switches_on_or_changes_what_is_on(website: Website) -> None:
    rule = recipes.use(RECIPES["order"], website)
    editor = log_in("view_rule", "change_rule")
    assert editor.post(f"{RULES}{rule.pk}/switch/", {"on": "1"}).status_code == 403
    rule.switch(on=True)
    assert save(editor, rule, {"when": {"kind": "subscribed"}, "steps": []}).find("403") > 0
    assert editor.get(f"{RULES}{rule.pk}/switch/").status_code == 403
