"""Values that really occur, to choose from."""

from typing import Any

import pytest
from django.utils import timezone

from signalize_console.activity.models import Event
from signalize_console.audiences import suggestions
from signalize_console.audiences.suggestions import SOURCES
from signalize_console.recipients.models import Recipient
from signalize_console.websites.models import Website
from tests.makers import make_recipient, make_website

pytestmark = pytest.mark.django_db


@pytest.fixture
def website() -> Website:
    website = make_website()
    for n in range(3):
        attributes = {"city": "Bern" if n else "Ulm", "age": n, "born": "1990-02-28", "vip": True, "x": [1]}
        recipient = make_recipient(website, language="de", interests=["sport"], attributes=attributes)
        happen(recipient, "page_view", page="/sale")
        happen(recipient, "event", "order", product={"id": "A-1"}, value=9)
    happen(
        recipient, "event", "order", products=[{"id": 42}], basket={"products": [{"product": {"id": "B"}}]}
    )
    other = make_recipient(make_website(name="Other"), language="fr", interests=["x"], attributes={"y": 1})
    happen(other, "event", "theirs", product={"id": "theirs"}, page="/theirs")
    return website


def happen(recipient: Recipient, kind: str, name: str = "", **properties: Any) -> None:
    day = timezone.now().date()
    values = {"day": day, "website_id": recipient.website_id, "recipient": recipient}
    Event.objects.create(kind=kind, name=name, properties=properties, **values)


@pytest.mark.parametrize(
    ("of", "name", "expected"),
    [
        ("attribute", "city", ["Bern", "Ulm"]),
        ("attribute", "none", []),
        ("interests", "", ["sport"]),
        ("languages", "", ["de"]),
        ("events", "", ["order"]),
        ("pages", "", ["/sale"]),
        ("products", "", ["A-1", "42", "B"]),
    ],
)
def test_the_most_frequent_come_first(website: Website, of: str, name: str, expected: list[str]) -> None:
    assert [one["value"] for one in suggestions.suggestions(website, of, name)] == expected


def test_a_name_comes_with_the_type_of_its_values(website: Website) -> None:
    found = {one["value"]: one["type"] for one in suggestions.suggestions(website, "attributes")}
    assert found == {"age": "number", "born": "date", "city": "text", "vip": "boolean"}
    assert suggestions.suggestions(website, "properties", "order") == [{"value": "value", "type": "number"}]


def test_only_the_newest_are_looked_at(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "ROWS", 1)
    assert [one["value"] for one in suggestions.suggestions(website, "attribute", "city")] == ["Bern"]


def test_what_takes_too_long_is_left_out(website: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "SECONDS", 0.05)
    slow = SOURCES["languages"]._replace(where="pg_sleep(1) IS NOT NULL")
    monkeypatch.setitem(suggestions.SOURCES, "languages", slow)
    assert suggestions.suggestions(website, "languages") == []
