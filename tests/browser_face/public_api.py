"""The visitors' endpoints as an OpenAPI document: for generated requests only, pages use the snippet."""

from typing import Any

ERROR = {
    "type": "object",
    "required": ["timestamp", "status", "error", "message", "path", "errorCode"],
    "properties": {
        "status": {"type": "integer"},
        "message": {"type": "string", "minLength": 10},
        "errorCode": {"type": "string", "minLength": 1},
    },
}
PROOF = {"endpoint": {"type": "string", "maxLength": 2048}, "auth": {"type": "string", "maxLength": 32}}
DESCRIBED = {
    "customerId": {"type": "string", "maxLength": 128},
    "signature": {"type": "string", "maxLength": 128},
    "attributes": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
    "interests": {"type": "array", "items": {"type": "string", "maxLength": 64}, "maxItems": 100},
}


def document(secure_code: str, subscription: dict[str, Any], client_id: str) -> dict[str, Any]:
    """``subscription`` and ``client_id`` are of one that exists: the examples are about it."""
    held = {"endpoint": subscription["endpoint"], "auth": subscription["keys"]["auth"]}
    client = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
    subscribing = {
        "clientId": client,
        "language": {"type": "string", "maxLength": 35},
        "timeZone": {"type": "string", "maxLength": 64},
        "applicationServerKey": {"type": "string", "maxLength": 100},
        "subscription": {"type": "object", "default": subscription},
        "previous": {"type": ["object", "null"], "properties": PROOF},
        "consentText": {"type": "string", "maxLength": 64},
        **DESCRIBED,
    }
    event = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "maxLength": 64},
            "age": {"type": "number"},
            "properties": {"type": "object"},
        },
    }
    site = f"/browser/{secure_code}"
    return {
        "openapi": "3.1.0",
        "info": {"title": "What the snippet calls", "version": "1"},
        "paths": {
            f"{site}/website": _reading(),
            f"{site}/opt-in": _reading(language={"type": "string"}),
            f"{site}/manifest.webmanifest": _reading("application/manifest+json"),
            f"{site}/subscriptions": _posting(
                subscribing,
                ["clientId", "subscription", "applicationServerKey"],
                {"clientId": client_id, "subscription": subscription, "applicationServerKey": "x"},
            ),
            f"{site}/recipient": _posting({**PROOF, **DESCRIBED}, list(PROOF), held),
            f"{site}/unsubscribe": _posting(PROOF, list(PROOF), {**held, "auth": "A" * 22}),
            f"{site}/events": _posting(
                {"clientId": client, "events": {"type": "array", "items": event, "maxItems": 50}},
                ["clientId", "events"],
                {"clientId": client_id, "events": [{"name": "order", "properties": {"total": 12.5}}]},
            ),
            f"{site}/preferences": _posting(
                {**PROOF, "interests": DESCRIBED["interests"], "paused": {"type": "boolean"}},
                list(PROOF),
                {**held, "paused": True},
            ),
            f"{site}/preferences/test": _posting(PROOF, list(PROOF), held),
            f"{site}/preferences/data": _posting(PROOF, list(PROOF), held),
            f"{site}/preferences/erase": _posting(PROOF, list(PROOF), {**held, "auth": "A" * 22}),
            "/browser/reports": _posting(
                {
                    "event": {"enum": ["shown", "clicked", "closed"]},
                    "token": {"type": "string", "maxLength": 100},
                    "button": {"type": "string", "maxLength": 32},
                },
                ["event", "token"],
                {"event": "shown", "token": "1.20260101.AAAAAAAAAAAAAAAAAAAAAA"},
            ),
        },
    }


def _answers(*, success: dict[str, Any]) -> dict[str, Any]:
    refused = {"description": "Refused", "content": {"application/json": {"schema": ERROR}}}
    return {**success, **dict.fromkeys(("400", "403", "404", "409", "413", "429"), refused)}


def _reading(content_type: str = "application/json", **query: Any) -> dict[str, Any]:
    parameters = [{"name": name, "in": "query", "schema": schema} for name, schema in query.items()]
    found = {"description": "Found", "content": {content_type: {"schema": {"type": "object"}}}}
    return {"get": {"parameters": parameters, "responses": _answers(success={"200": found})}}


def _posting(properties: dict[str, Any], required: list[str], example: dict[str, Any]) -> dict[str, Any]:
    body = {"type": "object", "required": required, "properties": properties}
    done = {"description": "Done", "content": {"application/json": {"schema": {"type": "object"}}}}
    content = {"application/json": {"schema": body, "example": example}}
    answers = _answers(success={"200": done, "201": done, "204": {"description": "Done"}})
    return {"post": {"requestBody": {"required": True, "content": content}, "responses": answers}}
