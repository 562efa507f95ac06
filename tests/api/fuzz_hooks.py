"""What schemathesis must know beyond the OpenAPI document: formats, and the rules between fields.

JSON Schema can't say "each language once" or "either webPush or templateId": what is generated as valid is
mended here before it is sent. What is generated as invalid is sent as it is.
"""

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
FAR = 4_000_000_000_000

schemathesis.openapi.format("link", LINKS)
schemathesis.openapi.format("text-link", TEXT_LINKS)
schemathesis.openapi.format("time-zone", ZONES)
schemathesis.openapi.format("time-zone-or-none", ZONES | st.just(""))
schemathesis.openapi.format("local-time", LOCAL_TIMES)


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: Any) -> None:
    """Mends what is meant to be valid."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if isinstance(case.body, dict):
        case.body = mended(case.body)
    query = case.query
    if query and "cursor" in query:
        query["cursor"] = "OTk5OTk5"
    if query and case.path == "/v3/statistics":
        query.pop("from", None)


def mended(body: dict[str, Any]) -> dict[str, Any]:
    body = dict(body)
    if "webPush" in body:
        body.pop("templateId", None)
        body["webPush"] = mended_content(body["webPush"])
    if "schedule" in body or "action" in body:
        body.pop("sendAt", None)
    if "action" in body:
        body.pop("schedule", None)
    body.pop("idempotencyKey", None)
    for name in ("definition", "segment"):
        if name in body:
            body[name] = TREE
    if "segmentFilter" in body:
        body.pop("segment", None)
        body.pop("segmentId", None)
        known = [{"name": "language", "operator": "EQUALS", "value": "de"}]
        body["segmentFilter"] = {"segments": known}
    elif "segment" in body:
        body.pop("segmentId", None)
    if {"transactional", "dryRun", "status"} & set(body) and body.get("status") != "TEMPLATE":
        body.pop("name", None)
        body.pop("variables", None)
    if isinstance(body.get("variables"), list):
        body["variables"] = [{"name": "order", "example": "1"}]
    if "recipients" in body:
        body["recipients"] = unique(body["recipients"], "clientId")
    return body


def mended_content(content: dict[str, Any]) -> dict[str, Any]:
    texts = [{**text, "standard": False} for text in unique(content["webPushMessageTexts"], "language")]
    texts[0]["standard"] = True
    return {**content, "webPushMessageTexts": texts}


def unique(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return list({str(row.get(name)).lower(): row for row in rows}.values())
