"""Templates and what they promise: a call that breaks the promise is told at which field."""

from typing import Any

import pytest

from signalize_console.api import examples
from signalize_console.api.errors import ErrorCode
from signalize_console.deliveries.models import Delivery
from signalize_console.messaging.models import MessageTemplate, PushMessage
from signalize_console.websites.models import Website
from tests.api.calling import SEND, TEXT, Api, read_six_fields
from tests.makers import make_recipient, make_subscription

TEMPLATES = "/v3/templates"
NEW = examples.NEW_TEMPLATE.value


@pytest.fixture
def template(api: Api) -> int:
    return int(api.post(NEW, TEMPLATES).json()["templateId"])


@pytest.fixture
def customers(website: Website) -> list[str]:
    for number in range(3):
        make_subscription(website, recipient=make_recipient(website, customer_id=f"K-{number}"))
    return [f"K-{number}" for number in range(3)]


def call(template: int, *data: dict[str, Any], **more: Any) -> dict[str, Any]:
    named = [{"customerId": f"K-{number}", "data": one} for number, one in enumerate(data)]
    return {"templateId": template, "recipients": named, **more}


def test_a_template_is_made_read_replaced_and_deleted(api: Api, template: int) -> None:
    path = f"{TEMPLATES}/{template}"
    said = api.get(path).json()
    assert said["variables"] == NEW["variables"]
    assert said["webPush"]["webPushMessageTexts"] == NEW["webPush"]["webPushMessageTexts"]
    # What is read can be sent again as it is.
    again = api.send("PUT", path, {name: said[name] for name in ("name", "webPush", "variables")})
    assert again.json() == said
    changed = {"name": "Other", "webPush": {"webPushMessageTexts": [TEXT], "icon": "https://a.example/i.png"}}
    replaced = api.send("PUT", path, changed).json()
    assert (replaced["name"], replaced["variables"]) == ("Other", [])
    assert replaced["webPush"]["icon"] == "https://a.example/i.png"
    assert [one["templateId"] for one in api.get(TEMPLATES).json()["items"]] == [template]
    assert api.send("DELETE", path).status_code == 204
    read_six_fields(api.get(path), 404, ErrorCode.NOT_FOUND)


def test_a_name_is_given_once(api: Api, template: int) -> None:
    read_six_fields(api.post(NEW, TEMPLATES), 409, ErrorCode.NAME_TAKEN)
    other = api.post({**NEW, "name": "Other"}, TEMPLATES).json()["templateId"]
    read_six_fields(api.send("PUT", f"{TEMPLATES}/{other}", NEW), 409, ErrorCode.NAME_TAKEN)
    assert MessageTemplate.objects.get(pk=other).texts.count() == 1


@pytest.mark.parametrize(
    ("variable", "field"),
    [
        ({"name": "a.b", "example": "x"}, "variables[0].name"),
        ({"name": "a", "example": "x", "type": "number"}, "variables[0].example"),
        ({"name": "a", "example": "x", "type": "date"}, "variables[0].example"),
        ({"name": "a", "example": 5}, "variables[0].example"),
        ({"name": "a"}, "variables[0].example"),
        ({"name": "a", "example": "x", "kind": "text"}, "variables[0].kind"),
    ],
)
def test_a_variable_without_sense_is_refused(api: Api, variable: dict[str, Any], field: str) -> None:
    response = api.post({**NEW, "variables": [variable]}, TEMPLATES)
    assert read_six_fields(response, 400, ErrorCode.INVALID_REQUEST).startswith(field)


def test_a_message_by_template_says_what_each_gets(api: Api, template: int, customers: list[str]) -> None:
    response = api.post(call(template, {"order": "1", "total": 5}, {"order": "2"}))
    assert (response.status_code, response.json()["deliveries"]) == (201, 2)
    message = PushMessage.objects.get()
    assert message.personal
    assert message.texts.get().title == "Order {{ order }} is on its way"
    assert sorted(row["order"] for row in Delivery.objects.values_list("data", flat=True)) == ["1", "2"]
    # The message keeps what it says when the template goes.
    api.send("DELETE", f"{TEMPLATES}/{template}")
    assert message.texts.count() == 1


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ([{"order": "1"}, {}, {"total": 3}], [("recipients[1].data.order", "value_missing"), ("recipients[2].data.order", "value_missing")]),
        ([{"order": 5}], [("recipients[0].data.order", "value_invalid")]),
        ([{"order": "1", "total": "5"}], [("recipients[0].data.total", "value_invalid")]),
        ([{"order": "1", "totl": 5}], [("recipients[0].data.totl", "value_unknown")]),
        ([{"order": ""}], [("recipients[0].data.order", "value_missing")]),
        ([{"order": None}], [("recipients[0].data.order", "value_missing")]),
    ],
)  # fmt: skip
def test_what_breaks_the_contract_is_named_by_its_path(
    api: Api, template: int, customers: list[str], data: list[Any], errors: list[tuple[str, str]]
) -> None:
    response = api.post(call(template, *data), **{"Idempotency-Key": "k"})
    said = response.json()
    read_six_fields(response, 422, said["errorCode"])
    assert [(one["field"], one["code"]) for one in said["errors"]] == errors
    assert said["errorCode"] == errors[0][1]
    assert not PushMessage.objects.exists()
    # The key is free for the mended call.
    assert api.post(call(template, {"order": "1"}), **{"Idempotency-Key": "k"}).status_code == 201


def test_values_may_come_from_attributes_and_from_the_call_as_a_whole(
    api: Api, template: int, website: Website
) -> None:
    make_subscription(
        website, recipient=make_recipient(website, customer_id="K-0", attributes={"order": "7"})
    )
    assert api.post(call(template, {})).status_code == 201
    make_subscription(website, recipient=make_recipient(website, customer_id="K-1"))
    response = api.post(call(template, {}, {}))
    assert response.json()["errors"][0]["field"] == "recipients[1].data.order"
    assert api.post(call(template, {}, {}, data={"order": "9"})).status_code == 201


def test_a_rehearsal_by_template_shows_the_filled_text(api: Api, template: int, customers: list[str]) -> None:
    said = api.post(call(template, {"order": "4711"}, dryRun=True)).json()
    notification = said["rendered"][0]["notification"]
    assert notification["title"] == "Order 4711 is on its way"
    assert notification["body"] == "You paid in full."
    assert notification["navigate"] == "https://shop.example/orders/4711"


def test_an_unknown_template_is_named(api: Api, reachable: dict[str, str]) -> None:
    response = api.post({"templateId": 999_999, "recipients": [reachable]}, SEND)
    message = read_six_fields(response, 422, ErrorCode.TEMPLATE_UNKNOWN)
    assert message.startswith("templateId")
    both = api.post({"templateId": 1, "webPush": {"webPushMessageTexts": [TEXT]}, "recipients": [reachable]})
    read_six_fields(both, 400, ErrorCode.INVALID_REQUEST)


def test_values_stand_in_no_query_of_their_own(
    api: Api, template: int, website: Website, django_assert_num_queries: Any
) -> None:
    for number in range(40):
        make_subscription(website, recipient=make_recipient(website, customer_id=f"K-{number}"))
    api.get(TEMPLATES)
    for count in (1, 40):
        with django_assert_num_queries(8):
            body = call(template, *({"order": str(number)} for number in range(count)))
            assert api.post(body).json()["deliveries"] == count
