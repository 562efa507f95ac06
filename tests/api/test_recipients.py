"""Recipients by API: what other systems know of them, their events, and forgetting them."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from signalize_console.activity.models import Event
from signalize_console.api.errors import ErrorCode
from signalize_console.recipients.models import Recipient, Subscription
from signalize_console.websites.models import Website
from tests.api.calling import Api, read_six_fields
from tests.makers import make_recipient, make_subscription, make_website

RECIPIENTS, NEW = "/v3/recipients", "ab" * 16
PROFILE = {
    "customerId": "K-1",
    "language": "de",
    "timeZone": "Europe/Berlin",
    "attributes": {"first_name": "Ada", "orders": 3, "old": None},
    "interests": ["shoes", "sale", "shoes"],
}


def test_an_unknown_recipient_is_made_and_then_changed(api: Api) -> None:
    made = api.send("PATCH", f"{RECIPIENTS}/{NEW}", PROFILE)
    said = made.json()
    assert made.status_code == 201
    assert (said["customerId"], said["interests"]) == ("K-1", ["sale", "shoes"])
    assert said["attributes"] == {"first_name": "Ada", "orders": 3}
    change = {"attributes": {"orders": 4, "first_name": None, "vip": True}, "language": ""}
    changed = api.send("PATCH", f"{RECIPIENTS}/{NEW}", change)
    said = changed.json()
    assert changed.status_code == 200
    assert (said["attributes"], said["language"]) == ({"orders": 4, "vip": True}, "")
    # What was left out stays.
    assert (said["customerId"], said["timeZone"], said["interests"]) == (
        "K-1",
        "Europe/Berlin",
        ["sale", "shoes"],
    )
    assert Recipient.objects.get().customer_verified
    assert (
        api.send("PATCH", f"{RECIPIENTS}/{NEW}", {"interests": [], "customerId": ""}).json()["interests"]
        == []
    )
    assert not Recipient.objects.get().customer_verified


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"language": "german!"}, "language"),
        ({"timeZone": "Mars/Base"}, "timeZone"),
        ({"attributes": {"a.b": 1}}, "attributes.a.b"),
        ({"attributes": {"a": [1]}}, "attributes.a"),
        ({"attributes": {"a": "x" * 1001}}, "attributes.a"),
        ({"attributes": {"a": "\0"}}, "attributes.a"),
        ({"attributes": []}, "attributes"),
        ({"interests": ["x" * 65]}, "interests[0]"),
        ({"interests": ["x" * 60 + " " * 5]}, "interests[0]"),
        ({"interests": "shoes"}, "interests"),
        ({"customerId": 5}, "customerId"),
        ({"customer": "K-1"}, "customer"),
    ],
)
def test_a_bad_profile_is_named(api: Api, body: dict[str, Any], field: str) -> None:
    response = api.send("PATCH", f"{RECIPIENTS}/{NEW}", body)
    assert read_six_fields(response, 400, ErrorCode.INVALID_REQUEST).startswith(f"{field}:")
    assert not Recipient.objects.exists()


def test_a_recipient_has_no_more_attributes_than_are_kept(api: Api) -> None:
    some = {f"a{number}": number for number in range(50)}
    assert api.send("PATCH", f"{RECIPIENTS}/{NEW}", {"attributes": some}).status_code == 201
    refused = api.send("PATCH", f"{RECIPIENTS}/{NEW}", {"attributes": {"one_more": 1}})
    read_six_fields(refused, 422, ErrorCode.NOT_ACCEPTED)
    assert Recipient.objects.get().attributes == some
    assert (
        api.send("PATCH", f"{RECIPIENTS}/{NEW}", {"attributes": {"one_more": 1, "a0": None}}).status_code
        == 200
    )


def test_a_thousand_are_stored_in_a_constant_number_of_queries(
    api: Api, website: Website, django_assert_num_queries: Any
) -> None:
    known = make_recipient(website, attributes={"kept": 1})
    api.get("/v3/websites")
    profiles = [{"clientId": f"{number:032x}", "attributes": {"n": number}} for number in range(999)]
    with django_assert_num_queries(10):
        said = api.post({"recipients": [{"clientId": known.client_id, "language": "de"}]}, RECIPIENTS).json()
    assert said == {"created": 0, "updated": 1}
    with django_assert_num_queries(10):
        body = {"recipients": [{"clientId": known.client_id, "attributes": {"new": 2}}, *profiles]}
        said = api.post(body, RECIPIENTS).json()
    assert said == {"created": 999, "updated": 1}
    known.refresh_from_db()
    assert (known.language, known.attributes) == ("de", {"kept": 1, "new": 2})
    assert Recipient.objects.get(client_id=f"{41:032x}").attributes == {"n": 41}
    twice = api.post({"recipients": [{"clientId": NEW}, {"clientId": NEW}]}, RECIPIENTS)
    assert "once" in read_six_fields(twice, 400, ErrorCode.INVALID_REQUEST)


def test_recipients_are_listed_and_found(api: Api, website: Website) -> None:
    silent = make_recipient(website, customer_id="K-1")
    subscribed = make_subscription(website, recipient=make_recipient(website, customer_id="K-1")).recipient
    make_recipient(website)
    make_subscription(make_website(name="Other"))
    assert len(api.get(RECIPIENTS).json()["items"]) == 3

    def found(query: str) -> list[str]:
        return [one["clientId"] for one in api.get(f"{RECIPIENTS}?{query}").json()["items"]]

    assert found("customerId=K-1") == [subscribed.client_id, silent.client_id]
    assert found("subscribed=true") == [subscribed.client_id]
    assert len(found("subscribed=false")) == 2


def test_a_device_is_shown_without_its_endpoint_and_unsubscribed(api: Api, website: Website) -> None:
    subscription = make_subscription(website)
    path = f"{RECIPIENTS}/{subscription.recipient.client_id}"
    response = api.get(path)
    (device,) = response.json()["devices"]
    assert (device["deviceId"], device["state"]) == (subscription.pk, "active")
    for secret in (subscription.endpoint, subscription.auth, subscription.p256dh):
        assert secret not in response.content.decode()
    assert api.send("DELETE", f"{path}/devices/{subscription.pk}").status_code == 204
    said = api.get(path).json()
    assert (said["subscribed"], said["devices"][0]["state"]) == (False, "unsubscribed")
    assert Event.objects.get().kind == "unsubscribed"
    assert api.send("DELETE", f"{path}/devices/{subscription.pk}").status_code == 204
    assert Event.objects.count() == 1
    stranger = make_recipient(website)
    other = api.send("DELETE", f"{RECIPIENTS}/{stranger.client_id}/devices/{subscription.pk}")
    read_six_fields(other, 404, ErrorCode.NOT_FOUND)


def test_a_recipient_is_exported_and_erased(api: Api, website: Website) -> None:
    subscription = make_subscription(website, recipient=make_recipient(website, attributes={"name": "Ada"}))
    path = f"{RECIPIENTS}/{subscription.recipient.client_id}"
    api.send("POST", f"{path}/events", {"events": [{"name": "order", "properties": {"total": 5}}]})
    exported = api.get(f"{path}/export")
    said = exported.json()
    assert said["recipient"]["attributes"] == {"name": "Ada"}
    assert said["events"][0]["event"] == "order"
    assert subscription.endpoint not in exported.content.decode()
    assert api.send("DELETE", path).status_code == 204
    read_six_fields(api.get(path), 404, ErrorCode.NOT_FOUND)
    assert not Subscription.objects.exists()
    assert not Event.objects.exists()


def test_a_customer_is_all_their_browsers(api: Api, website: Website) -> None:
    for _browser in range(2):
        make_subscription(website, recipient=make_recipient(website, customer_id="K 1/ä"))
        make_subscription(website, recipient=make_recipient(website, customer_id="K-1"))
    path = "/v3/customers/K-1"
    assert len(api.get(path).json()["recipients"]) == 2
    assert api.send("PATCH", path, {"attributes": {"vip": True}}).json() == {"updated": 2}
    assert Recipient.objects.filter(attributes={"vip": True}).count() == 2
    assert len(api.get(f"{path}/export").json()["recipients"]) == 2
    assert api.send("DELETE", path).json() == {"erased": 2}
    read_six_fields(api.send("DELETE", path), 404, ErrorCode.NOT_FOUND)
    assert Recipient.objects.count() == 2
    # One with a slash is found by its parameter.
    assert len(api.get(f"{RECIPIENTS}?customerId=K%201/%C3%A4").json()["items"]) == 2


def test_events_are_stored_in_one_go(api: Api, website: Website, django_assert_num_queries: Any) -> None:
    recipient = make_recipient(website)
    path = f"{RECIPIENTS}/{recipient.client_id}/events"
    moment = timezone.now().replace(microsecond=0)
    order = {
        "name": "order",
        "properties": {"id": "4711", "total": 59.9},
        "occurredAt": int(moment.timestamp() * 1000),
    }
    api.get("/v3/websites")
    for count in (1, 100):
        with django_assert_num_queries(4):
            response = api.send("POST", path, {"events": [order] * count})
        assert (response.status_code, response.json()) == (201, {"recorded": count})
    event = Event.objects.first()
    assert (event.kind, event.name, event.properties, event.occurred_at, event.recipient) == (
        "event",
        "order",
        order["properties"],
        moment,
        recipient,
    )
    too_many = api.send("POST", path, {"events": [order] * 101})
    read_six_fields(too_many, 400, ErrorCode.INVALID_REQUEST)


def test_a_customers_event_happens_once(api: Api, website: Website) -> None:
    first, last = (make_recipient(website, customer_id="K-1") for _browser in range(2))
    Recipient.objects.filter(pk=last.pk).update(seen_at=timezone.now() + datetime.timedelta(days=1))
    response = api.send("POST", "/v3/customers/K-1/events", {"events": [{"name": "order"}]})
    assert response.json() == {"recorded": 1}
    assert Event.objects.get().recipient == last
    assert first.pk != last.pk


def test_the_website_of_the_key_is_read(api: Api, website: Website) -> None:
    make_subscription(website)
    (item,) = api.get("/v3/websites").json()["items"]
    assert item == api.get(f"/v3/websites/{website.pk}").json()
    assert (item["secureCode"], item["origins"], item["subscribers"]) == (
        website.secure_code,
        website.origins,
        1,
    )
    assert item["vapidPublicKey"] == website.vapid_key.public_key


def test_segments_are_made_counted_and_deleted(api: Api, website: Website) -> None:
    german = make_subscription(website, recipient=make_recipient(website, language="de")).recipient
    make_subscription(website, recipient=make_recipient(website, language="en"))
    definition = {"field": "language", "op": "equals", "value": "de"}
    made = api.post({"name": "German", "definition": definition}, "/v3/segments").json()
    path = f"/v3/segments/{made['segmentId']}"
    assert made["definition"] == definition
    counted = api.get(f"{path}/count").json()
    assert counted["subscriptions"] == 1
    assert [one["clientId"] for one in counted["sample"]] == [german.client_id]
    assert api.get(path).json()["subscriptions"] == 1
    changed = api.send("PUT", path, {"name": "Not German", "definition": {"not": definition}}).json()
    assert (changed["name"], changed["subscriptions"]) == ("Not German", None)
    read_six_fields(
        api.post({"name": "Not German", "definition": definition}, "/v3/segments"), 409, ErrorCode.NAME_TAKEN
    )
    bad = api.post({"name": "x", "definition": {"all": [{"field": "x"}]}}, "/v3/segments")
    assert read_six_fields(bad, 400, ErrorCode.INVALID_REQUEST).startswith("definition.all[0].field")
    to_segment = {
        "segmentId": made["segmentId"],
        "webPush": {"webPushMessageTexts": [{"language": "en", "title": "x"}]},
    }
    assert api.post(to_segment, "/v3/pushmessages").status_code == 201
    read_six_fields(api.send("DELETE", path), 409, ErrorCode.STATE_CONFLICT)
