"""What schemathesis must know beyond the OpenAPI document: formats, and the rules between fields.

JSON Schema can't say "each language once" or "either webPush or templateId": what is generated as valid is
mended here before it is sent. What is generated as invalid is sent as it is.
"""

import json
import zoneinfo
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext

LINKS = st.from_regex(r"https://[a-z]{1,10}\.example(/[a-z0-9]{0,8}){0,3}", fullmatch=True)
TEXT_LINKS = LINKS | LINKS.map(lambda link: link + "/{{ order }}")
ZONES = st.sampled_from(sorted(zoneinfo.available_timezones()))
LOCAL_TIMES = st.datetimes().map(
    lambda moment: f"2099-{moment:%m-%d}T{moment:%H:%M}".replace("02-29", "02-28")
)
TREE = {"any": [{"field": "language", "op": "equals", "value": "de"}]}
SEND, AUDIENCE = "/v3/subscriptions/pushmessages", "/v3/pushmessages"
CLIENT_ID = "108bf9a8e3f34c6e8e7d5a1b2c3dedb1"

schemathesis.openapi.format("link", LINKS)
schemathesis.openapi.format("text-link", TEXT_LINKS)
schemathesis.openapi.format("time-zone", ZONES)
schemathesis.openapi.format("local-time", LOCAL_TIMES)


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: Any) -> None:
    """Mends what is meant to be valid."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if isinstance(case.body, dict):
        case.body = mended(case.body, case.path)
    query = case.query
    if query and "cursor" in query:
        query["cursor"] = "OTk5OTk5"
    if query and case.path == "/v3/statistics":
        query.pop("from", None)


def mended(body: dict[str, Any], path: str) -> dict[str, Any]:
    body = dict(body)
    body.pop("idempotencyKey", None)
    without_rivals(body, "webPush", "templateId")
    without_rivals(body, "action", "schedule", "sendAt")
    without_rivals(body, "schedule", "sendAt")
    without_rivals(body, "segmentFilter", "segment", "segmentId")
    without_rivals(body, "segment", "segmentId")
    if path == AUDIENCE:
        # A template has an id that no message has: whoever follows the link to a message finds nothing.
        body["status"] = "ACTIVE"
        body.pop("name", None)
        body.pop("variables", None)
    set_where_given = {
        "definition": TREE,
        "segment": TREE,
        "segmentFilter": {"segments": [{"name": "language", "operator": "EQUALS", "value": "de"}]},
        "variables": [{"name": "order", "example": "1"}],
    }
    body |= {name: value for name, value in set_where_given.items() if name in body}
    if "webPush" in body:
        body["webPush"] = mended_content(body["webPush"])
    if "recipients" in body:
        body["recipients"] = unique(body["recipients"], "clientId")
    if path in (SEND, AUDIENCE):
        body["data"] = {"order": "1"} if "{{ order }}" in json.dumps(body) else {}
    if path == SEND:
        others = [
            {name: value for name, value in one.items() if name != "data"} for one in body["recipients"]
        ]
        body["recipients"] = [{"clientId": CLIENT_ID}, *others[:5]]
    return body


def without_rivals(body: dict[str, Any], name: str, *rivals: str) -> None:
    if name in body:
        for rival in rivals:
            body.pop(rival, None)


def mended_content(content: dict[str, Any]) -> dict[str, Any]:
    """Both variants, if there are any, have the same languages, and one standard text each."""
    given = content["webPushMessageTexts"]
    variants = ["A", "B"] if any(text.get("variant") == "B" for text in given) else ["A"]
    texts = [
        {**text, "variant": variant, "standard": number == 0}
        for variant in variants
        for number, text in enumerate(unique(given, "language")[:25])
    ]
    return {**content, "webPushMessageTexts": texts}


def unique(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return list({str(row.get(name)).lower(): row for row in rows}.values())
