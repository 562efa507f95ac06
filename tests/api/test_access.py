"""Which key may do what, where: every address × every scope × every website, taken from the URL resolver."""

import datetime
import re
from typing import Any

import pytest
from django.urls import URLPattern
from django.utils import timezone

from signalize_console.api import urls
from signalize_console.api.authentication import address_of
from signalize_console.api.endpoint import Endpoint
from signalize_console.api.errors import ErrorCode
from signalize_console.api.models import ApiKey, KeyRecord, KeyUse
from signalize_console.api.scopes import EVERYTHING, Scope
from signalize_console.websites.models import Website
from tests.api.calling import SEND, Api, body_for, read_six_fields
from tests.makers import make_website

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# The whole table: a new address or method without a row here fails the build.
TABLE = {
    "subscriptions/pushmessages": {"POST": Scope.WRITE_MESSAGES},
    "pushmessages": {"GET": Scope.READ_MESSAGES, "POST": Scope.WRITE_MESSAGES},
    "pushmessages/<id:message_id>": {"GET": Scope.READ_MESSAGES, "PATCH": Scope.WRITE_MESSAGES},
    "pushmessages/<id:message_id>/statistics": {"GET": Scope.READ_MESSAGES},
    "pushmessages/<id:message_id>/deliveries": {"GET": Scope.READ_MESSAGES},
    "recipients": {"GET": Scope.READ_RECIPIENTS, "POST": Scope.WRITE_RECIPIENTS},
    "recipients/<client-id:client_id>": {
        "GET": Scope.READ_RECIPIENTS,
        "PATCH": Scope.WRITE_RECIPIENTS,
        "DELETE": Scope.WRITE_RECIPIENTS,
    },
    "recipients/<client-id:client_id>/export": {"GET": Scope.READ_RECIPIENTS},
    "recipients/<client-id:client_id>/devices/<id:device_id>": {"DELETE": Scope.WRITE_RECIPIENTS},
    "recipients/<client-id:client_id>/events": {"POST": Scope.WRITE_RECIPIENTS},
    "customers/<customer-id:customer_id>": {
        "GET": Scope.READ_RECIPIENTS,
        "PATCH": Scope.WRITE_RECIPIENTS,
        "DELETE": Scope.WRITE_RECIPIENTS,
    },
    "customers/<customer-id:customer_id>/export": {"GET": Scope.READ_RECIPIENTS},
    "customers/<customer-id:customer_id>/events": {"POST": Scope.WRITE_RECIPIENTS},
    "segments": {"GET": Scope.READ_SEGMENTS, "POST": Scope.WRITE_SEGMENTS},
    "segments/<id:segment_id>": {
        "GET": Scope.READ_SEGMENTS,
        "PUT": Scope.WRITE_SEGMENTS,
        "DELETE": Scope.WRITE_SEGMENTS,
    },
    "segments/<id:segment_id>/count": {"GET": Scope.READ_SEGMENTS},
    "templates": {"GET": Scope.READ_TEMPLATES, "POST": Scope.WRITE_TEMPLATES},
    "templates/<id:template_id>": {
        "GET": Scope.READ_TEMPLATES,
        "PUT": Scope.WRITE_TEMPLATES,
        "DELETE": Scope.WRITE_TEMPLATES,
    },
    "webhooks": {"GET": Scope.READ_WEBHOOKS, "POST": Scope.WRITE_WEBHOOKS},
    "webhooks/<id:webhook_id>": {
        "GET": Scope.READ_WEBHOOKS,
        "PATCH": Scope.WRITE_WEBHOOKS,
        "DELETE": Scope.WRITE_WEBHOOKS,
    },
    "webhooks/<id:webhook_id>/secret": {"POST": Scope.WRITE_WEBHOOKS},
    "webhooks/<id:webhook_id>/deliveries": {"GET": Scope.READ_WEBHOOKS},
    "webhooks/<id:webhook_id>/deliveries/<id:delivery_id>/redelivery": {"POST": Scope.WRITE_WEBHOOKS},
    "websites": {"GET": Scope.READ_WEBSITES},
    "websites/<id:website_id>": {"GET": Scope.READ_WEBSITES},
    "statistics": {"GET": Scope.READ_STATISTICS},
}
# Open to everyone: the documentation, and the answer that there is nothing.
OPEN = {"openapi.json", "docs", "redoc", ""}


def addresses() -> dict[str, Any]:
    """Route → view class, as the resolver has them."""
    found = {}
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        found[str(pattern.pattern)] = getattr(pattern.callback, "view_class", None)
    return found


