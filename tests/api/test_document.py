"""The OpenAPI document, its pages, the Postman collection and the page of error codes say what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from signalize_console.api import examples, schemas
from signalize_console.api.endpoint import parsed
from signalize_console.api.errors import ErrorCode
from signalize_console.api.management.commands import postman
from signalize_console.api.pushmessages import Change
from signalize_console.api.scopes import Scope
from signalize_console.websites.models import Website
from tests.api.calling import EVERY_FIELD, SEND, Api
from tests.makers import make_recipient, make_subscription

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


@pytest.fixture
def document(db: None) -> dict[str, Any]:
    return dict(Client().get("/v3/openapi.json").json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_openapi_3_1_with_the_key_in_a_header(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    key = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    assert document["components"]["securitySchemes"]["ApiKeyAuth"] == key
    assert list(document["components"]["schemas"]["Error"]["properties"]) == list(EVERY_FIELD)


def test_every_operation_has_its_examples(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        body = operation.get("requestBody", {}).get("content", {})
        for content in body.values():
            assert content["examples"], (method, path)
        answers = [answer for status, answer in operation["responses"].items() if status in {"200", "201"}]
        for answer in answers:
            assert answer["content"]["application/json"]["examples"], (method, path)
        assert operation["summary"], (method, path)


def test_every_refusal_that_any_call_may_meet_is_documented(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert {"401", "403", "429", "503"} <= set(operation["responses"]), (method, path)
        assert ("404" in operation["responses"]) or "{" not in path, (method, path)


def test_the_examples_of_sending_are_accepted_as_they_are(api: Api, website: Website) -> None:
    """What the document shows can be copied and sent, Signalize's own sample included."""
    recipients = [
        make_recipient(website, client_id=examples.CLIENT_ID),
        make_recipient(website, customer_id="K-4711", interests=["Thema 1"]),
        make_recipient(website, customer_id="K-4712"),
    ]
    for recipient in recipients:
        make_subscription(website, recipient=recipient)
    template = api.post(examples.NEW_TEMPLATE.value, "/v3/templates").json()["templateId"]
    segment = api.post(examples.NEW_SEGMENT.value, "/v3/segments").json()["segmentId"]
    ids = {"templateId": template, "segmentId": segment}
    for path, shown in (
        (SEND, examples.SEND_TO_RECIPIENTS),
        ("/v3/pushmessages", examples.SEND_TO_AUDIENCE),
    ):
        for example in shown:
            if not example.request_only:
                continue
            body = {name: ids.get(name, value) for name, value in example.value.items()}
            body |= {"name": "Another"} if body.get("name") else {}
            assert api.post(body, path).status_code in {200, 201}, example.summary
    assert api.post(examples.BULK.value, "/v3/recipients").json() == {"created": 1, "updated": 1}
    for path, example in (
        (f"/v3/recipients/{examples.CLIENT_ID}", examples.PROFILE),
        ("/v3/customers/K-4711", examples.CUSTOMER_PROFILE),
    ):
        assert api.send("PATCH", path, example.value).status_code == 200
    events = api.send("POST", "/v3/customers/K-4711/events", examples.EVENTS.value)
    assert events.json() == examples.RECORDED.value
    assert api.post(examples.NEW_WEBHOOK.value, "/v3/webhooks").status_code == 201
    for example in examples.CHANGES:
        assert parsed(Change, example.value)


def test_shown_answers_have_the_shape_of_real_ones(api: Api, website: Website) -> None:
    subscription = make_subscription(website)
    sent = api.post({**examples.ORDER_SENT, "recipients": [{"clientId": subscription.recipient.client_id}]})
    message = sent.json()["messageId"]
    for path, example in (
        (f"/v3/pushmessages/{message}", examples.REPORT),
        (f"/v3/pushmessages/{message}/statistics", examples.BREAKDOWN),
        (f"/v3/recipients/{subscription.recipient.client_id}", examples.RECIPIENT_WITH_DEVICES),
        (f"/v3/websites/{website.pk}", examples.WEBSITE),
        ("/v3/statistics", examples.DAYS),
    ):
        real = api.get(path).json()
        assert set(real) == set(example.value), path
        for name, value in example.value.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                assert set(real[name][0]) == set(value[0]), (path, name)


def test_every_error_code_has_its_place_in_the_docs() -> None:
    documented = (DOCS / "errors.md").read_text()
    assert [code for code in ErrorCode if f"* `{code}`: " not in documented] == []
    named = set(re.findall(r"^\* `(\w+)`: ", documented, re.MULTILINE))
    assert named == {code.value for code in ErrorCode}


def test_every_scope_and_address_is_documented(document: dict[str, Any]) -> None:
    documented = (DOCS / "api.md").read_text()
    assert [scope for scope in Scope if f"`{scope}`" not in documented] == []
    missing = []
    for method, path, _operation in operations(document):
        written = re.sub(r"\{\w+\}", "…", path)
        if f"`{method} {written}`" not in documented:
            missing.append(f"{method} {written}")
    assert missing == []


def test_the_postman_collection_is_fresh(db: None) -> None:
    """``manage.py postman`` writes it."""
    assert (DOCS / "postman.json").read_text() == postman.as_text()


@pytest.mark.parametrize("page", ["/v3/docs", "/v3/redoc"])
def test_a_page_of_documentation_loads_nothing_from_elsewhere(db: None, page: str) -> None:
    shown = Client().get(page).content.decode()
    assert re.findall(r'(?:src|href)="(?!/)[^"]*"', shown) == []
    for path in re.findall(r'src="([^"]+)"', shown):
        response = Client().get(path)
        response.close()
        assert response.status_code == 200, path


def test_a_shown_content_can_be_sent_again() -> None:
    assert set(schemas.ShownWebPush().fields) >= {"icon", "image", "badge", "tag", "topic", "ttl", "urgency"}