ENDPOINTS = {
    route: view
    for route, view in addresses().items()
    if isinstance(view, type) and issubclass(view, Endpoint)
}
CELLS = [(route, method, scope) for route, view in ENDPOINTS.items() for method, scope in view.scopes.items()]
IDS = [f"{method} {route}" for route, method, _scope in CELLS]


def test_every_address_stands_in_the_table() -> None:
    assert {route: dict(view.scopes) for route, view in ENDPOINTS.items()} == TABLE
    assert set(addresses()) - set(ENDPOINTS) == OPEN


def test_every_method_that_is_answered_asks_for_a_scope() -> None:
    for view in ENDPOINTS.values():
        answered = {method for method in METHODS if hasattr(view, method.lower())}
        assert answered == set(view.scopes), view


def path_of(route: str, ids: dict[str, str]) -> str:
    return "/v3/" + re.sub(r"<[a-z-]+:(\w+)>", lambda match: ids[match[1]], route)


NOBODYS = {
    "message_id": "999999",
    "template_id": "999999",
    "segment_id": "999999",
    "website_id": "999999",
    "device_id": "999999",
    "webhook_id": "999999",
    "delivery_id": "999999",
    "client_id": "0" * 32,
    "customer_id": "nobody",
}


@pytest.mark.parametrize(("route", "method", "scope"), CELLS, ids=IDS)
def test_a_key_without_the_scope_is_refused_and_with_it_alone_is_not(
    website: Website, route: str, method: str, scope: Scope
) -> None:
    path = path_of(route, NOBODYS)
    others = [one for one in EVERYTHING if one != scope]
    without = Api(ApiKey.issue(website, "all but it", others)[1])
    message = read_six_fields(without.send(method, path), 403, ErrorCode.SCOPE_MISSING)
    assert scope in message
    alone = Api(ApiKey.issue(website, "it alone", [scope])[1])
    assert alone.send(method, path, {}).status_code in {200, 201, 400, 404}
    assert Api("").send(method, path).status_code == 401


@pytest.mark.parametrize(("route", "method", "scope"), CELLS, ids=IDS)
def test_what_is_anothers_is_not_there(
    api: Api, others_things: dict[str, str], route: str, method: str, scope: Scope
) -> None:
    """Each address with the ids of another website's things: 404, and nothing changed; or an empty list."""
    if "<" not in route:
        if method == "GET" and route != "statistics":
            items = api.get(path_of(route, {})).json()["items"]
            ids = {str(value) for item in items for value in item.values()}
            assert not ids & set(others_things.values())
        return
    body = VALID.get((route, method))
    response = api.send(method, path_of(route, others_things), body)
    if (route, method) == ("recipients/<client-id:client_id>", "PATCH"):
        # A recipient id is the visitor's: this website may know one with the same.
        assert response.status_code == 201
        assert response.json()["customerId"] is None
        return
    read_six_fields(response, 404, ErrorCode.NOT_FOUND)


DEFINITION = {"field": "language", "op": "equals", "value": "de"}
TEXTS = {"webPushMessageTexts": [{"language": "en", "title": "Hello"}]}
VALID: dict[tuple[str, str], Any] = {
    ("pushmessages/<id:message_id>", "PATCH"): {"action": "cancel"},
    ("recipients/<client-id:client_id>", "PATCH"): {"language": "de"},
    ("recipients/<client-id:client_id>/events", "POST"): {"events": [{"name": "order"}]},
    ("customers/<customer-id:customer_id>", "PATCH"): {"language": "de"},
    ("customers/<customer-id:customer_id>/events", "POST"): {"events": [{"name": "order"}]},
    ("segments/<id:segment_id>", "PUT"): {"name": "x", "definition": DEFINITION},
    ("webhooks/<id:webhook_id>", "PATCH"): {"active": False},
    ("templates/<id:template_id>", "PUT"): {"name": "x", "webPush": TEXTS},
}


@pytest.fixture
def others_things() -> dict[str, str]:
    """Another website with one of each thing."""
    from tests.makers import make_recipient, make_subscription

    other = make_website(name="Other")
    its = Api(ApiKey.issue(other, "x", EVERYTHING)[1])
    recipient = make_recipient(other, customer_id="K-1")
    device = make_subscription(other, recipient=recipient)
    sent = its.send("POST", SEND, body_for({"clientId": recipient.client_id}))
    template = its.send("POST", "/v3/templates", {"name": "T", "webPush": TEXTS})
    segment = its.send("POST", "/v3/segments", {"name": "S", "definition": DEFINITION})
    webhook = its.send("POST", "/v3/webhooks", {"url": "https://crm.example/x", "kinds": ["clicked"]})
    assert [one.status_code for one in (sent, template, segment, webhook)] == [201] * 4
    return {
        "message_id": str(sent.json()["messageId"]),
        "template_id": str(template.json()["templateId"]),
        "segment_id": str(segment.json()["segmentId"]),
        "website_id": str(other.pk),
        "client_id": recipient.client_id,
        "customer_id": "K-1",
        "device_id": str(device.pk),
        "webhook_id": str(webhook.json()["webhookId"]),
        "delivery_id": "1",
    }


def test_a_key_that_expired_is_refused(website: Website) -> None:
    soon = timezone.now() + datetime.timedelta(hours=1)
    key, text = ApiKey.issue(website, "shop", expires_at=soon)
    assert Api(text).get("/v3/pushmessages").status_code == 200
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - datetime.timedelta(hours=1))
    message = read_six_fields(Api(text).get("/v3/pushmessages"), 401, ErrorCode.API_KEY_UNKNOWN)
    assert "expired" in message


def test_rotation_leaves_two_keys_alive_and_no_third(website: Website) -> None:
    key, text = ApiKey.issue(website, "shop", [Scope.READ_MESSAGES], networks=["127.0.0.0/8"])
    successor, new_text = key.rotate(by="ada")
    assert key.rotate() is None
    for one in (text, new_text):
        assert Api(one).get("/v3/pushmessages").status_code == 200
    assert (successor.scopes, successor.networks) == (key.scopes, key.networks)
    key.refresh_from_db()
    assert datetime.timedelta(days=6) < key.expires_at - timezone.now() <= datetime.timedelta(days=7)
    records = KeyRecord.objects.order_by("id").values_list("key__prefix", "deed", "by")
    assert list(records) == [
        (key.prefix, "issued", ""),
        (successor.prefix, "issued", "ada"),
        (key.prefix, "rotated", "ada"),
    ]
    assert successor.revoke(by="bob")
    assert not successor.revoke(by="bob")
    assert KeyRecord.objects.filter(deed="revoked", by="bob").count() == 1
    assert successor.rotate() is None


@pytest.mark.parametrize(
    ("networks", "allowed"),
    [
        (["127.0.0.1/32"], True),
        (["10.0.0.0/8", "127.0.0.0/8"], True),
        (["10.0.0.0/8"], False),
        (["::1/128"], False),
    ],
)
def test_a_key_works_in_its_networks_only(website: Website, networks: list[str], allowed: bool) -> None:
    response = Api(ApiKey.issue(website, "shop", networks=networks)[1]).get("/v3/pushmessages")
    if allowed:
        assert response.status_code == 200
    else:
        read_six_fields(response, 403, ErrorCode.ADDRESS_NOT_ALLOWED)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "10.0.0.9", "127.0.0.1"),
        (1, "6.6.6.6, 10.0.0.9", "10.0.0.9"),
        (2, "6.6.6.6, 10.0.0.9, 10.0.0.2", "10.0.0.9"),
        (2, "10.0.0.9", "127.0.0.1"),
        (1, "", "127.0.0.1"),
    ],
)
def test_a_forwarded_address_counts_as_far_as_proxies_are_ours(
    rf: Any, settings: Any, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert address_of(rf.get("/", headers=headers)) == address


def test_a_key_has_so_many_requests_a_minute(website: Website) -> None:
    text = ApiKey.issue(website, "shop", requests_per_minute=2)[1]
    other = ApiKey.issue(website, "other", requests_per_minute=2)[1]
    left = []
    for _time in range(2):
        response = Api(text).get("/v3/pushmessages")
        assert response.status_code == 200
        assert response.headers["RateLimit-Limit"] == "2"
        left.append(response.headers["RateLimit-Remaining"])
    assert left == ["1", "0"]
    refused = Api(text).get("/v3/pushmessages")
    read_six_fields(refused, 429, ErrorCode.RATE_LIMITED)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert Api(other).get("/v3/pushmessages").status_code == 200
    KeyUse.objects.update(minute=timezone.now() - datetime.timedelta(minutes=2))
    assert Api(text).get("/v3/pushmessages").status_code == 200


def test_a_refused_key_uses_up_nothing(website: Website) -> None:
    key, text = ApiKey.issue(website, "shop")
    key.revoke()
    for _time in range(3):
        Api(text).get("/v3/pushmessages")
    Api(f"sk_{key.prefix}_guessed").get("/v3/pushmessages")
    assert not KeyUse.objects.exists()
    key.refresh_from_db()
    assert key.last_used_at is None


def test_the_last_use_is_noted(website: Website) -> None:
    key, text = ApiKey.issue(website, "shop")
    Api(text).get("/v3/pushmessages")
    key.refresh_from_db()
    first = key.last_used_at
    assert timezone.now() - first < datetime.timedelta(seconds=30)
    Api(text).get("/v3/pushmessages")
    key.refresh_from_db()
    assert key.last_used_at == first
